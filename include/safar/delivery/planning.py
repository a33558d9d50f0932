"""Turns send decisions into planned messages, each decision into exactly one result."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from safar.delivery.audience import Approval, AudienceSize, record_approval, weigh_audience
from safar.delivery.opening_hours import load_zones
from safar.delivery.pending import PendingRun, list_pending_runs, open_warehouse, stream_decisions
from safar.delivery.reports import PlanReport
from safar.delivery.rules import AudienceLimit, DeliveryRules, limit_audience
from safar.delivery.sql import read_statement
from safar.errors import SafarError
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Catalogue

logger = logging.getLogger(__name__)

# `decide` takes the same lock, so a run cannot be decided again while it is planned.
LOCK = "select pg_advisory_xact_lock(hashtext('safar.decide'))"
# No quiet stretch is longer; enough of them are listed to cover the latest due time.
LONGEST_STRETCH = timedelta(days=2)


def plan_campaign(
    workspace: Workspace,
    campaign: str,
    catalogue: Catalogue,
    *,
    approval: Approval | None = None,
    rehearse: bool = False,
) -> PlanReport:
    """Plans every run of the campaign that has send decisions without a result, oldest first, in one transaction.

    Args:
        approval: what the audience-size gate said; without one, only a size that needs no approval is planned. With
            the answer to a question only the runs are planned that it was about, whenever the task is cleared.
        rehearse: write what would be planned to ledger.rehearsal, and nothing else.

    Raises:
        SafarError: the audience needs an approval that was not given, or has grown since; nothing was planned.
    """
    return plan_pending(
        workspace,
        campaign,
        DeliveryRules.from_catalogue(catalogue),
        limit_audience(catalogue, campaign),
        approval=approval,
        rehearse=rehearse,
    )


def plan_pending(
    workspace: Workspace,
    campaign: str,
    rules: DeliveryRules,
    limit: AudienceLimit,
    *,
    approval: Approval | None = None,
    rehearse: bool = False,
) -> PlanReport:
    """The same with the rules at hand; see `plan_campaign`."""
    approval = approval or Approval()
    report = PlanReport()
    with workspace.open_ledger() as ledger, open_warehouse(workspace) as warehouse:
        ledger.execute(LOCK)
        pending = [run for run in list_pending_runs(ledger, warehouse, campaign) if approval.concerns(run.run_id)]
        size = weigh_audience(ledger, campaign, pending, limit)
        if not rehearse:
            _require_approval(size, approval)
        for run in pending:
            stream_decisions(ledger, warehouse, campaign, run)
            results = _plan_run(ledger, campaign, run, rules, workspace.clock.now(), approval, rehearse)
            if not rehearse:
                record_approval(ledger, run, campaign, size, approval)
            report += PlanReport((run.run_id,), results)
            logger.info("%s of %s: %s", campaign, run.run_id, dict(results))
    return report


def _require_approval(size: AudienceSize, approval: Approval) -> None:
    if approval.covers(size):
        return
    missing = (
        "None was given" if approval.decision == "not_needed" else f"The one given is for {approval.candidate_count}"
    )
    raise SafarError(
        f"{size.describe()} {missing}, so nothing was planned. Run the guard again, or answer it in Airflow."
    )


def _plan_run(
    ledger: psycopg.Connection[Any],
    campaign: str,
    run: PendingRun,
    rules: DeliveryRules,
    now: datetime,
    approval: Approval,
    rehearse: bool,
) -> Counter[str]:
    parameters = {
        "campaign": campaign,
        "now": now,
        "is_refused": approval.is_refused,
        "is_blocked": _is_blocked(ledger, campaign, run),
        "time_zone": rules.zone.key,
    }
    _list_quiet_stretches(ledger, rules, now)
    # One plan at a time holds the lock, so one session has so much.
    ledger.execute("set local work_mem = '256MB'")
    ledger.execute("drop table if exists judged")
    ledger.execute(read_statement("judge_decisions"), parameters)
    ledger.execute("analyze judged (result)")
    rows = ledger.execute("select result, count(*) from judged group by result").fetchall()
    results = Counter({row[0]: row[1] for row in rows})
    if rehearse:
        ledger.execute(read_statement("insert_rehearsals"), parameters)
        return results
    try:
        for name in ("insert_actions", "insert_messages"):
            ledger.execute(read_statement(name), parameters)
    except psycopg.errors.UniqueViolation as error:
        raise SafarError(
            f"{campaign} of {run.run_id}: some of its messages are there already ({error.diag.constraint_name}). "
            "Something else writes to the ledger without the lock of `decide`; nothing was planned. Run it again."
        ) from None
    ledger.execute(read_statement("insert_plan_results"), parameters)
    return results


def _is_blocked(ledger: psycopg.Connection[Any], campaign: str, run: PendingRun) -> bool:
    row = ledger.execute(
        "select is_blocked from ledger.campaign_gate where run_id = %s and campaign = %s", [run.run_id, campaign]
    ).fetchone()
    return row is not None and row[0]


def _list_quiet_stretches(ledger: psycopg.Connection[Any], rules: DeliveryRules, now: datetime) -> None:
    """Fills the temporary table ``quiet`` with every quiet stretch that a decision of the run may fall into.

    ``recipient_zone`` names the zones of its people that we can compute with; whoever has another one, or none,
    has the company's.
    """
    ledger.execute(read_statement("create_quiet"))
    latest = ledger.execute("select max(due_at) from decision").fetchone()
    last = max(now, latest[0] or now) if latest else now
    names = {row[0] for row in ledger.execute(read_statement("list_zones")).fetchall()}
    known = {name: zone for name, zone in load_zones().items() if name in names}
    with ledger.cursor().copy("copy recipient_zone from stdin") as copy:
        for name in known:
            copy.write_row([name])
    with ledger.cursor().copy("copy quiet from stdin") as copy:
        for name, zone in {**known, rules.zone.key: rules.zone}.items():
            for stretch in rules.quiet_hours.list_stretches(zone, now - LONGEST_STRETCH, last + LONGEST_STRETCH):
                copy.write_row([name, *stretch])
