"""What the CRM's people do with its contacts: before the start in one go, afterwards day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.crm import Contact, Crm, write_milliseconds
from sandbox.company.places import JOBS
from sandbox.company.population import SUBSCRIBED, TWIN_SPELLING
from sandbox.company.shop import Shop

PAST_STREAM, CHANGE_STREAM = 4, 5
CHANGE_CHANCE = 0.012
"""Share of the contacts that somebody edits on a day."""
ARCHIVE_CHANCE = 0.00005
MERGE_CHANCE = 0.01
"""Of the duplicates that only differ in spelling, those merged on a day."""
OPT_OUT_CHANCE = 0.0003
OPT_IN_CHANCE = 0.0002
STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead")


@dataclass(frozen=True)
class Change:
    """One act of the CRM's or the shop's people, planned for a moment (seconds)."""

    at: int
    kind: str
    """edit, archive, merge, opt_out, opt_in, shop_opt_out"""
    number: int
    """The contact's place; for consents the person's number."""
    draw: float


def play_past(crm: Crm, shop: Shop, seed: int, until: int) -> None:
    """Gives the contacts the state that two years of editing have left, up to a moment (seconds)."""
    random = np.random.default_rng([seed, PAST_STREAM])
    imported_at = until - 21 * DAY_SECONDS
    for contact in crm.contacts:
        draws = random.random(5)
        created = contact.created_ms // 1000
        if created >= until:
            continue
        _age(crm, shop, contact, draws, until)
        # A bulk import touched every fifth contact in the same millisecond.
        if draws[3] < 0.2 and contact.updated_ms < imported_at * 1000:
            contact.updated_ms = imported_at * 1000
            contact.properties["lastmodifieddate"] = write_milliseconds(contact.updated_ms)
        if draws[4] < 0.004 and created < until - 30 * DAY_SECONDS:
            crm.archive(contact, until - int(draws[4] * 5000 * DAY_SECONDS) - 3600)
    _merge_past(crm, random, until)


def _age(crm: Crm, shop: Shop, contact: Contact, draws: Array, until: int) -> None:
    created = contact.created_ms // 1000
    changed = until - int(-np.log(1 - draws[0]) / CHANGE_CHANCE * DAY_SECONDS) - 1
    ordered = int(shop.state["first_order_at"][contact.person])
    stage = STAGES[int(np.searchsorted([0.4, 0.7, 0.88], draws[1]))]
    if ordered < until and not contact.is_twin:
        stage, changed = "customer", max(changed, ordered)
    if changed > created:
        crm.change(contact, changed, lifecyclestage=stage)
    else:
        contact.properties["lifecyclestage"] = stage


def _merge_past(crm: Crm, random: np.random.Generator, until: int) -> None:
    traits = crm.population.traits
    for person in np.flatnonzero(traits["twin"] == TWIN_SPELLING).tolist():
        draw = random.random()
        gone, into = crm.twin(person), crm.primary(person)
        if gone is None or into is None or gone is into or gone.archived_ms or draw > 0.3:
            continue
        at = gone.created_ms // 1000 + int(draw * 100 * DAY_SECONDS) + 60
        if at < until and into.created_ms // 1000 < at:
            crm.merge(into, gone, at)


def plan_changes(crm: Crm, shop: Shop, seed: int, day: int) -> Iterator[Change]:
    """Draws a day's edits, merges, deletions and changes of mind (day: number of days since 1970)."""
    random = np.random.default_rng([seed, CHANGE_STREAM, day])
    traits = crm.population.traits
    contacts, people = len(crm.contacts), len(crm.population)
    moments = day * DAY_SECONDS + random.integers(7 * 3600, 19 * 3600, max(contacts, people))
    draws = random.random(max(contacts, people))

    def act(kind: str, numbers: Array) -> Iterator[Change]:
        for number in numbers.tolist():
            yield Change(int(moments[number]), kind, number, float(draws[number]))

    yield from act("edit", np.flatnonzero(random.random(contacts) < CHANGE_CHANCE))
    yield from act("archive", np.flatnonzero(random.random(contacts) < ARCHIVE_CHANCE))
    chosen = random.random(people)
    yield from act("merge", np.flatnonzero((traits["twin"] == TWIN_SPELLING) & (chosen < MERGE_CHANCE)))
    minds = random.random(people)
    in_crm = traits["crm_at"] < day * DAY_SECONDS
    yield from act("opt_out", np.flatnonzero(in_crm & (minds < OPT_OUT_CHANCE)))
    yield from act("opt_in", np.flatnonzero(in_crm & (minds > 1 - OPT_IN_CHANCE)))
    in_shop = (shop.state["consent"] == SUBSCRIBED) & (traits["shop_at"] < day * DAY_SECONDS)
    yield from act("shop_opt_out", np.flatnonzero(in_shop & (chosen > 1 - OPT_OUT_CHANCE)))


def apply_edit(crm: Crm, change: Change) -> None:
    """Edits one property of a living contact: mostly job or phone, sometimes its stage."""
    contact = crm.contacts[change.number]
    if contact.archived_ms or contact.created_ms >= change.at * 1000:
        return
    stage = contact.properties["lifecyclestage"]
    if change.draw < 0.3 and stage in STAGES[:-1]:
        crm.change(contact, change.at, lifecyclestage=STAGES[STAGES.index(str(stage)) + 1])
    elif change.draw < 0.8:
        crm.change(contact, change.at, jobtitle=JOBS[int(change.draw * 1000) % len(JOBS)])
    else:
        crm.change(contact, change.at, phone=f"+49 555 0199 {int(change.draw * 1e6):06d}")


def apply_archive(crm: Crm, change: Change) -> None:
    contact = crm.contacts[change.number]
    if not contact.archived_ms and contact.created_ms < change.at * 1000:
        crm.archive(contact, change.at)


def apply_merge(crm: Crm, change: Change) -> None:
    """Merges a person's two records where both live."""
    gone, into = crm.twin(change.number), crm.primary(change.number)
    if gone is None or into is None or gone is into or gone.archived_ms:
        return
    if max(gone.created_ms, into.created_ms) < change.at * 1000:
        crm.merge(into, gone, change.at)
