"""Judges the messages that are about to be planned, before anything of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from safar.delivery.pending import PendingRun, list_pending_runs, open_warehouse
from safar.delivery.publishing import compile_all
from safar.delivery.sql import read_statement
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Catalogue
    from safar.quality import SuiteResult

SUITE_FOR_ALL = "every_campaign.yml"


@dataclass(frozen=True)
class OutgoingReport:
    """What the suites said, or that there was nothing to judge."""

    campaign: str
    row_count: int
    result: SuiteResult | None

    def describe(self) -> str:
        if self.result is None:
            return f"{self.campaign}: nothing is about to be planned."
        return f"{self.campaign}: {self.row_count} rows about to be planned. {self.result.describe()}"


def check_outgoing(workspace: Workspace, campaign: str, catalogue: Catalogue) -> OutgoingReport:
    """Runs expectations/outgoing/every_campaign.yml and <campaign>.yml, if there is one, over the pending rows.

    Raises:
        CheckFailed: a rule of severity critical is broken; the message names table, rule and hashed keys.
    """
    with workspace.open_ledger() as ledger, open_warehouse(workspace) as warehouse:
        pending = list_pending_runs(ledger, warehouse, campaign)
        if not pending:
            return OutgoingReport(campaign, 0, None)
        query = _write_query(warehouse, workspace, campaign, catalogue, pending)
    from safar.quality import run_suite

    result = run_suite(
        workspace,
        _list_suites(workspace, campaign),
        dsn=workspace.warehouse.dsn,
        table=f"outgoing_{campaign}",
        query=query,
        run_name=pending[-1].run_id,
    )
    result.require_success()
    return OutgoingReport(campaign, sum(run.decision_count for run in pending), result)


def _list_suites(workspace: Workspace, campaign: str) -> list[Path]:
    folder = workspace.settings.expectations / "outgoing"
    own = folder / f"{campaign}.yml"
    return [folder / SUITE_FOR_ALL, *([own] if own.is_file() else [])]


def _write_query(
    warehouse: psycopg.Connection[Any],
    workspace: Workspace,
    campaign: str,
    catalogue: Catalogue,
    pending: list[PendingRun],
) -> str:
    """The query as text, because Great Expectations runs it on a connection of its own."""
    required = sorted(
        {(content.template, name) for content in compile_all(workspace, catalogue) for name in content.required}
    )
    run_ids = [run.run_id for run in pending]
    statement = sql.SQL(read_statement("outgoing_rows")).format(
        templates=sql.Literal([template for template, _ in required]),
        fields=sql.Literal([name for _, name in required]),
        run_ids=sql.Literal(run_ids),
        campaign=sql.Literal(campaign),
        numbers=sql.SQL("").join(_list_numbers(warehouse, campaign, run_ids)),
    )
    return statement.as_string(warehouse)


def _list_numbers(warehouse: psycopg.Connection[Any], campaign: str, run_ids: list[str]) -> list[sql.Composed]:
    """The audience's numeric fields as columns, for the campaign's own suite."""
    rows = warehouse.execute(
        """
        select distinct field.key
        from decisions.fct_decisions as decision
        cross join lateral jsonb_each(decision.fields) as field
        where
            decision.run_id = any(%s)
            and decision.campaign = %s
            and decision.outcome = 'send'
            and jsonb_typeof(field.value) = 'number'
        order by field.key
        """,
        [run_ids, campaign],
    ).fetchall()
    column = (
        ",\n    case jsonb_typeof(decision.fields -> {key}) "
        "when 'number' then (decision.fields ->> {key})::numeric end as {name}"
    )
    return [sql.SQL(column).format(key=sql.Literal(row[0]), name=sql.Identifier(row[0])) for row in rows]
