"""Settles messages whose call had no answer: an event proves them accepted, silence ends in a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from safar.feedback.settings import read_feedback_settings
from safar.ledger.proof import accept_proven
from safar.workspace import Workspace

# An event settles a message when it comes in, also one presumed lost. Left over are those whose event came
# while the call was still open.
FIND_PROVEN = """
select message.message_id
from ledger.message as message
where
    message.is_unknown
    and exists (select from ledger.provider_event as event where event.message_id = message.message_id)
"""

# A transactional message that may still matter gets one more attempt: a second receipt harms less than none.
# A marketing one is given up: it may have arrived, and nobody is written to twice.
CLOSE_SILENT = """
with silent as materialized (
    select
        message_id,
        case
            when class = 'transactional' and attempt_count <= 1 and expires_at > %(now)s then 'planned'
            else 'presumed_lost'
        end as verdict
    from ledger.message as message
    where
        is_unknown
        and attempted_at <= %(now)s - %(grace)s
        and not exists (select from ledger.provider_event as event where event.message_id = message.message_id)
    order by message_id
    for update skip locked
),

closed as (
    update ledger.message as message
    set
        state = silent.verdict,
        reason = case silent.verdict when 'planned' then 'one more attempt' else 'no event in the grace time' end,
        claimed_at = case silent.verdict when 'planned' then null else message.claimed_at end,
        claimed_by = null,
        lease_until = null,
        state_at = clock_timestamp()
    from silent
    where message.message_id = silent.message_id
    returning message.state
)

select
    count(*) filter (where state = 'presumed_lost') as lost_count,
    count(*) filter (where state = 'planned') as retried_count
from closed
"""

COUNT_WAITING = "select count(*) from ledger.message where is_unknown"


@dataclass(frozen=True)
class SettleReport:
    """What became of messages of unknown fate; those within the grace time go on waiting."""

    accepted_count: int
    lost_count: int
    retried_count: int
    waiting_count: int

    def describe(self) -> str:
        if not any((self.accepted_count, self.lost_count, self.retried_count, self.waiting_count)):
            return "no message of unknown fate"
        return (
            f"unknown messages: {self.accepted_count} proven accepted, {self.lost_count} presumed lost, "
            f"{self.retried_count} attempted once more, {self.waiting_count} waiting for an event"
        )


def settle_unknown(workspace: Workspace) -> SettleReport:
    """Settles what can be settled by now; safe to run at any time and beside itself, dispatch and intake.

    Rows that a dead dispatcher left claimed or attempting are dispatch's to recover, and come here as unknown.
    """
    settings = read_feedback_settings(workspace)
    now = workspace.clock.now()
    with workspace.open_ledger() as connection:
        proven = [row[0] for row in connection.execute(FIND_PROVEN)]
        accepted_count = accept_proven(connection, proven)
        closed = _close_silent(connection, now, {"now": now, "grace": settings.grace})
        waiting = connection.execute(COUNT_WAITING).fetchone()
    return SettleReport(accepted_count, closed[0], closed[1], waiting[0] if waiting else 0)


def _close_silent(connection: psycopg.Connection, now: datetime, values: dict[str, Any]) -> tuple[int, int]:
    row = connection.execute(CLOSE_SILENT, values).fetchone()
    return (row[0], row[1]) if row else (0, 0)
