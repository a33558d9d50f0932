"""A night of a small company through a real Airflow, cleared and run again, and beside it the same night without.

`make torture` plays and clears a whole week (TORTURE_NIGHTS).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.leaks.scanner import OWN_HOMES, count_rows, read_people, read_secrets, scan_database, scan_folder

from safar.services.postgres import EmbeddedPostgres

PEOPLE = "400"
NIGHTS = os.environ.get("TORTURE_NIGHTS", "1")
PATIENCE = 1200 * int(NIGHTS)


def play(command: str, home: Path) -> dict[str, Any]:
    """Runs `safar <command>` to its end and returns the figures that it left."""
    environment = {**os.environ, "SAFAR_HOME": str(home), "PEOPLE": PEOPLE, "NIGHTS": NIGHTS}
    safar = Path(sys.executable).with_name("safar")
    done = subprocess.run([safar, command], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures: dict[str, Any] = json.loads((home / "night.json").read_text())
    return figures


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("airflow")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def night(home: Path) -> dict[str, Any]:
    return play("run", home)


@pytest.fixture(scope="module")
def cleared(home: Path, night: dict[str, Any]) -> dict[str, Any]:
    """The finished night once more: every task of every run is cleared through Airflow's API and runs again."""
    return play("run", home)


@pytest.mark.timeout(PATIENCE)
def test_the_night_ends_well_and_all_three_counts_agree(night: dict[str, Any]) -> None:
    assert night["failed_runs"] == []
    assert night["messages_accepted"] == night["mails_at_provider"] > 0
    # What the evening's build itself has sent stands in the tables of the next build.
    assert night["deliveries_accepted"] + night["accepted_since_build"] == night["messages_accepted"]
    assert night["deliveries_accepted"] > 0
    assert night["duplicates_at_provider"] == 0


@pytest.mark.timeout(PATIENCE)
def test_every_candidate_has_one_outcome_and_every_campaign_decided(night: dict[str, Any]) -> None:
    assert set(night["campaigns"]) == {"cart_abandonment", "loyalty", "reactivation"}
    for campaign in night["campaigns"].values():
        assert campaign["candidates"] == sum(campaign["outcomes"].values()) > 0


@pytest.mark.timeout(2 * PATIENCE)
def test_clearing_every_task_of_the_finished_night_sends_nothing(
    night: dict[str, Any], cleared: dict[str, Any]
) -> None:
    assert cleared["mails_at_provider"] == night["mails_at_provider"]
    assert cleared["messages_accepted"] == night["messages_accepted"]
    assert cleared["campaigns"] == night["campaigns"]


@pytest.mark.timeout(2 * PATIENCE)
def test_without_airflow_the_same_night_has_the_same_figures(
    night: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = play("night", tmp_path_factory.mktemp("alone"))
    for part in ("sources", "stages", "campaigns"):
        assert alone[part] == night[part]


@pytest.mark.timeout(2 * PATIENCE)
def test_airflows_database_and_logs_know_nobody_and_no_secret(home: Path, cleared: dict[str, Any]) -> None:
    server = EmbeddedPostgres(home / "postgres")
    try:
        address = server.start()
        wanted = read_people(address.dsn("safar"))
        wanted.secrets = read_secrets(home)
        assert len(wanted.emails) > 200
        assert len(wanted.secrets) >= 7
        assert all(count > 10 for count in count_rows(address.dsn("airflow"), ["xcom", "log", "task_instance"]))
        assert scan_database(wanted, address.dsn("airflow")) == {}
    finally:
        server.stop()
    assert any((home / "airflow" / "logs").rglob("*.log"))
    assert scan_folder(wanted, home, OWN_HOMES) == {}


@pytest.mark.timeout(2 * PATIENCE)
def test_no_process_is_left_behind(home: Path, cleared: dict[str, Any]) -> None:
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(home) in " ".join(process.info["cmdline"] or [])
    ]
    assert left == []
