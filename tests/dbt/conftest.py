"""A warehouse with the declared raw tables, filled row by row, on which the real dbt project is built."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from safar.catalogue.source import read_sources
from safar.services.postgres import PostgresAddress
from safar.settings import Settings
from safar.warehouse.dbt import run_dbt

sys.path.insert(0, str(Path(__file__).parent))

from raw_tables import create_raw_tables

LEARNED_AT = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class ScratchWarehouse:
    """One database; `build` runs dbt as a pinned run would."""

    dsn: str
    settings: Settings

    def land(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds versions to ``raw_<source>.<table>``, learned long ago unless they say when."""
        schema, name = table.split(".")
        with psycopg.connect(self.dsn, autocommit=True) as connection:
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
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for source in read_sources(self.settings.dbt_project).values():
                for table in source.tables:
                    connection.execute(
                        sql.SQL("truncate {}.{}").format(
                            sql.Identifier(f"raw_{source.name}"), sql.Identifier(table.name)
                        )
                    )

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
        known = (known_at or as_of).isoformat()
        parts = psycopg.conninfo.conninfo_to_dict(self.dsn)
        names = [*read_sources(self.settings.dbt_project), "ledger"]
        pin = {
            "run_id": f"build_{cadence}/test",
            "sequence": 1,
            "cadence": cadence,
            "as_of": as_of.isoformat(),
            "known_at": dict.fromkeys(names, known),
            "blocked_campaigns": [],
        }
        results = run_dbt(
            self.settings,
            [*command, "--vars", json.dumps(dict(variables or {}))],
            target=cadence,
            target_path=self.settings.home / "dbt" / cadence,
            environment={
                "SAFAR_PIN": json.dumps(pin),
                "SAFAR_WAREHOUSE_HOST": str(parts["host"]),
                "SAFAR_WAREHOUSE_PORT": str(parts["port"]),
                "SAFAR_WAREHOUSE_USER": str(parts["user"]),
                "SAFAR_WAREHOUSE_DATABASE": str(parts["dbname"]),
                "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": str(parts["password"]),
            },
        )
        return {one.node.name: f"{one.status}{': ' + one.message if one.message else ''}" for one in results.results}

    def build(self, select: Sequence[str], as_of: datetime, **options: Any) -> dict[str, str]:
        """Builds the selected models and their data tests; everything must be green."""
        outcome = self.run(
            ["build", "--exclude-resource-type", "unit_test", "--select", *select], as_of, **options
        )
        red = {name: status for name, status in outcome.items() if not status.startswith(("success", "pass", "warn"))}
        assert not red, red
        return outcome

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture(scope="session")
def dbt_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps what it has parsed: shared, so that the project is parsed once."""
    return tmp_path_factory.mktemp("dbt-home")


@pytest.fixture(scope="session")
def open_scratch_warehouse(postgres: PostgresAddress, dbt_home: Path) -> Iterator[Callable[[], ScratchWarehouse]]:
    """Opens warehouses with empty raw tables; they are dropped at the end."""
    names: list[str] = []

    def open_one() -> ScratchWarehouse:
        name = f"dbt_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template template_ledger").format(sql.Identifier(name))
            )
        names.append(name)
        warehouse = ScratchWarehouse(postgres.dsn(name), Settings(home=dbt_home, environment="sandbox"))
        create_raw_tables(warehouse.dsn, read_sources(warehouse.settings.dbt_project).values())
        return warehouse

    yield open_one
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def warehouse(open_scratch_warehouse: Callable[[], ScratchWarehouse]) -> ScratchWarehouse:
    return open_scratch_warehouse()
