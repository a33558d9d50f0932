"""A real PostgreSQL for every test that asks for one."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.machine import list_left_out
from xdist.scheduler import LoadFileScheduling

from safar.clock import FixedClock
from safar.connections import Connection, EnvironmentConnections
from safar.ledger.logins import DBT, TASKS, WEB, ensure_logins, hand_over_warehouse
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database
from safar.settings import Settings
from safar.workspace import Workspace

LOGINS = {
    DBT: "test_warehouse",
    TASKS: "test_tasks",
    WEB: "test_web",
    ("safar_build",): "test_build",
    ("safar_deliver",): "test_deliver",
}
# Where tests are of one half of the work, its verbs have the rights of that half alone.
LOGIN_OF_AREA = {
    "extraction": "test_build",
    "warehouse": "test_build",
    "delivery": "test_deliver",
    "feedback": "test_deliver",
}
PASSWORD = "a-password-of-tests"
NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
collect_ignore = list(list_left_out())


JOURNEY = "tests/journey/"
LONGEST = (JOURNEY, "tests/sources/")


class OneAirflowAtATime(LoadFileScheduling):
    """A file's tests share a worker, and all files that start a whole Airflow share one: two starve each other."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEY if nodeid.startswith(JOURNEY) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneAirflowAtATime:
    return OneAirflowAtATime(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with it."""
    items.sort(
        key=lambda item: next((at for at, long in enumerate(LONGEST) if item.nodeid.startswith(long)), len(LONGEST))
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, reason in list_left_out().items():
        terminalreporter.write_line(f"NOT RUN on this machine: tests/{name}, because {reason}.")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresAddress]:
    """One embedded server for the test session, with a template database that holds a fresh ledger."""
    folder = Path(tempfile.mkdtemp(prefix="safar-postgres-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        address = server.start()
        template = ensure_database(address, "template_ledger")
        migrate_ledger(template)
        create_logins(address, template)
        yield address
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: PostgresAddress) -> Iterator[str]:
    """The DSN of an own database with a fresh ledger, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template_ledger").format(sql.Identifier(name)))
        yield postgres.dsn(name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def create_logins(address: PostgresAddress, ledger: str) -> None:
    """Creates a server's logins of all parts; they hold for each of its databases that has a ledger.

    Args:
        ledger: the owner's DSN of such a database.
    """
    ensure_logins(ledger, {groups: log_in(address, login, "") for groups, login in LOGINS.items()})
    with psycopg.connect(ledger) as connection:
        # Tests put rows where dlt and dbt would have put them.
        connection.execute(f"grant pg_read_all_data to {LOGINS[DBT]}")


def log_in(address: PostgresAddress, login: str, database: str) -> Connection:
    return Connection(
        conn_id=login, host="127.0.0.1", port=address.port, login=login, password=PASSWORD, schema=database
    )


def describe_login(address: PostgresAddress, login: str, database: str) -> dict[str, object]:
    """A part's login in Airflow's JSON form."""
    return {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": address.port,
        "login": login,
        "password": PASSWORD,
        "schema": database,
    }


@pytest.fixture
def connections(
    postgres: PostgresAddress, database: str, request: pytest.FixtureRequest
) -> dict[str, dict[str, object]]:
    """Connections by id in Airflow's JSON form, each part with its own login and no more rights than it has in life.

    Tests add or change entries before opening a workspace; with `database` they write as the owner.
    """
    hand_over_warehouse(database, LOGINS[DBT])
    name = str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])

    def describe(login: str) -> dict[str, object]:
        return describe_login(postgres, login, name)

    return {
        "safar_warehouse": describe(LOGINS[DBT]),
        "safar_ledger": describe(LOGIN_OF_AREA.get(request.path.parent.name, LOGINS[TASKS])),
        "safar_intake_ledger": describe(LOGINS[WEB]),
        "safar_address_key": {"conn_type": "generic", "password": "test-address-key", "extra": {"key_id": "test"}},
        "safar_intake": {"conn_type": "http", "host": "http://127.0.0.1:1", "password": "test-token-key"},
    }


@pytest.fixture
def open_workspace(connections: dict[str, dict[str, object]], tmp_path: Path) -> Callable[..., Workspace]:
    """Opens a workspace on the test's database; business time stands at 02:00 until the test moves it."""

    def open_at(at: datetime = NIGHT, **settings: object) -> Workspace:
        environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
        chosen = Settings.model_validate({"home": tmp_path / "home", "environment": "sandbox", **settings})
        return Workspace(chosen, EnvironmentConnections(environment), FixedClock(at))

    return open_at


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace()
