"""What the sales people do about their deals: mails, calls, meetings and tasks. Told for any moment."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import DAY_SECONDS
from sandbox.company.deals import Deal, list_deals
from sandbox.company.draws import draw_one
from sandbox.company.population import Population

FIRST_ENGAGEMENT_ID = 30_000_000_001
KINDS = ("emails", "calls", "meetings", "tasks")
SLOTS = 64
"""At most so many per deal."""
HOUR = 3600
LONGEST_BEFORE = 2 * DAY_SECONDS
"""A meeting is planned at most so long before it takes place."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """One of them as it stands at a moment; moments are seconds since 1970."""

    kind: str
    number: int
    deal: Deal
    created_at: int
    happens_at: int
    """When it takes place, or a task is due; it may lie ahead."""
    done_at: int
    """When its outcome is known."""
    updated_at: int
    is_done: bool
    is_incoming: bool


def list_engagements(seed: int, population: Population, now: int) -> list[Engagement]:
    """All of them up to a moment, by their numbers."""
    deals = list_deals(seed, population, now)
    found = [one for deal in deals for one in _tell(seed, deal, now)]
    return sorted(found, key=lambda one: one.number)


def _tell(seed: int, deal: Deal, now: int) -> list[Engagement]:
    """One of each kind follows the first stage; later stages have a mail, and every other one a call."""
    found = []
    for place, (entered, _) in enumerate(deal.entries):
        kinds = KINDS if place == 0 else ("emails", "calls")[: 1 + place % 2]
        for kind in kinds:
            slot = place * len(KINDS) + KINDS.index(kind)
            number = deal.number * SLOTS + slot
            created = entered + HOUR + int(draw_one(seed, "engagement", number) * 30 * HOUR)
            until = now if deal.archived_at is None else min(now, deal.archived_at)
            if slot < SLOTS and created <= until:
                found.append(_tell_one(seed, kind, number, deal, created, until))
    return found


def _tell_one(seed: int, kind: str, number: int, deal: Deal, created: int, now: int) -> Engagement:
    ahead = draw_one(seed, "ahead", number)
    happens = created if kind in ("emails", "calls") else created + int(ahead * LONGEST_BEFORE) + HOUR
    done = happens + (HOUR if kind != "tasks" else int(ahead * 5 * DAY_SECONDS))
    return Engagement(
        kind=kind,
        number=number,
        deal=deal,
        created_at=created,
        happens_at=happens,
        done_at=done,
        updated_at=done if done <= now else created,
        is_done=done <= now,
        is_incoming=number % 3 == 0,
    )
