"""A model whose task fails says why, without the value that the database refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.warehouse.conftest import AT, own_project, raw  # noqa: F401

from safar.catalogue import load_catalogue
from safar.settings import PROJECT_ROOT
from safar.warehouse import pin_run, read_recorded, write_manifest
from safar.workspace import Workspace

TABLE = "{{ config(materialized='table') }}\n"
PEOPLE = "{{ ref('stg_people') }}"
BROKEN = {
    "fct_number": (f"{TABLE} select cast(email as integer) as number from {PEOPLE}", "syntax for type integer"),
    "fct_moment": (f"{TABLE} select cast(first_name as timestamptz) as told_at from {PEOPLE}", "type timestamp"),
    "fct_repeated": (
        "{{ config(materialized='table', post_hook='create unique index on {{ this }} (name)') }}\n"
        f"select first_name as name from {PEOPLE} union all select first_name from {PEOPLE}",
        "could not create unique index",
    ),
    # Fails before its own statement, while dbt renders it.
    "fct_looked": (
        "{% set found = run_query('select first_name::date from ' ~ source('crm', 'people')) %}\nselect 1 as one",
        "syntax for type date",
    ),
}
"""Models by name, each with what it must say; the database quotes a value of a row in another place of each message."""
VALUES = ["Ada", "Ben", "Cem", "example.com", "gone.example"]


@pytest.fixture
def workspace(
    raw: psycopg.Connection,  # noqa: F811
    open_workspace: Callable[..., Workspace],
    own_project: Path,  # noqa: F811
) -> Workspace:
    for name, (statement, _) in BROKEN.items():
        (own_project / "dbt_project" / "models" / "staging" / f"{name}.sql").write_text(statement)
    workspace = open_workspace(project_root=own_project)
    write_manifest(workspace.settings)
    return workspace


def run_tasks(workspace: Workspace, connections: dict[str, Any], home: Path) -> tuple[dict[str, str | None], str, Any]:
    """Runs the models' tasks; returns the traceback of each, all that was written meanwhile, and the ledger's results."""
    pin = pin_run(
        workspace,
        dag_id="build_nightly",
        airflow_run_id="first",
        cadence="nightly",
        as_of=AT,
        catalogue=load_catalogue(workspace.settings),
    )
    variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    environment = {
        **os.environ,
        **variables,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "SAFAR_HOME": str(home),
        "SAFAR_PROJECT_ROOT": str(workspace.settings.project_root),
        "SAFAR_CLOCK": "wall",
    }
    order = {"pin": pin.to_json(), "dag_id": "build_nightly", "run_id": "first"}
    order["models"] = ["stg_people", *BROKEN]  # type: ignore[assignment]
    command = [sys.executable, str(Path(__file__).with_name("run_model_task.py"))]
    done = subprocess.run(
        command, env=environment, input=json.dumps(order), cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("FAILURES:")]
    assert found, done.stderr[-3000:]
    return json.loads(found[0].removeprefix("FAILURES:")), done.stdout + done.stderr, read_recorded(workspace, pin)


def test_a_failed_model_says_why_and_quotes_no_row(
    workspace: Workspace, connections: dict[str, Any], tmp_path: Path
) -> None:
    home = tmp_path / "airflow"
    failures, written, results = run_tasks(workspace, connections, home)
    assert failures["stg_people"] is None, failures["stg_people"]
    assert "model.safar.stg_people: success" in written
    for name, (_, reason) in BROKEN.items():
        failure = failures[name]
        assert failure is not None
        told = failure.strip().splitlines()[-1]
        assert told.startswith(f"safar.errors.SafarError: model.safar.{name}: error: ")
        assert reason in told
        assert not results[f"model.safar.{name}"].is_green
    kept = [path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()]
    assert [value for value in VALUES for text in (written, *kept) if value in text] == []
