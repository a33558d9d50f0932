"""How many people a campaign is about to write to, whether that needs a human's word, and that word."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from safar.delivery.pending import PendingRun, list_pending_runs, open_warehouse
from safar.delivery.rules import AudienceLimit, limit_audience
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Campaign, Catalogue

# From so many earlier runs on there is a usual size; only the latest ones tell it.
RUNS_FOR_MEDIAN = 7
RUNS_REMEMBERED = 30
# A growth of fewer people than this is nothing to ask about, however many percent it is.
LEAST_GROWTH = 100
LOW_SHARE = 0.5

ApprovalDecision = Literal["not_needed", "approved", "rejected", "timed_out", "self_approved"]


@dataclass(frozen=True)
class Approval:
    """What was said about a campaign's size, and by whom."""

    decision: ApprovalDecision = "not_needed"
    decided_by: str | None = None
    run_ids: Sequence[str] | None = None
    """The runs that the question was about; an answer is about no other. None: about whatever waits."""
    candidate_count: int | None = None
    """How many people the question named; a yes is to no more. None: to any number."""

    def concerns(self, run_id: str) -> bool:
        return self.run_ids is None or run_id in self.run_ids

    def covers(self, size: AudienceSize) -> bool:
        """Whether so many people may be written to by this word."""
        if self.decision == "not_needed":
            return not size.needs_approval
        return self.is_refused or self.candidate_count is None or size.candidate_count <= self.candidate_count

    @property
    def is_refused(self) -> bool:
        return self.decision in ("rejected", "timed_out", "self_approved")

    def describe(self) -> str:
        match self.decision:
            case "approved" | "rejected":
                return f"{self.decision} by {self.decided_by}"
            case "self_approved":
                return f"not approved: {self.decided_by} owns the campaign, and only somebody else may approve it"
            case "timed_out":
                return "not approved: nobody answered in time"
        return "no approval was needed"


def judge_answer(campaign: Campaign, is_yes: bool, identities: Sequence[str | None]) -> Approval:
    """What somebody's answer is worth: a yes of the campaign's owner is none.

    Args:
        identities: every name and address by which whoever answered is known; the first one is written down.
    """
    known = [identity for identity in identities if identity]
    decided_by = known[0] if known else None
    if not is_yes:
        return Approval("rejected", decided_by)
    if not known or campaign.owner.is_one_of(known):
        return Approval("self_approved", decided_by)
    return Approval("approved", decided_by)


@dataclass(frozen=True)
class AudienceSize:
    """What is about to be planned, beside what is usual."""

    campaign: str
    candidate_count: int
    limit_count: int
    """More people than this need a human's word."""
    median_count: float | None = None
    """Of earlier runs, once there are `RUNS_FOR_MEDIAN`."""
    run_ids: tuple[str, ...] = ()
    """The runs that wait to be planned."""

    @property
    def needs_approval(self) -> bool:
        return self.candidate_count > self.limit_count

    @property
    def is_low(self) -> bool:
        """Far fewer people than usual: worth a look, never a reason to wait."""
        return self.median_count is not None and self.candidate_count < self.median_count * LOW_SHARE

    def describe(self) -> str:
        usual = "" if self.median_count is None else f" Usual: {self.median_count:.0f}."
        if self.needs_approval:
            verdict = "More than that need a human's approval."
        elif self.is_low:
            verdict = "Far fewer than usual: look at the audience."
        else:
            verdict = "No approval is needed."
        return f"{self.campaign}: {self.candidate_count} messages to plan, limit {self.limit_count}.{usual} {verdict}"


def measure_audience(workspace: Workspace, campaign: str, catalogue: Catalogue) -> AudienceSize:
    """Counts what `plan_campaign` would plan now."""
    with workspace.open_ledger() as ledger, open_warehouse(workspace) as warehouse:
        pending = list_pending_runs(ledger, warehouse, campaign)
        return weigh_audience(ledger, campaign, pending, limit_audience(catalogue, campaign))


def weigh_audience(
    ledger: psycopg.Connection[Any], campaign: str, pending: list[PendingRun], limit: AudienceLimit
) -> AudienceSize:
    """Compares the pending runs' size with the limit and with earlier runs."""
    rows = ledger.execute(
        """
        select approval.candidate_count
        from ledger.approval
        join ledger.run using (run_id)
        where approval.campaign = %s and approval.decision in ('not_needed', 'approved')
        order by run.sequence desc
        limit %s
        """,
        [campaign, RUNS_REMEMBERED],
    ).fetchall()
    earlier = [row[0] for row in rows]
    median = statistics.median(earlier) if len(earlier) >= RUNS_FOR_MEDIAN else None
    limit_count = limit.people
    if median is not None:
        limit_count = min(limit.people, int(max(median * float(1 + limit.growth), median + LEAST_GROWTH)))
    candidate_count = sum(run.decision_count for run in pending)
    return AudienceSize(campaign, candidate_count, limit_count, median, tuple(run.run_id for run in pending))


def record_approval(
    ledger: psycopg.Connection[Any], run: PendingRun, campaign: str, size: AudienceSize, approval: Approval
) -> None:
    """Writes who said what about a run's size, in the transaction that is open."""
    ledger.execute(
        """
        insert into ledger.approval (run_id, campaign, candidate_count, limit_count, decision, decided_by)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (run_id, campaign) do update set
            candidate_count = excluded.candidate_count, limit_count = excluded.limit_count,
            decision = excluded.decision, decided_by = excluded.decided_by, recorded_at = now()
        """,
        [run.run_id, campaign, run.decision_count, size.limit_count, approval.decision, approval.decided_by],
    )
