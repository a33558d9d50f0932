"""Makes people: who they are, how they behave, and how their records are spelled. From the seed alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.clock import DAY_SECONDS, from_seconds
from sandbox.company.columns import Array, Columns
from sandbox.company.people import Person
from sandbox.company.places import DOMAINS, FAMILIES, MEN, PLACES, WOMEN

PLAIN, UPPER, BLANKS, NO_EMAIL, MALFORMED = range(5)
NO_TWIN, TWIN_SPELLING, TWIN_OTHER_ADDRESS = range(3)
UNKNOWN, SUBSCRIBED, UNSUBSCRIBED, PENDING, REDACTED = range(5)
NEVER = np.iinfo(np.int64).max
PEOPLE_STREAM = 1
Name = tuple[str, str]
"""As written, and in Latin letters."""


@dataclass
class Population:
    """Everybody, in the order in which they were made; a person's number is their place here."""

    seed: int
    traits: Columns = field(
        default_factory=lambda: Columns(
            place=np.int16,
            is_woman=bool,
            first=np.int16,
            family=np.int16,
            joined_at=np.int64,
            crm_at=np.int64,
            shop_at=np.int64,
            crm_email_form=np.int8,
            shop_email_form=np.int8,
            twin=np.int8,
            twin_at=np.int64,
            crm_consent=np.int8,
            shop_consent=np.int8,
            birth_day=np.int32,
            job=np.int16,
            source=np.int16,
            interval_days=np.float64,
            drop_chance=np.float64,
            first_days=np.float64,
            browse_chance=np.float64,
            open_rate=np.float64,
            click_rate=np.float64,
            persuadability=np.float64,
            has_mailbox=bool,
        )
    )
    _names: list[tuple[Name, Name]] = field(default_factory=list)
    _addresses: list[str] = field(default_factory=list)
    _by_address: dict[str, int] = field(default_factory=dict)
    _known: dict[int, Person] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.traits)

    def add_cohort(self, cohort: int, count: int, joined_from: int, joined_to: int) -> Array:
        """Makes people who first meet the company in a span of seconds, and returns their numbers."""
        random = np.random.default_rng([self.seed, PEOPLE_STREAM, cohort])
        joined = np.sort(random.integers(joined_from, joined_to, count))
        numbers = self.traits.append(
            **_draw_origin(random, count),
            **_draw_records(random, joined),
            **_draw_behaviour(random, count),
        )
        columns = [self.traits[name][numbers].tolist() for name in ("place", "is_woman", "first", "family", "twin")]
        for number, (place, is_woman, first, family, twin) in enumerate(zip(*columns, strict=True), int(numbers[0])):
            names = _choose_names(PLACES[place].locale, is_woman, first, family)
            self._names.append(names)
            self._addresses.append(f"{names[0][1]}.{names[1][1]}{number}@{DOMAINS[number % len(DOMAINS)]}")
            self._by_address[self._addresses[number]] = number
            if twin == TWIN_OTHER_ADDRESS:
                self._by_address[self.other_address(number)] = number
        return numbers

    def find(self, email: str) -> Person | None:
        """Finds a human by any of their addresses, whatever its case and blanks."""
        number = self._by_address.get(email.strip().lower())
        return None if number is None else self.person(number)

    def names(self, number: int) -> tuple[Name, Name]:
        """First and family name, each as written and in Latin letters."""
        return self._names[number]

    def address(self, number: int) -> str:
        return self._addresses[number]

    def other_address(self, number: int) -> str:
        """The second address that some people left with the CRM."""
        return f"{self.names(number)[0][1]}{number}.private@mail.example.com"

    def birthday(self, number: int) -> str | None:
        day = int(self.traits["birth_day"][number])
        return None if day == 0 else from_seconds(day * DAY_SECONDS).date().isoformat()

    def person(self, number: int) -> Person:
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._describe(number)
        return known

    def _describe(self, number: int) -> Person:
        traits: dict[str, Any] = self.traits.take(np.array([number]))[0]
        place = PLACES[traits["place"]]
        first, family = self.names(number)
        return Person(
            person_id=number,
            first_name=first[0],
            last_name=family[0],
            email=self.address(number),
            locale=place.locale,
            country_code=place.country_code,
            time_zone=place.time_zone,
            birthday=self.birthday(number),
            joined_at=from_seconds(traits["joined_at"]),
            open_rate=traits["open_rate"],
            click_rate=traits["click_rate"],
            persuadability=traits["persuadability"],
            has_mailbox=traits["has_mailbox"],
        )


