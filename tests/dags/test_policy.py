"""What every DAG of this project keeps to; each message says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from safar.catalogue import load_catalogue
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import write_manifest

DAGS = PROJECT_ROOT / "dags"


def read_dags(home: Path, clock: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "SAFAR_CLOCK": clock,
    }
    script = Path(__file__).with_name("describe_dags.py")
    done = subprocess.run(
        [sys.executable, str(script), str(DAGS)], env=environment, capture_output=True, text=True, timeout=300
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("DAGS:")]
    assert found, done.stderr[-3000:]
    described: dict[str, Any] = json.loads(found[0].removeprefix("DAGS:"))
    return described


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    write_manifest(Settings.from_environment())
    described = read_dags(tmp_path_factory.mktemp("airflow"), "wall")
    assert described["errors"] == {}
    found: dict[str, Any] = described["dags"]
    return found


def test_there_is_a_dag_for_each_source_each_campaign_and_each_timer(dags: dict[str, Any]) -> None:
    catalogue = load_catalogue(Settings.from_environment())
    expected = {f"extract_{name}" for name in catalogue.sources} | {f"deliver_{name}" for name in catalogue.campaigns}
    expected |= {"build_nightly", "build_intraday", "dispatch_due", "collect_feedback", "keep_house"}
    expected |= {"pause_sending", "resume_sending", "approve_campaign"}
    assert set(dags) == expected


def test_every_dag_says_what_it_does(dags: dict[str, Any]) -> None:
    for name, dag in dags.items():
        assert dag["description"], f"{name} has no description: give it one sentence for the person on call."
        assert dag["tags"], f"{name} has no tag: tag it with its verb."


def test_no_dag_overlaps_itself_or_fills_in_the_past(dags: dict[str, Any]) -> None:
    for name, dag in dags.items():
        assert dag["max_active_runs"] == 1, f"{name}: pass **dag_defaults()."
        assert not dag["catchup"], f"{name}: pass **dag_defaults()."


def test_every_task_is_tried_again(dags: dict[str, Any]) -> None:
    for name, dag in dags.items():
        for task, described in dag["tasks"].items():
            assert described["retries"] >= 1, f"{name}.{task}: a task that may be cleared may be retried."


def test_tasks_are_ours_or_dbt_models(dags: dict[str, Any]) -> None:
    for name, dag in dags.items():
        for task, described in dag["tasks"].items():
            ours = described["module"].startswith(
                ("safar_airflow.", "cosmos.", "airflow.providers.standard.operators.empty")
            )
            assert ours, f"{name}.{task} is a {described['operator']}: put what it does into safar and an operator."


def test_the_nightly_build_has_a_task_per_model(dags: dict[str, Any]) -> None:
    manifest = json.loads((PROJECT_ROOT / "dbt_project" / "target" / "manifest.json").read_text())
    models = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "nightly" in node["tags"] and not is_of_the_ledger(node)
    }
    tasks = " ".join(dags["build_nightly"]["tasks"])
    assert models
    for model in models:
        assert f"models.{model}" in tasks, f"{model} is no task of build_nightly."


def is_of_the_ledger(node: dict[str, Any]) -> bool:
    """Built by the tasks `ledger` and `decide`."""
    return node["original_file_path"].startswith(
        ("models/decisions", "models/staging/ledger", "models/staging/decisions")
    )


def test_no_form_takes_an_address(dags: dict[str, Any]) -> None:
    """Airflow keeps what a run was started with in a database that no erasure reads."""
    assert {field for dag in dags.values() for field in dag["takes_a_name"]} == {"reason", "campaign"}
    for name, dag in dags.items():
        assert dag["takes_an_address"] == [], f"{name}: give the Param a pattern that an address does not fit."


def test_the_verdict_is_given_whatever_happened(dags: dict[str, Any]) -> None:
    for name in ("build_nightly", "build_intraday"):
        assert dags[name]["tasks"]["verdict"]["trigger_rule"] == "all_done"
        assert dags[name]["tasks"]["gate"]["trigger_rule"] == "all_done"


def test_under_the_companys_clock_no_dag_has_a_timer(tmp_path: Path) -> None:
    described = read_dags(tmp_path, "sandbox")
    assert described["errors"] == {}
    timetables = {dag["timetable"] for dag in described["dags"].values()}
    assert timetables <= {"NullTimetable", "AssetTriggeredTimetable"}


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_a_dag_file_is_short_and_holds_no_rule_of_marketing(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 60, f"{path.name}: DAG files say when; move the how into safar."
    assert "import requests" not in text
    assert "execute(" not in text
