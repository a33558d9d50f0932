"""The two identities: nobody who was a candidate, and no decision to send, gets lost between the parts.

1. Of each run and campaign: candidates = Σ outcomes, each candidate with exactly one decision.
2. Of each run and campaign: ``send`` decisions = Σ plan results, and planned = Σ states of its actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from safar.errors import SafarError
from safar.feedback.settings import read_feedback_settings
from safar.warehouse import OUTCOMES
from safar.workspace import Workspace

HAS_DECISIONS = "select to_regclass('decisions.fct_decisions') is not null as exists"
READ_DECISIONS = """
select
    run_id,
    campaign,
    max(decided_at) as decided_at,
    count(*) as decision_count,
    count(distinct (step, contact_id, occurrence_key)) as candidate_count,
    count(*) filter (where outcome = any(%(outcomes)s)) as outcome_count,
    count(*) filter (where outcome = 'send') as send_count
from decisions.fct_decisions
where %(run_id)s::text is null or run_id = %(run_id)s
group by run_id, campaign
"""
READ_PLANS = """
with results as (
    select
        run_id,
        campaign,
        count(*) as result_count,
        count(*) filter (where result = 'planned') as planned_count,
        0 as action_count
    from ledger.plan_result
    where %(run_id)s::text is null or run_id = %(run_id)s
    group by run_id, campaign
),

states as (
    select run_id, campaign, 0 as result_count, 0 as planned_count, count(*) as action_count
    from (
        select run_id, campaign
        from ledger.action
        where own_state is not null
        union all
        select action.run_id, action.campaign
        from ledger.action
        where exists (select from ledger.message where message.action_id = action.action_id)
    ) as with_state
    where
        (%(run_id)s::text is null or run_id = %(run_id)s)
        -- Mails that somebody asked for were decided by nobody; each is in the ledger because of its request.
        and run_id not in (select asked.run_id from ledger.run as asked where asked.cadence = 'on_request')
    group by run_id, campaign
)

select
    run_id,
    campaign,
    sum(result_count)::bigint as result_count,
    sum(planned_count)::bigint as planned_count,
    sum(action_count)::bigint as action_count
from (select * from results union all select * from states) as counted
group by run_id, campaign
"""


class IdentityBroken(SafarError):
    """Somebody is missing from the accounts, or is in them twice."""

    alert_kind = "identity_broken"


@dataclass(frozen=True)
class Account:
    """What one run counted for one campaign. ``decided_at`` is business time; None when no decision is left."""

    run_id: str
    campaign: str
    decided_at: datetime | None = None
    decision_count: int = 0
    candidate_count: int = 0
    outcome_count: int = 0
    send_count: int = 0
    result_count: int = 0
    planned_count: int = 0
    action_count: int = 0

    @property
    def awaits_planning(self) -> bool:
        return self.send_count > 0 and self.result_count == 0

    def find_faults(self, now: datetime, planning_time: timedelta) -> list[str]:
        """Returns in words what does not add up."""
        faults = []
        if not self.candidate_count == self.decision_count == self.outcome_count:
            faults.append(
                f"{self.candidate_count} candidates, {self.decision_count} decisions, "
                f"{self.outcome_count} known outcomes"
            )
        if self.awaits_planning:
            if self.decided_at is not None and now - self.decided_at > planning_time:
                faults.append(f"{self.send_count} send decisions of {self.decided_at:%Y-%m-%d %H:%M} never planned")
        elif self.send_count != self.result_count:
            faults.append(f"{self.send_count} send decisions, {self.result_count} plan results")
        if self.planned_count != self.action_count:
            faults.append(f"{self.planned_count} planned, {self.action_count} actions with a state")
        return faults


@dataclass(frozen=True)
class IdentityReport:
    """All accounts, none of them broken."""

    accounts: tuple[Account, ...]

    def describe(self) -> str:
        total = {
            name: sum(getattr(account, name) for account in self.accounts)
            for name in ("candidate_count", "send_count", "planned_count")
        }
        waiting = sum(account.awaits_planning for account in self.accounts)
        text = (
            f"both identities hold over {len(self.accounts)} runs of campaigns: {total['candidate_count']} candidates, "
            f"{total['send_count']} to send, {total['planned_count']} planned"
        )
        return f"{text}; {waiting} not planned yet" if waiting else text


def check_identities(workspace: Workspace, run_id: str | None = None) -> IdentityReport:
    """Checks both identities of every run and campaign, or of one run.

    Raises:
        IdentityBroken: its message is a table of what does not add up.
    """
    # The ledger first: once a plan is in it, its decisions are frozen, so no decision can change in between.
    values = {"run_id": run_id, "outcomes": list(OUTCOMES)}
    plans = _read(workspace.ledger.dsn, READ_PLANS, values)
    decisions = _read_decisions(workspace, values)
    accounts = merge_accounts([*decisions, *plans])
    now = workspace.clock.now()
    planning_time = read_feedback_settings(workspace).planning_time
    broken = [(account, faults) for account in accounts if (faults := account.find_faults(now, planning_time))]
    if broken:
        raise IdentityBroken(describe_broken(broken))
    return IdentityReport(tuple(accounts))


def merge_accounts(rows: Iterable[dict[str, Any]]) -> list[Account]:
    """Puts the counts of both sides together, by run and campaign."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        merged.setdefault((row["run_id"], row["campaign"]), {}).update(row)
    return [Account(**values) for _, values in sorted(merged.items())]


def describe_broken(broken: list[tuple[Account, list[str]]]) -> str:
    """Renders the accounts that do not add up as a table, and what to do."""
    lines = [f"{account.run_id:<50} {account.campaign:<24} {'; '.join(faults)}" for account, faults in broken]
    head = f"{'run':<50} {'campaign':<24} what does not add up"
    return "\n".join(
        [
            f"The accounts of {len(broken)} runs of campaigns do not add up.",
            head,
            *lines,
            "Never planned: clear the campaign's deliver DAG. Anything else: write a row into ledger.stop for the "
            "campaign, and compare decisions.fct_decisions, ledger.plan_result and ledger.action of that run.",
        ]
    )


def _read(dsn: str, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row, options="-c timezone=UTC") as connection:
        return connection.execute(query, values).fetchall()


def _read_decisions(workspace: Workspace, values: Mapping[str, object]) -> list[dict[str, Any]]:
    dsn = workspace.warehouse.dsn
    if not _read(dsn, HAS_DECISIONS, {})[0]["exists"]:
        return []
    return _read(dsn, READ_DECISIONS, values)
