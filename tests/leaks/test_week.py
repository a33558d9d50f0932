"""A week of nights in one process: no log, no Data Doc, no target knows anybody, and no secret is written down."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.leaks.scanner import OWN_HOMES, Wanted, read_people, read_secrets, scan_folder

from safar.services.company import SENDGRID_KEY
from safar.services.postgres import EmbeddedPostgres
from safar.services.vendors import HUBSPOT_TOKEN, META_TOKEN, SHOP_SECRET
from safar.settings import PROJECT_ROOT

PEOPLE, NIGHTS = "200", "7"
PATIENCE = 2400


@dataclass(frozen=True)
class Week:
    """What is left of a week, and whom it was about."""

    home: Path
    output: str
    wanted: Wanted


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    home = tmp_path_factory.mktemp("week")
    environment = {**os.environ, "SAFAR_HOME": str(home), "PEOPLE": PEOPLE, "NIGHTS": NIGHTS}
    safar = Path(sys.executable).with_name("safar")
    done = subprocess.run([safar, "night"], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-4000:]
    yield Week(home, output, read_wanted(home))
    shutil.rmtree(home, ignore_errors=True)


def read_wanted(home: Path) -> Wanted:
    server = EmbeddedPostgres(home / "postgres")
    try:
        wanted = read_people(server.start().dsn("safar"))
    finally:
        server.stop()
    wanted.secrets = read_secrets(home) | {HUBSPOT_TOKEN, META_TOKEN, SENDGRID_KEY, SHOP_SECRET}
    return wanted


@pytest.mark.timeout(PATIENCE)
def test_there_was_something_to_leak(week: Week) -> None:
    assert len(week.wanted.emails) > 100
    assert len(week.wanted.phones) > 20
    assert len(week.wanted.names) > 100
    assert len(week.wanted.secrets) >= 7
    kept = {path.relative_to(week.home).parts[0] for path in week.home.rglob("*") if path.is_file()}
    assert {"logs", "data_docs", "dbt"} <= kept


@pytest.mark.timeout(PATIENCE)
def test_nothing_that_a_week_of_nights_writes_knows_a_person_or_a_secret(week: Week) -> None:
    assert scan_folder(week.wanted, week.home, OWN_HOMES) == {}
    assert scan_folder(week.wanted, PROJECT_ROOT / "dbt_project" / "target") == {}
    assert week.wanted.find(week.output) == set()
