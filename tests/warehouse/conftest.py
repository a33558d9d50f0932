"""A small project of its own: two sources, three campaigns, the project's real macros and settings."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.conftest import log_in

from safar.catalogue import Catalogue, load_catalogue
from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import PostgresAddress, ensure_database
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import Pin, build_models, pin_run, write_manifest
from safar.workspace import Workspace

TEMPLATE = "template_views"
AT = datetime.fromisoformat("2026-03-02T02:00:00+00:00")
RAW = """
create schema raw_crm;
create table raw_crm.people (
    id text, first_name text, email text, granted_at timestamptz,
    _dlt_valid_from timestamptz not null default '2026-01-01 00:00+00', _dlt_valid_to timestamptz
);
insert into raw_crm.people values
    ('1', 'Ada', 'Ada@Example.com', '2026-01-05 10:00+00'),
    ('2', 'Ben', 'ben@example.com', null),
    ('3', 'Cem', 'cem@gone.example', null);
create schema raw_shop;
create table raw_shop.orders (id text, person_id text, ordered_at timestamptz, amount bigint);
insert into raw_shop.orders values
    ('o1', '1', '2026-03-01 12:00+00', 50),
    ('o2', '2', '2025-03-01 12:00+00', 20);
insert into ledger.source_load (load_id, source, landed_at, status) values
    ('crm-1', 'crm', '2026-03-02 01:00+00', 'checked'),
    ('shop-1', 'shop', '2026-03-02 01:10+00', 'checked');
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout; tests that change its files take `own_project`."""
    return copy_project(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def own_project(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "checkout")


@pytest.fixture
def raw(database: str) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse with three people and two orders; what it writes is committed at once."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(RAW)
        yield connection


@pytest.fixture
def workspace(raw: psycopg.Connection, open_workspace: Callable[..., Workspace], project: Path) -> Workspace:
    workspace = open_workspace(project_root=project)
    write_manifest(workspace.settings)
    return workspace


@pytest.fixture
def catalogue(workspace: Workspace) -> Catalogue:
    return load_catalogue(workspace.settings)


@pytest.fixture
def pin(workspace: Workspace, catalogue: Catalogue) -> Callable[..., Pin]:
    """Pins the run of that name: ``pin("second", cadence="intraday", after=timedelta(days=1))``."""

    def pin_named(name: str, cadence: str = "nightly", after: timedelta = timedelta(0)) -> Pin:
        return pin_run(
            workspace,
            dag_id=f"build_{cadence}",
            airflow_run_id=name,
            cadence=cadence,
            as_of=AT + after,
            catalogue=catalogue,
        )

    return pin_named


@pytest.fixture
def build(workspace: Workspace, pin: Callable[..., Pin]) -> Callable[..., Pin]:
    """Pins a run and builds it."""

    def build_named(name: str, cadence: str = "nightly", after: timedelta = timedelta(0)) -> Pin:
        pinned = pin(name, cadence, after)
        build_models(workspace, pinned)
        return pinned

    return build_named


def copy_project(root: Path) -> Path:
    here = Path(__file__).parent / "project"
    shutil.copytree(here / "models", root / "dbt_project" / "models")
    shutil.copytree(here / "tests", root / "dbt_project" / "tests")
    shutil.copytree(here / "templates", root / "include" / "templates")
    shutil.copytree(PROJECT_ROOT / "dbt_project" / "macros", root / "dbt_project" / "macros")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT_ROOT / "dbt_project" / name, root / "dbt_project")
    return root


@pytest.fixture(scope="session")
def views(postgres: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A template database with every model as a view, made by dbt once, and the checkout that made it.

    What a test writes into the raw tables shows there without another build.
    """
    root = copy_project(tmp_path_factory.mktemp("views"))
    settings = root / "dbt_project" / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("+materialized: table", "+materialized: view"))
    dsn = ensure_database(postgres, TEMPLATE)
    migrate_ledger(dsn)
    workspace = open_on(dsn, root)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(RAW)
        write_manifest(workspace.settings)
        for cadence in ("nightly", "intraday"):
            catalogue = load_catalogue(workspace.settings)
            pin = pin_run(workspace, dag_id="d", airflow_run_id=cadence, cadence=cadence, as_of=AT, catalogue=catalogue)
            assert not build_models(workspace, pin).red
    return TEMPLATE, root


@pytest.fixture
def views_workspace(views: tuple[str, Path], postgres: PostgresAddress) -> Iterator[Workspace]:
    """A workspace on a copy of the template of views."""
    template, root = views
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
        as_builder = log_in(postgres, "test_build", name)
        yield open_on(postgres.dsn(name), root, as_builder.dsn)
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def open_on(dsn: str, root: Path, ledger_dsn: str | None = None) -> Workspace:
    key = {"password": "test-address-key", "extra": {"key_id": "test"}}
    declared = {"WAREHOUSE": describe(dsn), "LEDGER": describe(ledger_dsn or dsn), "ADDRESS_KEY": key}
    connections = {f"AIRFLOW_CONN_SAFAR_{name}": json.dumps(value) for name, value in declared.items()}
    settings = Settings(project_root=root, home=root / "home", environment="sandbox")
    return Workspace(settings, EnvironmentConnections(connections), FixedClock(AT))


def describe(dsn: str) -> dict[str, object]:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    login = {"host": parts["host"], "port": parts["port"], "login": parts["user"], "password": parts["password"]}
    return {**login, "schema": parts["dbname"]}
