"""What the sales people do with one person: a lead that is worked on, converted, merged, deleted, and what it leads to.

A story depends on the seed and the person's number alone, so it is the same whenever it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.clock import DAY_SECONDS, from_seconds
from sandbox.company.crm import phone_number
from sandbox.company.places import JOBS, PLACES
from sandbox.company.population import Population
from sandbox.company.sales_ids import make_id

SALES_STREAM = 30
KNOWN_TO_SALES = 0.3
"""Share of the people who are also a business contact."""
PEOPLE_PER_ACCOUNT = 6
MASS_UPDATES = range(-3, 53)
"""Weeks, counted from the company's start, at whose end a territory changes hands: all of it in one second."""
OWNERS = (("Ines Adler", True), ("Malik Farouk", True), ("Rosa Lind", True), ("Former Colleague", False))
INDUSTRIES = ("Retail", "Hospitality", "Food & Beverage", "Education", "Healthcare")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
STAGES = (("Prospecting", 10), ("Qualification", 25), ("Proposal/Price Quote", 65), ("Negotiation/Review", 90))
Event = tuple[int, dict[str, Any]]


@dataclass
class Story:
    """One record with what happens to it."""

    kind: str
    record_id: str
    person: int | None
    events: list[Event] = field(default_factory=list)


@dataclass
class PersonStories:
    """All records of one person; none where the sales people do not know them."""

    stories: list[Story] = field(default_factory=list)
    account: int | None = None
    """The number of the account that they belong to."""


def owner_id(number: int) -> str:
    return make_id("User", number % len(OWNERS))


def list_owners(start: int) -> list[Story]:
    """The sales people themselves."""
    hired = start - 900 * DAY_SECONDS
    return [Story("User", owner_id(number), None, [(hired, _describe_owner(number))]) for number in range(len(OWNERS))]


def _describe_owner(number: int) -> dict[str, Any]:
    name, is_active = OWNERS[number]
    email = f"{name.lower().replace(' ', '.')}@safar.example"
    return {"Name": name, "Email": email, "IsActive": is_active, "Department": "Sales"}


def tell_person(population: Population, seed: int, start: int, number: int) -> PersonStories:
    """Tells what becomes of a person in the sales people's CRM, also after today."""
    random = np.random.default_rng([seed, SALES_STREAM, number])
    draws: list[float] = random.random(24).tolist()
    if draws[0] >= KNOWN_TO_SALES:
        return PersonStories()
    told = PersonStories()
    begins = int(population.traits["joined_at"][number]) + int(draws[1] * 30 * DAY_SECONDS)
    if draws[2] < 0.25:
        told.account = number // PEOPLE_PER_ACCOUNT
        told.stories = [_tell_contact(population, draws, number, begins)]
    else:
        _tell_lead(told, population, draws, number, (begins, start))
    for story in told.stories:
        if story.kind in ("Lead", "Contact"):
            _hand_over(story, number, start)
    return told


def _tell_lead(
    told: PersonStories, population: Population, draws: list[float], number: int, moments: tuple[int, int]
) -> None:
    begins, start = moments
    lead = Story("Lead", make_id("Lead", number * 2), number, [(begins, _describe_lead(population, draws, number))])
    told.stories.append(lead)
    worked_at = begins + 3600 + int(draws[3] * 5 * DAY_SECONDS)
    decided_at = worked_at + 3600 + int(draws[4] * 25 * DAY_SECONDS)
    lead.events.append((worked_at, {"Status": "Working - Contacted", "Title": _choose_job(draws[5])}))
    if draws[6] < 0.45:
        told.account = number // PEOPLE_PER_ACCOUNT
        contact = _tell_contact(population, draws, number, decided_at)
        told.stories.append(contact)
        converted = {
            "Status": "Closed - Converted",
            "IsConverted": True,
            "ConvertedDate": _write_day(decided_at),
            "ConvertedContactId": contact.record_id,
            "ConvertedAccountId": make_id("Account", told.account),
        }
        if draws[7] < 0.6:
            deal = _tell_opportunity(told, draws, number, decided_at)
            converted["ConvertedOpportunityId"] = deal
        lead.events.append((decided_at, converted))
    elif draws[6] < 0.75:
        lead.events.append((decided_at, {"Status": "Closed - Not Converted"}))
    if draws[8] < 0.12:
        told.stories.append(_tell_duplicate(lead, population, draws, number, (worked_at, start)))
    elif draws[8] > 0.97:
        gone_at = max(decided_at + 60, _tidy(start, draws[9]))
        lead.events.append((gone_at, {"IsDeleted": True}))
        if draws[10] < 0.4:
            lead.events.append((gone_at + 7200, {"IsDeleted": False}))


def _tell_duplicate(
    lead: Story, population: Population, draws: list[float], number: int, moments: tuple[int, int]
) -> Story:
    """The same person typed in once more, and in most cases found and merged into the first lead."""
    described = _describe_lead(population, draws, number)
    described["Email"] = population.address(number).upper()
    described["LeadSource"] = "Purchased List"
    worked_at, start = moments
    typed_at = worked_at + int(draws[11] * 100 * DAY_SECONDS)
    twin = Story("Lead", make_id("Lead", number * 2 + 1), number, [(typed_at, described)])
    if draws[12] < 0.75:
        merged_at = max(typed_at + 600, _tidy(start, draws[13]))
        twin.events.append((merged_at, {"IsDeleted": True, "MasterRecordId": lead.record_id}))
        lead.events.append((merged_at, {"Description": "Merged with an entry from a purchased list."}))
    return twin


