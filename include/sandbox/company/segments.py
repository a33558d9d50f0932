"""The lists that the marketers keep in the CRM, and who is on them. Told for any moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.clock import DAY_SECONDS
from sandbox.company.businesses import Businesses
from sandbox.company.crm import MARKETING, Contact, Crm
from sandbox.company.draws import draw_one


@dataclass(frozen=True)
class Segment:
    """A list; moments are seconds before (below 0) or after the company's start."""

    segment_id: int
    name: str
    rule: str
    """DYNAMIC: who fits is on it. MANUAL: somebody put them there."""
    made_at: int
    deleted_at: int | None = None
    is_of_businesses: bool = False


NEW_READERS = Segment(21, "New readers of the newsletter", "DYNAMIC", -500 * DAY_SECONDS)
NEW_FOR_SECONDS = 60 * DAY_SECONDS
TRADE = Segment(22, "People of firms", "DYNAMIC", -400 * DAY_SECONDS)
GUESTS = Segment(23, "Guests of the autumn evening", "MANUAL", -120 * DAY_SECONDS)
LATE_GUESTS = Segment(24, "Guests of the spring evening", "MANUAL", 6 * DAY_SECONDS + 5400)
LETTERS = Segment(25, "Old letters", "MANUAL", -300 * DAY_SECONDS, deleted_at=5 * DAY_SECONDS + 3600)
FIRMS = Segment(26, "Firms", "DYNAMIC", -400 * DAY_SECONDS, is_of_businesses=True)
SEGMENTS = (NEW_READERS, TRADE, GUESTS, LATE_GUESTS, LETTERS, FIRMS)


@dataclass(frozen=True)
class Membership:
    """That somebody is on a list, and since when (seconds since 1970)."""

    segment: Segment
    contact: Contact
    since: int


def list_memberships(seed: int, crm: Crm, businesses: Businesses, now: int, start: int) -> Iterator[Membership]:
    """Every membership of a living contact at a moment, list by list."""
    employers = businesses.employers(crm.population, now)
    living = [one for one in crm.contacts if not one.archived_ms and one.created_ms <= now * 1000]
    for contact in living:
        created = contact.created_ms // 1000
        consent = crm.consent(contact.properties["email"] or "", MARKETING)
        if consent is not None and consent.status == "SUBSCRIBED" and now - NEW_FOR_SECONDS < consent.at <= now:
            yield Membership(NEW_READERS, contact, max(consent.at, created))
        if contact.person in employers and not contact.is_twin:
            yield Membership(TRADE, contact, created)
        for segment, share in ((GUESTS, 0.06), (LATE_GUESTS, 0.05), (LETTERS, 0.04)):
            since = start + segment.made_at + contact.contact_id % 3600
            is_there = created <= since <= now
            if is_there and draw_one(seed, f"list {segment.segment_id}", contact.contact_id) < share:
                yield Membership(segment, contact, since)
