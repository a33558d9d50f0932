"""The runs of a campaign whose `send` decisions still wait to be planned, and the decisions themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL

from safar.workspace import Workspace

COLUMNS = SQL(
    "run_id, run_sequence, step, contact_id, occurrence_key, channel, template, class, topic, priority, "
    "entry_occurred_at, due_at, expires_at, locale, fields"
)


@dataclass(frozen=True)
class PendingRun:
    """A run that decided to send and was not planned yet. Planning takes a run as a whole."""

    run_id: str
    sequence: int
    decision_count: int


@contextmanager
def open_warehouse(workspace: Workspace) -> Iterator[psycopg.Connection[Any]]:
    """The warehouse, which may or may not be the ledger's database; read only."""
    with psycopg.connect(workspace.warehouse.dsn, options="-c timezone=UTC", application_name="safar plan") as opened:
        opened.read_only = True
        yield opened


def list_pending_runs(
    ledger: psycopg.Connection[Any], warehouse: psycopg.Connection[Any], campaign: str
) -> list[PendingRun]:
    """Oldest first. The ledger knows which runs are planned, the warehouse which have something to send."""
    unplanned = ledger.execute(
        """
        select run.run_id
        from ledger.run
        where
            run.cadence <> 'replay'
            and not exists (
                select from ledger.plan_result
                where plan_result.run_id = run.run_id and plan_result.campaign = %s
            )
        """,
        [campaign],
    ).fetchall()
    rows = warehouse.execute(
        """
        select run_id, min(run_sequence), count(*)
        from decisions.fct_decisions
        where run_id = any(%s) and campaign = %s and outcome = 'send'
        group by run_id
        order by 2
        """,
        [[row[0] for row in unplanned], campaign],
    ).fetchall()
    return [PendingRun(*row) for row in rows]


def stream_decisions(
    ledger: psycopg.Connection[Any], warehouse: psycopg.Connection[Any], campaign: str, run: PendingRun
) -> None:
    """Copies the run's send decisions into the temporary table ``decision`` of the ledger's session, unread."""
    ledger.execute(
        """
        create temporary table if not exists decision (
            run_id text, run_sequence bigint, step text, contact_id text, occurrence_key text, channel text,
            template text, class text, topic text, priority int, entry_occurred_at timestamptz, due_at timestamptz,
            expires_at timestamptz, locale text, fields jsonb
        ) on commit drop
        """
    )
    ledger.execute("truncate decision")
    selection = SQL(
        "copy (select {columns} from decisions.fct_decisions "
        "where run_id = %s and campaign = %s and outcome = 'send') to stdout"
    ).format(columns=COLUMNS)
    with (
        warehouse.cursor().copy(selection, [run.run_id, campaign]) as source,
        ledger.cursor().copy(SQL("copy decision ({columns}) from stdin").format(columns=COLUMNS)) as target,
    ):
        for block in source:
            target.write(block)
    ledger.execute("analyze decision")