def _tell_opportunity(told: PersonStories, draws: list[float], number: int, at: int) -> str:
    record_id = make_id("Opportunity", number)
    amount = float(round(draws[14] * 20_000) + 500)
    closes = at + int((0.3 + draws[15]) * 90 * DAY_SECONDS)
    described = {
        "Name": f"Order {number:06d}",
        "AccountId": make_id("Account", number // PEOPLE_PER_ACCOUNT),
        "ContactId": make_id("Contact", number),
        "Type": "New Customer",
        "LeadSource": SOURCES[int(draws[16] * len(SOURCES))],
        "OwnerId": owner_id(number),
        "IsClosed": False,
        "IsWon": False,
    }
    deal = Story("Opportunity", record_id, number)
    steps = [(at + place * (closes - at) // 5, *step) for place, step in enumerate(STAGES)]
    is_won = draws[17] < 0.4
    steps.append((closes, "Closed Won" if is_won else "Closed Lost", 100 if is_won else 0))
    for place, (moment, stage, probability) in enumerate(steps):
        changes = {
            "StageName": stage,
            "Probability": float(probability),
            "Amount": amount if place < 2 else round(amount * 0.9, 2),
            "CloseDate": _write_day(closes),
        }
        deal.events.append((moment, {**described, **changes} if place == 0 else changes))
        entry = Story("OpportunityHistory", make_id("OpportunityHistory", number * 8 + place), number)
        entry.events.append((moment, {"OpportunityId": record_id, "CreatedById": owner_id(number), **changes}))
        told.stories.append(entry)
    deal.events.append((closes, {"IsClosed": True, "IsWon": is_won}))
    told.stories.append(deal)
    return record_id


def _tell_contact(population: Population, draws: list[float], number: int, at: int) -> Story:
    described = {
        **_describe_person(population, draws, number),
        "AccountId": make_id("Account", number // PEOPLE_PER_ACCOUNT),
        "MobilePhone": None,
        "Department": "Purchasing" if draws[18] < 0.5 else None,
        "Birthdate": population.birthday(number),
        "MailingCity": PLACES[int(population.traits["place"][number])].provinces[0],
        "MailingCountry": PLACES[int(population.traits["place"][number])].country,
    }
    contact = Story("Contact", make_id("Contact", number), number, [(at, described)])
    if draws[19] < 0.5:
        contact.events.append((at + int(draws[19] * 900 * DAY_SECONDS) + 60, {"Title": _choose_job(draws[20])}))
    if draws[21] < 0.06:
        contact.events.append((at + int(draws[22] * 400 * DAY_SECONDS) + 60, {"HasOptedOutOfEmail": True}))
    return contact


def tell_account(population: Population, seed: int, number: int, contacts: list[Story]) -> Story:
    """The company that some contacts work for; it exists as soon as the first of them does."""
    draws: list[float] = np.random.default_rng([seed, SALES_STREAM + 1, number]).random(6).tolist()
    begins = min(contact.events[0][0] for contact in contacts)
    first = number * PEOPLE_PER_ACCOUNT
    described: dict[str, Any] = {
        "Name": f"{population.names(first)[1][1].title()} & Co. {number}",
        "Type": "Customer - Direct" if draws[0] < 0.5 else "Prospect",
        "Industry": INDUSTRIES[int(draws[1] * len(INDUSTRIES))],
        "BillingCountry": PLACES[int(population.traits["place"][first])].country,
        "NumberOfEmployees": int(draws[2] * 400) + 2,
        "AnnualRevenue": float(round(draws[3] * 9_000_000)),
        "Website": f"https://company{number}.example.com",
        "OwnerId": owner_id(number),
    }
    grown_at = begins + int(draws[4] * 700 * DAY_SECONDS) + 60
    return Story(
        "Account",
        make_id("Account", number),
        None,
        [(begins, described), (grown_at, {"NumberOfEmployees": described["NumberOfEmployees"] + 10})],
    )


def _describe_lead(population: Population, draws: list[float], number: int) -> dict[str, Any]:
    return {
        **_describe_person(population, draws, number),
        "Company": f"{population.names(number)[1][1].title()} & Co.",
        "Status": "Open - Not Contacted",
        "Industry": INDUSTRIES[int(draws[16] * len(INDUSTRIES))],
        "Country": PLACES[int(population.traits["place"][number])].country,
        # A text area as people fill it: a CSV that is split at line breaks falls apart here.
        "Description": 'Asked for "samples",\nwants to be called back.' if draws[17] < 0.3 else None,
        "IsConverted": False,
    }


def _describe_person(population: Population, draws: list[float], number: int) -> dict[str, Any]:
    first, family = population.names(number)
    address = population.address(number)
    return {
        "FirstName": first[0],
        "LastName": family[0],
        "Email": None if draws[23] < 0.05 else address.title() if draws[23] < 0.08 else address,
        "Phone": phone_number(population, number),
        "Title": _choose_job(draws[18]),
        "LeadSource": SOURCES[int(draws[16] * len(SOURCES))],
        "OwnerId": owner_id(number),
        "HasOptedOutOfEmail": False,
    }


def _hand_over(story: Story, number: int, start: int) -> None:
    """Gives the record to somebody else in the weeks that are its turn, while it is there."""
    last = next((at for at, changes in story.events if changes.get("IsDeleted")), None)
    for week in MASS_UPDATES:
        at = start + week * 7 * DAY_SECONDS - 7200
        if (number + week) % 9 == 0 and at > story.events[0][0] and (last is None or at < last):
            story.events.append((at, {"OwnerId": owner_id(number + week)}))


def _tidy(start: int, draw: float) -> int:
    """A moment of the weeks in which the sales people go through their old leads: before and after the start."""
    return start + int((draw * 40 - 14) * DAY_SECONDS)


def _choose_job(draw: float) -> str | None:
    return JOBS[int(draw * len(JOBS))]


def _write_day(moment: int) -> str:
    return from_seconds(moment).date().isoformat()
