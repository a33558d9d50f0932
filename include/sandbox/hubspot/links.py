"""Which record is associated with which, at the clock's moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sandbox.company import Company
from sandbox.company.businesses import FIRST_BUSINESS_ID
from sandbox.company.crm import Contact
from sandbox.company.deals import FIRST_DEAL_ID, Deal, list_deals
from sandbox.company.engagements import FIRST_ENGAGEMENT_ID
from sandbox.company.tickets import FIRST_TICKET_ID
from sandbox.hubspot.activities import list_all_engagements
from sandbox.hubspot.sales import open_businesses
from sandbox.hubspot.service import list_all_tickets

Ids = dict[int, list[int]]
TYPES = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "contacts"): (3,),
    ("contacts", "deals"): (4,),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("tickets", "contacts"): (16,),
    ("contacts", "tickets"): (15,),
    ("emails", "contacts"): (198,),
    ("contacts", "emails"): (197,),
    ("calls", "contacts"): (194,),
    ("contacts", "calls"): (193,),
    ("meetings", "contacts"): (200,),
    ("contacts", "meetings"): (199,),
    ("tasks", "contacts"): (204,),
    ("contacts", "tasks"): (203,),
}
"""HubSpot's numbers for each kind of association; the second one marks the primary record."""
LABELS = {1: "Primary", 2: "Primary", 5: "Primary", 6: "Primary"}


class Link(NamedTuple):
    """Two records that belong together."""

    of: str
    to: str
    of_id: int
    to_id: int


class Links:
    """All associations, looked up from either side; worked out anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._found: dict[tuple[str, str], Ids] = {}

    def of(self, kind: str, other: str) -> Ids:
        """The ids of the other kind by the ids of the first."""
        if self._version != self._company.version:
            self._version = self._company.version
            self._found = {pair: {} for pair in TYPES}
            for link in list_links(self._company):
                self._found[link.of, link.to].setdefault(link.of_id, []).append(link.to_id)
                self._found[link.to, link.of].setdefault(link.to_id, []).append(link.of_id)
        return self._found[kind, other]


def list_links(company: Company) -> Iterator[Link]:
    """Every association between living records, each told once."""
    now, crm = company.seconds, company.crm
    employers = open_businesses(company).employers(company.population, now)
    for person, business in employers.items():
        contact = crm.primary(person)
        if contact is not None and not contact.is_twin and contact.created_ms <= now * 1000:
            yield Link("contacts", "companies", contact.contact_id, FIRST_BUSINESS_ID + business)
    for deal in list_deals(company.seed, company.population, now):
        if deal.archived_at is not None:
            continue
        contact = find_buyer(company, deal)
        if contact is not None:
            yield Link("deals", "contacts", FIRST_DEAL_ID + deal.number, contact.contact_id)
            colleague = _find_colleague(company, deal, employers)
            if colleague is not None:
                yield Link("deals", "contacts", FIRST_DEAL_ID + deal.number, colleague.contact_id)
        if deal.person in employers:
            yield Link("deals", "companies", FIRST_DEAL_ID + deal.number, FIRST_BUSINESS_ID + employers[deal.person])
    yield from _list_service_links(company)
    for one in list_all_engagements(company):
        contact = find_buyer(company, one.deal)
        if contact is not None:
            yield Link(one.kind, "contacts", FIRST_ENGAGEMENT_ID + one.number, contact.contact_id)


def _find_colleague(company: Company, deal: Deal, employers: dict[int, int]) -> Contact | None:
    """Some deals have a second contact, of the same firm."""
    if deal.number % 5 or deal.person not in employers:
        return None
    for person in range(deal.person + 1, deal.person + 400):
        if employers.get(person) == employers[deal.person]:
            contact = company.crm.primary(person)
            return contact if contact is not None and not contact.is_twin else None
    return None


def _list_service_links(company: Company) -> Iterator[Link]:
    for ticket in list_all_tickets(company):
        contact = company.crm.primary(ticket.person)
        if ticket.archived_at is None and contact is not None and not contact.is_twin:
            yield Link("tickets", "contacts", FIRST_TICKET_ID + ticket.number, contact.contact_id)


def find_buyer(company: Company, deal: Deal) -> Contact | None:
    """The living contact that brought a deal: the person's duplicate for some, until it is merged away."""
    twin, living = company.crm.twin(deal.person), company.crm.primary(deal.person)
    is_twins = twin is not None and not twin.archived_ms and twin.created_ms <= deal.created_at * 1000
    if deal.number % 3 == 0 and is_twins:
        return twin
    return None if living is None or living.is_twin else living
