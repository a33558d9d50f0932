"""What people write to the company's service about their orders. Told for any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.deals import Pipeline, Stage
from sandbox.company.draws import draw, draw_one
from sandbox.company.population import NEVER, Population
from sandbox.company.shop import Shop

FIRST_TICKET_ID = 50_000_000_001
CHANCE = 0.015
"""That an order gives somebody of the CRM a reason to write."""
CATEGORIES = ("GENERAL_INQUIRY", "PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST")
PRIORITIES = ("LOW", "MEDIUM", "HIGH")
SOURCES = ("EMAIL", "CHAT", "FORM", "PHONE")
NEW, WAITING_ON_CONTACT, WAITING_ON_US = (
    Stage("1", "New", 0.0),
    Stage("2", "Waiting on contact", 0.0),
    Stage("3", "Waiting on us", 0.0),
)
CLOSED = Stage("4", "Closed", 0.0, is_closed=True)
SUPPORT = Pipeline("0", "Support Pipeline", (NEW, WAITING_ON_CONTACT, WAITING_ON_US), (CLOSED,))


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands at a moment; moments are seconds since 1970."""

    number: int
    """The order's number."""
    person: int
    entries: tuple[tuple[int, Stage], ...]
    """When it came into which stage; never empty."""
    archived_at: int | None
    category: str
    priority: str
    source: str

    @property
    def created_at(self) -> int:
        return self.entries[0][0]

    @property
    def stage(self) -> Stage:
        return self.entries[-1][1]

    @property
    def updated_at(self) -> int:
        return self.entries[-1][0] if self.archived_at is None else self.archived_at

    @property
    def closed_at(self) -> int | None:
        return self.entries[-1][0] if self.stage.is_closed else None


def list_tickets(seed: int, population: Population, shop: Shop, now: int) -> list[Ticket]:
    """All tickets that anybody has opened by a moment, by their numbers."""
    orders = np.arange(len(shop.orders))
    waits: Array = ((0.3 + 6 * draw(seed, "ticket after", orders)) * DAY_SECONDS).astype(np.int64)
    created = shop.orders["at"] + waits
    people = shop.orders["person"]
    met = population.traits["crm_at"][people]
    writes = (draw(seed, "ticket", orders) < CHANCE) & (created <= now) & (met != NEVER) & (met < created)
    return [_tell(seed, order, int(people[order]), int(created[order]), now) for order in orders[writes].tolist()]


def _tell(seed: int, order: int, person: int, created: int, now: int) -> Ticket:
    archived = NEVER
    if draw_one(seed, "ticket deleted", order) < 0.03:
        archived = created + int(draw_one(seed, "ticket's end", order) * 60 * DAY_SECONDS) + 60
    until = min(now, archived)
    return Ticket(
        number=order,
        person=person,
        entries=tuple(entry for entry in _plan(seed, order, created) if entry[0] <= until),
        archived_at=archived if archived <= now else None,
        category=CATEGORIES[int(draw_one(seed, "category", order) * len(CATEGORIES))],
        priority=PRIORITIES[order % len(PRIORITIES)],
        source=SOURCES[order % len(SOURCES)],
    )


def _plan(seed: int, order: int, created: int) -> list[tuple[int, Stage]]:
    gaps = draw(seed, "ticket gap", order * 4 + np.arange(3))
    answered = created + 600 + int(gaps[0] * 20 * 3600)
    entries = [(created, NEW), (answered, WAITING_ON_CONTACT)]
    if gaps[1] < 0.3:
        entries.append((answered + 7200, WAITING_ON_US))
    if gaps[2] < 0.85:
        entries.append((answered + 10_800 + int(gaps[2] * 4 * DAY_SECONDS), CLOSED))
    return entries
