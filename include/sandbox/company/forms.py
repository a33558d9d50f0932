"""The forms on the company's site, and who sent which: the door by which leads come in. Told for any moment."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from uuid import UUID

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.draws import draw, draw_one
from sandbox.company.population import NEVER, Population, spell_address

SITE = "https://shop.safar.example"
AGAIN = 0.15
"""Share of those who sent a form who send another one some time later."""
_SOURCES = ("google&utm_medium=cpc", "newsletter&utm_medium=email", "facebook&utm_medium=paid_social", "")
_TOPICS = ("a gift for my mother", "delivery to Vienna", "the wool rug in another size", "a visit of your showroom")


@dataclass(frozen=True)
class Form:
    """A form; moments are seconds before (below 0) or after the company's start."""

    form_id: str
    name: str
    kind: str
    page: str
    fields: tuple[str, ...]
    share: float
    """Of the CRM's people, those who came by it."""
    archived_after: int | None = None


def _name(text: str) -> str:
    return str(UUID(md5(text.encode(), usedforsecurity=False).hexdigest()))


FORMS = (
    Form(_name("newsletter"), "Newsletter", "hubspot", "/newsletter", ("email", "firstname"), 0.05),
    Form(_name("contact"), "Talk to us", "hubspot", "/contact", ("email", "firstname", "lastname", "message"), 0.02),
    Form(_name("catalogue"), "Catalogue download", "hubspot", "/catalogue", ("email", "firstname", "country"), 0.03),
    Form(_name("trade"), "Trade account", "hubspot", "/trade", ("email", "firstname", "lastname", "jobtitle"), 0.01),
    Form(_name("fair"), "Fair in Frankfurt", "hubspot", "/fair", ("email", "lastname"), 0.01, 5 * DAY_SECONDS + 7200),
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One time that somebody sent a form."""

    form: Form
    conversion_id: str
    person: int
    at_ms: int
    page_url: str
    values: tuple[tuple[str, str], ...]


def list_submissions(seed: int, population: Population, now: int) -> list[Submission]:
    """Everything that was sent up to a moment by people who left an address, in the order of their numbers."""
    people = np.arange(len(population))
    met = population.traits["crm_at"]
    shares = np.cumsum([form.share for form in FORMS])
    chosen = np.searchsorted(shares, draw(seed, "form", people), side="right")
    waits: Array = (draw(seed, "form again after", people) * 200 * DAY_SECONDS).astype(np.int64)
    again = np.where(met == NEVER, NEVER, np.minimum(met, NEVER // 2) + waits + 3600)
    comes_again = (draw(seed, "form again", people) < AGAIN) & (again <= now)
    has_come = (chosen < len(FORMS)) & (met <= now)
    found = []
    for person in people[has_come].tolist():
        found += _tell(seed, population, person, int(met[person]), int(chosen[person]), 0)
        if comes_again[person]:
            found += _tell(seed, population, person, int(again[person]), (int(chosen[person]) + 1) % len(FORMS), 1)
    return found


def _tell(seed: int, population: Population, person: int, at: int, form: int, turn: int) -> list[Submission]:
    address = spell_address(population.address(person), int(population.traits["crm_email_form"][person]), person)
    if address is None:
        return []
    first, family = population.names(person)
    number = person * 2 + turn
    values = {
        "email": address,
        "firstname": first[0],
        "lastname": family[0],
        "country": ("Germany", "Austria", "France", "Iran")[person % 4],
        "jobtitle": ("Buyer", "Owner", "Interior designer")[person % 3],
        "message": f"I am {first[0]} {family[0]} and ask about {_TOPICS[person % len(_TOPICS)]}.",
    }
    source = _SOURCES[int(draw_one(seed, "form source", number) * len(_SOURCES))]
    chosen = FORMS[form]
    return [
        Submission(
            form=chosen,
            conversion_id=_name(f"{seed} conversion {number}"),
            person=person,
            at_ms=at * 1000 + number % 1000,
            page_url=f"{SITE}{chosen.page}" + (f"?utm_source={source}" if source else ""),
            values=tuple((name, values[name]) for name in chosen.fields),
        )
    ]
