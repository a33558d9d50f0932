"""A small company after a day, on real PostgreSQL and with real vendors, in which somebody wants to be forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.erasure.people import NOW, Company, Vendors, listen

from safar.catalogue import Catalogue, load_catalogue
from safar.clock import SandboxClock
from safar.connections import EnvironmentConnections
from safar.night.in_process import NightPlayer
from safar.night.timetable import draw_day
from safar.services.company import START
from safar.services.postgres import PostgresAddress
from safar.services.stack import Stack
from safar.settings import Settings
from safar.warehouse import describe_warehouse, write_manifest
from safar.workspace import Workspace

PEOPLE = 150


@dataclass
class Played:
    """A company whose clock can be moved on, night by night."""

    stack: Stack
    workspace: Workspace
    catalogue: Catalogue
    lines: list[str] = field(default_factory=list)

    @property
    def player(self) -> NightPlayer:
        return NightPlayer(self.workspace, self.catalogue, self.stack.company.move_clock, self.lines.append)

    def play_day(self, number: int) -> None:
        """The build at 02:00, the morning's mails and an hour of carts."""
        for moment in draw_day(self.catalogue, (START + timedelta(days=number)).date())[:3]:
            self.stack.company.move_clock(moment.at)
            self.player.play_moment(moment)
        assert not [line for line in self.lines if "FAILED" in line], self.lines

    def query(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.workspace.warehouse.dsn, autocommit=True) as warehouse:
            cursor = warehouse.execute(statement, values or None)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def as_owner(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.owner_dsn, autocommit=True) as owner:
            cursor = owner.execute(statement, values or None)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    @property
    def owner_dsn(self) -> str:
        home = self.workspace.settings.home
        address = PostgresAddress(self.stack.ports["postgres"], (home / "postgres.password").read_text().strip())
        return address.dsn("safar")

    def list_mentions(self, words: list[str]) -> list[str]:
        """Every table of every schema, and every file below the home, that holds one of the words."""
        found = []
        with psycopg.connect(self.owner_dsn) as owner:
            tables = owner.execute(
                "select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
                "where relkind in ('r', 'm', 'p') and nspname not in ('pg_catalog', 'information_schema') "
                "and nspname not like 'pg\\_%'"
            ).fetchall()
            for schema, table in tables:
                statement = sql.SQL("select told::text from {} as told").format(sql.Identifier(schema, table))
                text = "\n".join(row[0] for row in owner.execute(statement) if row[0]).lower()
                found += [f"{schema}.{table}: {word}" for word in words if word.lower() in text]
        home = self.workspace.settings.home
        for path in sorted(home.rglob("*")):
            if path.is_file() and not {"postgres", "sandbox", "exports"} & set(path.relative_to(home).parts):
                text = path.read_bytes().lower()
                found += [f"{path}: {word}" for word in words if word.lower().encode() in text]
        return found


@contextmanager
def start_company(home: Path, people: int, sources: str = "") -> Iterator[Played]:
    """A new company of that many people, in processes of its own, with these sources connected."""
    sandbox = {"SAFAR_HOME": str(home), "SAFAR_CLOCK": "sandbox", "SAFAR_ENVIRONMENT": "sandbox"}
    settings = Settings.from_environment({**os.environ, **sandbox})
    with Stack(settings, people, 1, lambda _: None, sources=sources) as stack:
        stack.start_data()
        clock = SandboxClock(stack.company.base_url)
        workspace = Workspace(settings, EnvironmentConnections(stack.environment), clock)
        write_manifest(settings, describe_warehouse(workspace))
        yield Played(stack, workspace, load_catalogue(settings))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with start_company(tmp_path_factory.mktemp("erasure"), PEOPLE) as company:
        yield company


@pytest.fixture
def vendors(connections: dict[str, dict[str, object]]) -> Iterator[Vendors]:
    with listen() as vendors:
        at = {"conn_type": "http", "host": vendors.url, "password": "secret"}
        connections |= {
            "hubspot_write": at,
            "shopify_write": {**at, "login": "id", "extra": {"api_version": "2026-07"}},
            "sendgrid": {**at, "extra": {}},
        }
        yield vendors


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace], vendors: Vendors) -> Workspace:
    return open_workspace(NOW)


@pytest.fixture
def company(database: str, workspace: Workspace) -> Company:
    company = Company(database, workspace.warehouse.dsn, load_catalogue(workspace.settings))
    company.add_people()
    return company
