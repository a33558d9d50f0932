"""The simulated company a day apart: what each source brings at first, and what the next load brings."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg import sql
from tests.conftest import LOGINS, describe_login

from safar.catalogue import load_catalogue
from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.extraction import check_load, land_source
from safar.ledger.logins import DBT, TASKS, hand_over_warehouse
from safar.services.company import START, Company
from safar.services.postgres import PostgresAddress
from safar.services.vendors import ACCOUNTS, describe_vendors
from safar.settings import PROJECT_ROOT, Settings
from safar.workspace import Workspace

PEOPLE = 150
MANY = 1_000_000
FIRST = START + timedelta(hours=2)
NEXT = FIRST + timedelta(days=1)
SOURCES: dict[str, Source] = {
    name: source
    for name, source in load_catalogue(Settings.from_environment()).sources.items()
    if any(table.extract.endpoint for table in source.tables)
}
Rows = dict[str, list[str]]


def name_vendor(source: str) -> str:
    """What the sandbox calls the vendor behind a source: the first part of its address."""
    return ACCOUNTS[source].path.split("/")[1]


@dataclass
class Landing:
    """A warehouse of its own with a ledger, into which one source is landed."""

    source: Source
    dsn: str
    workspace: Workspace
    quarantined: int = 0

    def load(self) -> None:
        """Lands what is new and checks it."""
        report = land_source(self.workspace, self.source)
        check_load(self.workspace, self.source, report.load_id)
        self.quarantined += report.quarantined

    def read(self) -> Rows:
        """The rows that hold now, by table, without what says when they were landed."""
        found: Rows = {}
        with psycopg.connect(self.dsn) as connection:
            for table in self.source.tables:
                statement = sql.SQL(
                    "select (to_jsonb(held) - array['_dlt_id', '_dlt_load_id', '_dlt_valid_from', '_dlt_valid_to'])::text"
                    " from {} as held where _dlt_valid_to is null and not coalesce(_deleted, false) order by 1"
                ).format(sql.Identifier(self.source.schema_name, table.name))
                found[table.name] = [row[0] for row in connection.execute(statement)]
        return found

    def has_landed(self) -> bool:
        """Whether any row of the source has reached the warehouse."""
        with psycopg.connect(self.dsn) as connection:
            schema = connection.execute("select to_regnamespace(%s)", [self.source.schema_name]).fetchone()
        return bool(schema and schema[0]) and any(self.read().values())


@dataclass(frozen=True)
class Truth:
    """What a load that nothing disturbs leaves behind, and how often it calls the vendor."""

    rows: Rows
    quarantined: int
    calls: int


@dataclass
class World:
    """The company, and the warehouses that know it."""

    company: Company
    postgres: PostgresAddress
    home: Path
    known: dict[str, str] = field(default_factory=dict)
    """Source -> the database in which its first load stands."""
    truths: dict[tuple[str, bool], Truth] = field(default_factory=dict)

    def break_with(self, name: str, source: str, **options: Any) -> None:
        body = {"name": name, "vendor": name_vendor(source), **options}
        requests.post(f"{self.company.base_url}/faults", json=body, timeout=10).raise_for_status()

    def list_faults(self) -> list[dict[str, Any]]:
        """Those that are still switched on."""
        active: list[dict[str, Any]] = requests.get(f"{self.company.base_url}/faults", timeout=10).json()["active"]
        return active

    def mend(self) -> None:
        requests.delete(f"{self.company.base_url}/faults", timeout=10).raise_for_status()

    @contextmanager
    def open(self, source: str, *, is_first: bool, keep_as: str | None = None) -> Iterator[Landing]:
        """A warehouse that knows nothing of the source yet, or one that has had its first load."""
        name = keep_as or f"source_{uuid.uuid4().hex[:12]}"
        template = "template_ledger" if is_first else self.known[source]
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
            )
            dsn = self.postgres.dsn(name)
            hand_over_warehouse(dsn, LOGINS[DBT])
            yield Landing(SOURCES[source], dsn, self._open_workspace(name, is_first=keep_as is not None))
            if keep_as is None:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def read_truth(self, source: str, *, is_first: bool) -> Truth:
        """What an undisturbed load leaves behind."""
        if (source, is_first) not in self.truths:
            with self.open(source, is_first=is_first) as landing:
                self.break_with("slow", source, count=MANY, seconds=0)
                landing.load()
                [counting] = self.list_faults()
                self.mend()
                truth = Truth(landing.read(), landing.quarantined, MANY - int(counting["count"]))
                self.truths[source, is_first] = truth
        return self.truths[source, is_first]

    def _open_workspace(self, database: str, *, is_first: bool) -> Workspace:
        connections = {
            "safar_warehouse": describe_login(self.postgres, LOGINS[DBT], database),
            "safar_ledger": describe_login(self.postgres, LOGINS[TASKS], database),
            "safar_address_key": {"conn_type": "generic", "password": "test-address-key", "extra": {"key_id": "test"}},
            **describe_vendors(self.company, "", ACCOUNTS),
        }
        environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
        settings = Settings.model_validate(
            {"home": self.home / database, "environment": "sandbox", "project_root": PROJECT_ROOT}
        )
        return Workspace(settings, EnvironmentConnections(environment), FixedClock(FIRST if is_first else NEXT))


@pytest.fixture(scope="session")
def world(postgres: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small company without limits, a day after every source was landed for the first time."""
    home = tmp_path_factory.mktemp("world")
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(home / "company")]
    command += ["--people", str(PEOPLE), "--start", START.isoformat(), "--no-limits"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line + process.stdout.read()
        world = World(Company(line.split()[-1]), postgres, home)
        world.company.move_clock(FIRST)
        for source in SOURCES:
            with world.open(source, is_first=True, keep_as=f"known_{source}") as landing:
                landing.load()
            world.known[source] = f"known_{source}"
        world.company.move_clock(NEXT)
        yield world
    finally:
        process.terminate()
        process.wait(20)
