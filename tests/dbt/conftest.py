"""A warehouse with the declared raw tables, filled row by row, on which the real dbt project is built."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunner
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from safar.catalogue.source import read_sources
from safar.services.postgres import PostgresAddress
from safar.settings import PROJECT_ROOT

sys.path.insert(0, str(Path(__file__).parent))

from raw_tables import create_raw_tables

PROJECT = PROJECT_ROOT / "dbt_project"
LEARNED_AT = datetime(2020, 1, 1, tzinfo=UTC)
GREEN = ("success", "pass", "warn")


@dataclass
class ParsedProject:
    """The project, parsed once per cadence: a run with other thresholds needs no new parse."""

    folder: Path
    manifests: dict[str, Any] = field(default_factory=dict)

    def arguments(self, cadence: str) -> list[str]:
        target_path = str(self.folder / cadence)
        return [
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", cadence),
            *("--target-path", target_path, "--log-path", target_path, "--log-level", "none"),
            *("--no-send-anonymous-usage-stats", "--no-write-json"),
        ]

    def manifest(self, cadence: str) -> Any:
        if cadence not in self.manifests:
            parsed = dbtRunner().invoke(["parse", *self.arguments(cadence)])
            assert parsed.success, parsed.exception
            self.manifests[cadence] = parsed.result
        return self.manifests[cadence]


@dataclass
class ScratchWarehouse:
    """One database; `build` runs dbt as a pinned run would."""

    dsn: str = field(repr=False)
    project: ParsedProject = field(repr=False)

    def point_dbt_here(self) -> None:
        """Sets what profiles.yml reads; dbt parses and runs in this process."""
        parts = psycopg.conninfo.conninfo_to_dict(self.dsn)
        os.environ |= {
            "SAFAR_WAREHOUSE_HOST": str(parts["host"]),
            "SAFAR_WAREHOUSE_PORT": str(parts["port"]),
            "SAFAR_WAREHOUSE_USER": str(parts["user"]),
            "SAFAR_WAREHOUSE_DATABASE": str(parts["dbname"]),
            "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": str(parts["password"]),
        }

    def land(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds versions to ``raw_<source>.<table>``, learned long ago unless they say when."""
        schema, name = table.split(".")
        with psycopg.connect(self.dsn) as connection:
            for row in rows:
                full = {"_dlt_valid_from": LEARNED_AT, "_dlt_id": uuid.uuid4().hex, **row}
                values = [Jsonb(value) if isinstance(value, (list, dict)) else value for value in full.values()]
                connection.execute(
                    sql.SQL("insert into {}.{} ({}) values ({})").format(
                        sql.Identifier(schema),
                        sql.Identifier(name),
                        sql.SQL(", ").join(map(sql.Identifier, full)),
                        sql.SQL(", ").join(sql.Placeholder() * len(full)),
                    ),
                    values,
                )

    def empty(self) -> None:
        """Takes every raw row away."""
        with psycopg.connect(self.dsn) as connection:
            for source in read_sources(PROJECT).values():
                for table in source.tables:
                    connection.execute(sql.SQL("truncate {}").format(sql.Identifier(f"raw_{source.name}", table.name)))

    def run(
        self,
        command: Sequence[str],
        as_of: datetime,
        *,
        known_at: datetime | None = None,
        cadence: str = "nightly",
        variables: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """Runs dbt as a run pinned at ``as_of`` and returns the status of each node by its name."""
        pin = {
            "run_id": f"build_{cadence}/test",
            "sequence": 1,
            "cadence": cadence,
            "as_of": as_of.isoformat(),
            "known_at": dict.fromkeys([*read_sources(PROJECT), "ledger"], (known_at or as_of).isoformat()),
            "blocked_campaigns": [],
        }
        os.environ["SAFAR_PIN"] = json.dumps(pin)
        arguments = [*command, *self.project.arguments(cadence), "--vars", json.dumps(dict(variables or {}))]
        outcome = dbtRunner(manifest=self.project.manifest(cadence)).invoke(arguments)
        assert outcome.exception is None, outcome.exception
        return {
            one.node.name: f"{one.status}{': ' + one.message if one.message else ''}" for one in outcome.result.results
        }

    def build(self, select: Sequence[str], as_of: datetime, *, with_tests: bool = True, **options: Any) -> None:
        """Builds the selected models, and their data tests if wanted; everything must be green."""
        kinds = ["--exclude-resource-type", "unit_test", *([] if with_tests else ["test"])]
        command = ["build", "--indirect-selection", "cautious", *kinds, "--select", *select]
        outcome = self.run(command, as_of, **options)
        red = {name: status for name, status in outcome.items() if not status.startswith(GREEN)}
        assert not red, red
        assert outcome, f"nothing is selected by {select}"

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture(scope="session")
def scratch_warehouse(
    postgres: PostgresAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScratchWarehouse]:
    """One database for all modules: what dbt has parsed holds for one database only."""
    name = f"dbt_{uuid.uuid4().hex[:12]}"
    database = sql.Identifier(name)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template_ledger").format(database))
        create_raw_tables(postgres.dsn(name), read_sources(PROJECT).values())
        yield ScratchWarehouse(postgres.dsn(name), ParsedProject(tmp_path_factory.mktemp("dbt")))
        connection.execute(sql.SQL("drop database {} with (force)").format(database))


@pytest.fixture(scope="module")
def warehouse(scratch_warehouse: ScratchWarehouse) -> Iterator[ScratchWarehouse]:
    """The warehouse with empty raw tables, where dbt finds it; the environment is put back afterwards."""
    before = dict(os.environ)
    scratch_warehouse.point_dbt_here()
    scratch_warehouse.empty()
    yield scratch_warehouse
    os.environ.clear()
    os.environ.update(before)