def _choose_names(locale: str, is_woman: bool, first: int, family: int) -> tuple[Name, Name]:
    firsts, families = (WOMEN if is_woman else MEN)[locale], FAMILIES[locale]
    return firsts[first % len(firsts)], families[family % len(families)]


def spell_address(address: str, form: int, number: int) -> str | None:
    """Writes an address as a sloppy record would."""
    if form == UPPER:
        return address.title() if number % 2 else address.upper()
    if form == BLANKS:
        return f" {address}" if number % 2 else f"{address}  "
    if form == MALFORMED:
        name = address.split("@", maxsplit=1)[0]
        return (f"{name}@", f"{name} at example.com", "n/a", f"{name}@@example.com")[number % 4]
    return None if form == NO_EMAIL else address


def _draw_origin(random: np.random.Generator, count: int) -> dict[str, Array]:
    weights = np.array([place.weight for place in PLACES])
    birth = random.integers(-14_000, 13_500, count)  # days since 1970: born 1931 to 2006
    return {
        "place": random.choice(len(PLACES), count, p=weights / weights.sum()),
        "is_woman": random.random(count) < 0.52,
        "first": random.integers(0, 1000, count),
        "family": random.integers(0, 1000, count),
        "birth_day": np.where(random.random(count) < 0.35, 0, np.where(birth == 0, 1, birth)),
        "job": random.integers(0, 10, count),
        "source": random.integers(0, 7, count),
    }


def _draw_records(random: np.random.Generator, joined: Array) -> dict[str, Array]:
    count = len(joined)
    where = random.random(count)
    in_crm, in_shop = where < 0.85, (where < 0.62) | (where >= 0.85)
    later = (random.exponential(6 * DAY_SECONDS, count)).astype(np.int64)
    crm_first = random.random(count) < 0.5
    in_both = in_crm & in_shop
    form = random.choice([PLAIN, UPPER, BLANKS, NO_EMAIL, MALFORMED], count, p=[0.955, 0.01, 0.005, 0.02, 0.01])
    shop_form = random.choice([PLAIN, UPPER, BLANKS, NO_EMAIL], count, p=[0.95, 0.03, 0.01, 0.01])
    twin = random.choice([NO_TWIN, TWIN_SPELLING, TWIN_OTHER_ADDRESS], count, p=[0.972, 0.012, 0.016])
    twin = np.where(in_crm & (form != NO_EMAIL) & (form != MALFORMED), twin, NO_TWIN)
    consent = random.choice([UNKNOWN, SUBSCRIBED, UNSUBSCRIBED], count, p=[0.2, 0.72, 0.08])
    own = random.choice([UNKNOWN, SUBSCRIBED, UNSUBSCRIBED, PENDING], count, p=[0.3, 0.6, 0.08, 0.02])
    crm_at = joined + np.where(in_both & ~crm_first, later, 0)
    return {
        "joined_at": joined,
        "crm_at": np.where(in_crm, crm_at, NEVER),
        "shop_at": np.where(in_shop, joined + np.where(in_both & crm_first, later, 0), NEVER),
        "crm_email_form": form,
        "shop_email_form": shop_form,
        "twin": twin,
        "twin_at": np.where(twin == NO_TWIN, NEVER, crm_at + random.integers(3600, 40 * DAY_SECONDS, count)),
        "crm_consent": consent,
        "shop_consent": np.where(in_both & (random.random(count) < 0.8), consent, own),
    }


def _draw_behaviour(random: np.random.Generator, count: int) -> dict[str, Array]:
    buys = random.random(count) < 0.8
    return {
        "interval_days": np.clip(random.lognormal(np.log(52), 0.6, count), 12, 240),
        "drop_chance": random.beta(1.1, 4.0, count),
        "first_days": np.where(buys, np.clip(random.exponential(14, count), 1, 150), np.inf),
        "browse_chance": random.gamma(1.2, 0.0012, count),
        "open_rate": random.beta(3.0, 4.0, count),
        "click_rate": random.beta(2.0, 5.0, count),
        "persuadability": np.where(random.random(count) < 0.5, 0.02, random.beta(2.0, 3.0, count)),
        "has_mailbox": random.random(count) > 0.015,
    }
