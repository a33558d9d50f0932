"""A small project of its own: two sources, three campaigns, the project's real macros and settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from safar.catalogue import Catalogue, load_catalogue
from safar.settings import PROJECT_ROOT
from safar.warehouse import Pin, build_models, pin_run, write_manifest
from safar.workspace import Workspace

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
