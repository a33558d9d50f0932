"""Decides a past run again, in schemas of its own, from what that run was pinned to, and compares row by row.

Nothing that was learned after the pin is seen: sources by their versions, the ledger by when rows were recorded and by
the run's sequence, earlier decisions by their runs'. What the replay cannot bring back is the code of then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from safar.audit.comparing import DECISIONS, ENTRIES, Comparison, compare_table
from safar.catalogue import Catalogue, plan_decisions
from safar.errors import SafarError
from safar.ledger.access import record_access
from safar.ledger.tombstones import Hasher, read_tombstones
from safar.warehouse import Pin, compute_rules_version, describe_warehouse, read_pin
from safar.warehouse.dbt import Progress, run_dbt
from safar.warehouse.decide import list_blocked
from safar.warehouse.results import list_red, read_results
from safar.workspace import Workspace

PREFIX = "replay_"
SCRATCH = sql.Identifier(f"{PREFIX}decisions")
LIST_SCHEMAS = r"select nspname from pg_namespace where nspname like 'replay\_%'"
LOCK = "select pg_advisory_lock(hashtext('safar.replay'))"
HAS_DECIDED = "select exists (select from decisions.fct_decisions where run_id = %s)"


@dataclass(frozen=True)
class ReplayReport:
    """What a replay found. ``erased_count`` rows differ because their people are erased, and no other way."""

    run_id: str
    comparisons: tuple[Comparison, ...]
    is_same_rules: bool

    @property
    def differing_count(self) -> int:
        return sum(comparison.differing_count for comparison in self.comparisons)

    @property
    def erased_count(self) -> int:
        return sum(comparison.erased_count for comparison in self.comparisons)

    def describe(self) -> str:
        """The figures, the first differences by key and column (never by value), and what could explain them."""
        counted = ", ".join(f"{one.row_count} {one.table.name}" for one in self.comparisons)
        lines = [f"Replayed {self.run_id} ({counted}): {self.differing_count} rows differ."]
        lines += [f"  {difference}" for one in self.comparisons for difference in one.first]
        if self.erased_count:
            lines.append(f"{self.erased_count} rows of erased people are left out of this count.")
        if not self.is_same_rules:
            lines.append(
                "The rules (dbt project, templates, version of safar) are not those of then: a difference may be "
                "theirs. Check out the revision that ran, and replay there."
            )
        return "\n".join(lines)


def replay_run(
    workspace: Workspace,
    catalogue: Catalogue,
    run_id: str,
    *,
    progress: Progress | None = None,
) -> ReplayReport:
    """Builds and decides the run again and compares its entries and decisions with those that stand.

    Rows of people who have been erased since cannot come back; they are counted apart.

    Raises:
        NotPinned: there is no such run.
        SafarError: the run has decided nothing, or a model is red.
    """
    pin = read_pin(workspace, run_id)
    with workspace.open_ledger() as ledger:
        record_access(ledger, "replay", "run", run_id)
        ledger.commit()
        ledger.execute(LOCK)
        ledger.commit()
        with _scratch_schemas(workspace, pin) as warehouse:
            _build(workspace, pin, catalogue, progress)
            is_erased = read_tombstones(ledger, Hasher.open(workspace)).is_about
            ledger.commit()
            comparisons = tuple(
                compare_table(warehouse, table, run_id, f"{PREFIX}decisions", is_erased)
                for table in (ENTRIES, DECISIONS)
            )
    return ReplayReport(run_id, comparisons, compute_rules_version(workspace.settings) == pin.rules_version)


@contextmanager
def _scratch_schemas(workspace: Workspace, pin: Pin) -> Iterator[psycopg.Connection[Any]]:
    """Schemas that hold what earlier runs decided, and nothing else; gone afterwards."""
    with psycopg.connect(workspace.warehouse.dsn, autocommit=True, options="-c timezone=UTC") as warehouse:
        row = warehouse.execute(HAS_DECIDED, [pin.run_id]).fetchone()
        if not row or not row[0]:
            raise SafarError(
                f"The run {pin.run_id} has decided nothing, or its decisions are gone: nothing to compare."
            )
        _drop_scratch(warehouse)
        try:
            warehouse.execute(sql.SQL("create schema {}").format(SCRATCH))
            for table in (ENTRIES, DECISIONS):
                _copy_earlier(warehouse, table.name, pin)
            yield warehouse
        finally:
            _drop_scratch(warehouse)


def _copy_earlier(warehouse: psycopg.Connection[Any], name: str, pin: Pin) -> None:
    names = {"scratch": SCRATCH, "table": sql.Identifier(name)}
    warehouse.execute(
        sql.SQL("create table {scratch}.{table} (like decisions.{table} including indexes)").format(**names)
    )
    warehouse.execute(
        sql.SQL("insert into {scratch}.{table} select * from decisions.{table} where run_sequence < %s").format(
            **names
        ),
        [pin.sequence],
    )
    warehouse.execute(sql.SQL("analyze {scratch}.{table}").format(**names))


def _drop_scratch(warehouse: psycopg.Connection[Any]) -> None:
    for (schema,) in warehouse.execute(LIST_SCHEMAS).fetchall():
        warehouse.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


def _build(workspace: Workspace, pin: Pin, catalogue: Catalogue, progress: Progress | None) -> None:
    environment = {
        **describe_warehouse(workspace),
        "SAFAR_SCHEMA_PREFIX": PREFIX,
        "SAFAR_PIN": pin.to_json(list_blocked(workspace, pin, catalogue), is_replay=True),
        "SAFAR_CAMPAIGNS": json.dumps(plan_decisions(catalogue)),
    }
    # Tests judged the run when it was built; here its rows are compared one by one.
    command = ["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    for selection in (
        ["--select", f"tag:{pin.target}", "--exclude", "path:models/decisions"],
        ["--select", "path:models/decisions"],
    ):
        results = run_dbt(
            workspace.settings,
            [*command, *selection],
            target=pin.target,
            target_path=workspace.settings.home / "dbt" / "replay",
            environment=environment,
            progress=progress,
        )
        red = [f"\n  {one.node}: {one.message}" for one in list_red(read_results(results))]
        if red:
            raise SafarError(f"The replay of {pin.run_id} could not build:{''.join(red)}")
