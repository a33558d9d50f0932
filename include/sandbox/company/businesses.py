"""Firms whose people the CRM knows: born at a steady pace, edited, merged and archived. Told for any moment.

Nothing here is played: what a firm is like at a moment follows from the seed, its number and the moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.course import PAST_DAYS
from sandbox.company.draws import draw, draw_one
from sandbox.company.population import NEVER, Population

FIRST_BUSINESS_ID = 70_000_000_001
PEOPLE_PER_BUSINESS = 30
EMPLOYED = 0.15
"""Share of the CRM's people who are known by where they work."""
MOVES = 0.15
"""Of these, those who go to another firm once."""
BULK_EVERY = 7 * DAY_SECONDS
"""An import enriches every firm in the same millisecond."""
BULK_HOUR = 3 * 3600
_FIRST_WORDS = ("Alpen", "Hafen", "Nordlicht", "Caravan", "Linden", "Atlas", "Saffron", "Kupfer", "Delta", "Orient")
_SECOND_WORDS = ("Handel", "Hotels", "Logistik", "Catering", "Reisen", "Design", "Foods", "Textil", "Werk", "Media")
_FORMS = ("GmbH", "AG", "Ltd", "KG", "SARL")
_INDUSTRIES = (
    "RETAIL",
    "HOSPITALITY",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "FOOD_BEVERAGES",
    "DESIGN",
    "LEISURE_TRAVEL_TOURISM",
)
_PLACES = (
    ("Berlin", "Germany"),
    ("Wien", "Austria"),
    ("Lyon", "France"),
    ("London", "United Kingdom"),
    ("Dubai", "UAE"),
)
_STAGES = ("lead", "marketingqualifiedlead", "opportunity", "customer")


@dataclass(frozen=True, slots=True)
class Business:
    """A firm as the CRM knows it at a moment; moments are seconds since 1970."""

    number: int
    created_at: int
    updated_at: int
    archived_at: int | None
    """When it was deleted, or merged into another."""
    name: str
    domain: str
    industry: str
    city: str
    country: str
    employees_count: int
    stage: str
    merged: tuple[int, ...]
    """Numbers of the firms that were merged into this one."""


class Businesses:
    """All firms, and who works for which."""

    def __init__(self, seed: int, people: int, start: int) -> None:
        self._seed = seed
        self._base = start - PAST_DAYS * DAY_SECONDS
        self._start = start
        self._every = PAST_DAYS * DAY_SECONDS // max(12, people // PEOPLE_PER_BUSINESS)

    def list_known(self, now: int) -> list[Business]:
        """All firms that the CRM has ever known by a moment, in the order in which it learned of them."""
        return [self.tell(number, now) for number in range(int(self._count_born(np.array([now]))[0]))]

    def tell(self, number: int, now: int) -> Business:
        """A firm as it stands at a moment at which it is known."""
        born = self._born(number)
        period = int(DAY_SECONDS * (10 + 90 * draw_one(self._seed, "business edits", number)))
        gone = min(self._merged_at(number), self._archived_at(number))
        edits = (min(now, gone) - born) // period
        bulk = (now - self._start - BULK_HOUR) // BULK_EVERY * BULK_EVERY + self._start + BULK_HOUR
        merged = [other for other in (number + 1,) if self._merged_at(other) <= now]
        changes = [born + edits * period, bulk if bulk > born else born, *map(self._merged_at, merged)]
        city, country = _PLACES[number * 7 % len(_PLACES)]
        words = _FIRST_WORDS[number % 10], _SECOND_WORDS[number // 10 % 10], _FORMS[number // 100 % 5]
        return Business(
            number=number,
            created_at=born,
            updated_at=min(max(changes), gone),
            archived_at=gone if gone <= now else None,
            name=" ".join(words) + (f" {number // 500}" if number >= 500 else ""),
            domain=f"{words[0]}-{words[1]}-{number}.example".lower(),
            industry=_INDUSTRIES[number % len(_INDUSTRIES)],
            city=city,
            country=country,
            employees_count=5 + int(200 * draw_one(self._seed, "business size", number)) + edits,
            stage=_STAGES[min(edits // 3, len(_STAGES) - 1)],
            merged=tuple(merged),
        )

    def employers(self, population: Population, now: int) -> dict[int, int]:
        """Person -> number of the living firm for which the CRM knows them to work at a moment."""
        people = np.arange(len(population))
        met = population.traits["crm_at"]
        met = np.where(met == NEVER, NEVER, np.maximum(met, self._base + 1))
        known = (met <= now) & (draw(self._seed, "employed", people) < EMPLOYED)
        people, met = people[known], met[known]
        moved = met + ((30 + 370 * draw(self._seed, "moving day", people)) * DAY_SECONDS).astype(np.int64)
        has_moved = (draw(self._seed, "moves", people) < MOVES) & (moved <= now)
        since = np.where(has_moved, moved, met)
        chosen = np.where(has_moved, draw(self._seed, "next firm", people), draw(self._seed, "first firm", people))
        numbers = (chosen * np.maximum(self._count_born(since), 1)).astype(np.int64)
        pairs = zip(people.tolist(), numbers.tolist(), strict=True)
        found = {person: self._follow(number, now) for person, number in pairs}
        return {person: number for person, number in found.items() if number is not None}

    def _follow(self, number: int, now: int) -> int | None:
        if self._merged_at(number) <= now:
            number -= 1
        return number if self._born(number) <= now < self._archived_at(number) else None

    def _count_born(self, now: Array) -> Array:
        numbers: Array = np.maximum((now - self._base) // self._every, 0)
        counts: Array = numbers + (self._moments(numbers) <= now)
        return counts

    def _moments(self, numbers: Array) -> Array:
        inside = draw(self._seed, "business birth", numbers) * self._every
        return self._base + numbers * self._every + inside.astype(np.int64)

    def _born(self, number: int) -> int:
        return int(self._moments(np.array([number]))[0])

    def _merged_at(self, number: int) -> int:
        """When it is merged into the firm before it, of which it was a duplicate."""
        if number % 10 != 7 or draw_one(self._seed, "business merge", number) > 0.7:
            return NEVER
        return self._born(number) + int((3 + 60 * draw_one(self._seed, "merging day", number)) * DAY_SECONDS)

    def _archived_at(self, number: int) -> int:
        if number % 10 not in (3, 9) or draw_one(self._seed, "business end", number) > 0.4:
            return NEVER
        return self._born(number) + int((30 + 700 * draw_one(self._seed, "last day", number)) * DAY_SECONDS)
