"""What the company sells to firms: deals that go through the stages of a pipeline. Told for any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.draws import draw, draw_one
from sandbox.company.population import NEVER, Population

FIRST_DEAL_ID = 90_000_000_001
CHANCES = (0.05, 0.015)
"""That a person of the CRM brings a first and a second deal."""
WON, LOST = 0.35, 0.7
"""Draws below the first end well, below the second badly; the others wait for ever."""


@dataclass(frozen=True)
class Stage:
    """A step of a pipeline."""

    stage_id: str
    label: str
    probability: float
    is_closed: bool = False


@dataclass(frozen=True)
class Pipeline:
    """The open stages in their order, then those in which something ends: the good end first."""

    pipeline_id: str
    label: str
    open_stages: tuple[Stage, ...]
    ends: tuple[Stage, ...]

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (*self.open_stages, *self.ends)

    @property
    def won(self) -> Stage:
        return self.ends[0]

    @property
    def lost(self) -> Stage:
        return self.ends[-1]


SALES = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", 0.2),
        Stage("qualifiedtobuy", "Qualified To Buy", 0.4),
        Stage("presentationscheduled", "Presentation Scheduled", 0.6),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.8),
        Stage("contractsent", "Contract Sent", 0.9),
    ),
    (
        Stage("closedwon", "Closed Won", 1.0, is_closed=True),
        Stage("closedlost", "Closed Lost", 0.0, is_closed=True),
    ),
)
WHOLESALE = Pipeline(
    "58310",
    "Wholesale",
    (Stage("58311", "Enquiry", 0.1), Stage("58312", "Samples sent", 0.4), Stage("58313", "Offer", 0.7)),
    (Stage("58314", "Ordered", 1.0, is_closed=True), Stage("58315", "No order", 0.0, is_closed=True)),
)
PIPELINES = (SALES, WHOLESALE)


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as it stands at a moment; moments are seconds since 1970."""

    number: int
    person: int
    """Who brought it."""
    pipeline: Pipeline
    entries: tuple[tuple[int, Stage], ...]
    """When it came into which stage, the first one first; never empty."""
    updated_at: int
    archived_at: int | None
    amount_cents: int
    currency: str
    closes_at: int
    """When it was closed, or is expected to be."""

    @property
    def created_at(self) -> int:
        return self.entries[0][0]

    @property
    def stage(self) -> Stage:
        return self.entries[-1][1]


def list_deals(seed: int, population: Population, now: int) -> list[Deal]:
    """All deals that the CRM has ever known by a moment, by their numbers."""
    people = np.arange(len(population))
    met = population.traits["crm_at"]
    found: list[Deal] = []
    for place, chance in enumerate(CHANCES):
        numbers = people * len(CHANCES) + place
        waits = -np.log(1 - draw(seed, "deal begins", numbers)) * (40 + 160 * place) * DAY_SECONDS
        created = np.where(met == NEVER, NEVER, np.minimum(met, NEVER // 2) + waits.astype(np.int64) + 600)
        chosen: Array = (draw(seed, "deal", numbers) < chance) & (created <= now)
        pairs = zip(numbers[chosen].tolist(), created[chosen].tolist(), strict=True)
        found += [_tell(seed, number, began, now) for number, began in pairs]
    return sorted(found, key=lambda deal: deal.number)


def _tell(seed: int, number: int, created: int, now: int) -> Deal:
    pipeline = WHOLESALE if number % 7 == 0 else SALES
    archived = NEVER
    if draw_one(seed, "deal deleted", number) < 0.04:
        archived = created + int(draw_one(seed, "deal's end", number) * 120 * DAY_SECONDS) + 60
    until = min(now, archived)
    entries = tuple(entry for entry in _plan(seed, pipeline, number, created) if entry[0] <= until)
    period = int(DAY_SECONDS * (25 + 100 * draw_one(seed, "deal edits", number)))
    edits = 0 if entries[-1][1].is_closed else (until - created) // period
    cents = int(np.exp(6.5 + 2.5 * draw_one(seed, "amount", number))) * 1000
    is_late = len(entries) > 2
    return Deal(
        number=number,
        person=number // len(CHANCES),
        pipeline=pipeline,
        entries=entries,
        updated_at=min(max(entries[-1][0], created + edits * period), archived),
        archived_at=archived if archived <= now else None,
        amount_cents=cents * 9 // 10 if is_late else cents,
        currency="CHF" if number % 11 == 0 else "EUR",
        closes_at=entries[-1][0] if entries[-1][1].is_closed else created + (60 + 30 * edits) * DAY_SECONDS,
    )


def _plan(seed: int, pipeline: Pipeline, number: int, created: int) -> list[tuple[int, Stage]]:
    """The whole course of a deal, also what lies ahead."""
    fate = draw_one(seed, "fate", number)
    depth = len(pipeline.open_stages)
    if fate >= WON:
        depth = 1 + int(draw_one(seed, "depth", number) * depth)
    gaps = -np.log(1 - draw(seed, "stage gap", number * 16 + np.arange(depth + 1)))
    moments = (created + np.concatenate([[0], np.cumsum(3600 + gaps * 8 * DAY_SECONDS)])).astype(np.int64).tolist()
    entries = list(zip(moments, pipeline.open_stages[:depth], strict=False))
    if fate < LOST:
        entries.append((moments[depth], pipeline.won if fate < WON else pipeline.lost))
    if WON <= fate < LOST and number % 5 == 0:
        # Somebody takes it up again: it comes into a stage for the second time.
        entries.append((moments[depth + 1], pipeline.open_stages[0]))
    return entries
