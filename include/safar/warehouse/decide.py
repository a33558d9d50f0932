"""Lets the decisions' SQL give each candidate of a run its one outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from safar.catalogue import Catalogue, plan_decisions
from safar.errors import SafarError
from safar.warehouse.build import run_for_pin
from safar.warehouse.pin import Pin, require_current
from safar.workspace import Workspace

OUTCOMES = (
    "blocked",
    "expired",
    "invalid_address",
    "no_channel",
    "suppressed",
    "no_consent",
    "goal_reached",
    "held_out",
    "capped",
    "same_address",
    "outranked",
    "over_budget",
    "send",
)

COUNT = """
select campaign, outcome, count(*)
from decisions.fct_decisions
where run_id = %(run_id)s
group by campaign, outcome
"""

COUNT_CANDIDATES = """
select campaign, count(*)
from (
    select distinct campaign, step, contact_id, occurrence_key
    from decisions.fct_decisions
    where run_id = %(run_id)s
) as candidates
group by campaign
"""


class UndecidedCandidates(SafarError):
    """Some candidate has no outcome, two of them, or one that nobody knows."""


@dataclass(frozen=True)
class DecisionReport:
    """How many candidates of the run got which outcome, by campaign."""

    outcomes: dict[str, dict[str, int]]
    blocked: tuple[str, ...]

    def describe(self) -> str:
        """One line for a log."""
        campaigns = []
        for name, counts in sorted(self.outcomes.items()):
            parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if outcome in counts)
            campaigns.append(f"{name}: {sum(counts.values())} candidates ({parts})")
        campaigns += [f"{name} is blocked" for name in self.blocked]
        return "decided " + ("; ".join(campaigns) or "nothing: there were no candidates")


def decide(workspace: Workspace, pin: Pin, catalogue: Catalogue) -> DecisionReport:
    """Runs models/decisions for the run, alone: `plan` and other decides wait for the lock.

    Raises:
        Superseded: a newer run of the cadence is pinned.
        UndecidedCandidates: a candidate has not exactly one outcome, or a model or test of the decisions is red.
    """
    require_current(workspace, pin)
    with hold_decide_lock(workspace):
        blocked = list_blocked(workspace, pin, catalogue)
        report = run_for_pin(
            workspace,
            pin,
            ["build", "--exclude-resource-type", "unit_test", "--select", "path:models/decisions"],
            environment={"SAFAR_PIN": pin.to_json(blocked), "SAFAR_CAMPAIGNS": json.dumps(plan_decisions(catalogue))},
        )
    if report.red:
        lines = "\n".join(f"  {one.node}: {one.message}" for one in report.red)
        raise UndecidedCandidates(f"The decisions of {pin.run_id} are red. Mend them and clear `decide`:\n{lines}")
    return DecisionReport(_count_outcomes(workspace, pin), tuple(blocked))


@contextmanager
def hold_decide_lock(workspace: Workspace) -> Iterator[psycopg.Connection]:
    """Holds the lock under which decisions are written and planned, until the block ends."""
    with workspace.open_ledger() as ledger:
        ledger.execute("select pg_advisory_xact_lock(hashtext('safar.decide'))")
        yield ledger


def list_blocked(workspace: Workspace, pin: Pin, catalogue: Catalogue) -> list[str]:
    """Campaigns without a green light; one that the gate has not looked at has none."""
    with workspace.open_ledger() as ledger:
        rows = ledger.execute(
            "select campaign from ledger.campaign_gate where run_id = %s and not is_blocked", [pin.run_id]
        ).fetchall()
    passed = {row[0] for row in rows}
    return [name for name in catalogue.name_campaigns(pin.target) if name not in passed]


def _count_outcomes(workspace: Workspace, pin: Pin) -> dict[str, dict[str, int]]:
    with psycopg.connect(workspace.warehouse.dsn) as warehouse:
        parameters = {"run_id": pin.run_id}
        outcomes: dict[str, dict[str, int]] = {}
        for campaign, outcome, count in warehouse.execute(COUNT, parameters):
            outcomes.setdefault(campaign, {})[outcome] = count
        candidates: dict[str, int] = dict(warehouse.execute(COUNT_CANDIDATES, parameters).fetchall())
    for campaign, counts in outcomes.items():
        unknown = counts.keys() - set(OUTCOMES)
        if unknown or sum(counts.values()) != candidates[campaign]:
            raise UndecidedCandidates(
                f"{campaign}: {candidates[campaign]} candidates have {sum(counts.values())} outcomes "
                f"({', '.join(f'{count} {outcome}' for outcome, count in sorted(counts.items(), key=str))}). "
                "Each has exactly one of the known outcomes; mend models/decisions and clear `decide`."
            )
    return outcomes
