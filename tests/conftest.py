"""A real PostgreSQL for every test that asks for one."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database
from safar.settings import Settings
from safar.workspace import Workspace

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresAddress]:
    """One embedded server for the test session, with a template database that holds a fresh ledger."""
    folder = Path(tempfile.mkdtemp(prefix="safar-postgres-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        address = server.start()
        migrate_ledger(ensure_database(address, "template_ledger"))
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


@pytest.fixture
def connections(database: str) -> dict[str, dict[str, object]]:
    """Connections by id in Airflow's JSON form; tests add or change entries before opening a workspace."""
    parts = psycopg.conninfo.conninfo_to_dict(database)
    postgres = {
        "conn_type": "postgres",
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts["password"],
        "schema": parts["dbname"],
    }
    return {
        "safar_warehouse": postgres,
        "safar_ledger": postgres,
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
