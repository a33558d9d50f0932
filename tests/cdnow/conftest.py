"""A company whose shop is a file of real purchases: the project with another staging, and a workspace on it."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import lifetimes
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from safar.catalogue.campaign import Campaign
from safar.catalogue.defaults import read_defaults
from safar.catalogue.loading import Catalogue
from safar.catalogue.source import read_sources
from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.extraction import check_load, land_source
from safar.services.postgres import PostgresAddress
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import build_models, pin_run
from safar.workspace import Workspace

sys.path.insert(0, str(PROJECT_ROOT / "tests" / "dbt"))

from raw_tables import create_raw_tables

OVERLAY = Path(__file__).parent / "project"
PURCHASES = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"
# The file counts in days without a zone, in dollars, and a free disc is a purchase in the published figures.
COMPANY = {
    "time_zone: Europe/Berlin": "time_zone: UTC",
    "currency: EUR": "currency: USD",
    "count_free_orders: false": "count_free_orders: true",
}
MODELS = (
    "+fct_purchase_summaries",
    "+fct_cohort_retention",
    "+fct_rfm",
    "+dim_lifecycle_stage_days",
    "+audience_reactivation",
)


@dataclass
class Replay:
    """Plays nights of the company, each by the same verbs as any other night."""

    dsn: str
    settings: Settings
    connections: EnvironmentConnections

    def play(self, night: date, *, with_tests: bool) -> None:
        """Lands what the file shows by the end of the day, checks it, pins the run and builds.

        Args:
            with_tests: runs the models' data tests too; they take most of the time.
        """
        as_of = datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(days=1)
        workspace = Workspace(self.settings, self.connections, FixedClock(as_of))
        sources = read_sources(self.settings.dbt_project)
        campaigns: dict[str, Campaign] = {}
        catalogue = Catalogue(sources=sources, campaigns=campaigns, defaults=read_defaults(self.settings.dbt_project))
        report = land_source(workspace, sources["cdnow"])
        check_load(workspace, sources["cdnow"], report.load_id)
        pin = pin_run(
            workspace,
            dag_id="build_nightly",
            airflow_run_id=f"night_{night}",
            cadence="nightly",
            as_of=as_of,
            catalogue=catalogue,
        )
        kinds = ("",) if with_tests else (",resource_type:model", ",resource_type:seed")
        built = build_models(workspace, pin, select=[model + kind for model in MODELS for kind in kinds])
        assert not built.red, built.describe()

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute(statement, parameters).fetchall()


def compose_project(root: Path) -> None:
    """Lays this company's staging over a copy of the project; everything behind staging stays as it is."""
    project = root / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(OVERLAY, project, dirs_exist_ok=True)
    settings = (project / "dbt_project.yml").read_text()
    for ours, theirs in COMPANY.items():
        assert settings.count(ours) == 1, ours
        settings = settings.replace(ours, theirs)
    (project / "dbt_project.yml").write_text(settings)


@pytest.fixture(scope="module")
def replay(postgres: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    root = tmp_path_factory.mktemp("cdnow")
    compose_project(root)
    files = root / "files"
    files.mkdir()
    shutil.copy(PURCHASES, files)
    name = f"cdnow_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template_ledger").format(sql.Identifier(name)))
        dsn = postgres.dsn(name)
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
        warehouse = {
            "conn_type": "postgres",
            "host": parts["host"],
            "port": int(str(parts["port"])),
            "login": parts["user"],
            "password": parts["password"],
            "schema": name,
        }
        settings = Settings(project_root=root, home=root / "home", environment="sandbox")
        vendors = [source for source in read_sources(settings.dbt_project).values() if source.name != "cdnow"]
        create_raw_tables(dsn, vendors)
        connections = {
            "safar_warehouse": warehouse,
            "safar_ledger": warehouse,
            "safar_address_key": {"conn_type": "generic", "password": "k", "extra": {"key_id": "test"}},
            "files_cdnow": {"conn_type": "generic", "extra": {"path": str(files)}},
        }
        environment = {f"AIRFLOW_CONN_{key.upper()}": json.dumps(value) for key, value in connections.items()}
        yield Replay(dsn, settings, EnvironmentConnections(environment))
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
