"""The CRM's contacts and consents, as they stand at the clock's moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.clock import EPOCH, write_seconds
from sandbox.company.places import FAR_AWAY, JOBS, PLACES, SOURCES, Place
from sandbox.company.population import (
    BLANKS,
    NEVER,
    SUBSCRIBED,
    TWIN_SPELLING,
    UNSUBSCRIBED,
    UPPER,
    Population,
    spell_address,
)

FIRST_CONTACT_ID = 1001
MARKETING, SERVICE = 441, 442
"""The CRM's two subscription types."""


@dataclass(slots=True)
class Contact:
    """One CRM record; property values are text or null, as the vendor serves them."""

    contact_id: int
    person: int
    created_ms: int
    updated_ms: int
    properties: dict[str, str | None]
    is_twin: bool = False
    archived_ms: int = 0
    """When it was deleted or merged away; 0 while it lives."""
    is_purged: bool = False
    """Deleted for good, as the law on privacy asks: in no list and with nothing left."""

    @property
    def object_id(self) -> int:
        return self.contact_id


@dataclass(frozen=True, slots=True)
class Consent:
    """What one address said about one subscription type."""

    status: str
    source: str
    at: int


@dataclass
class Crm:
    """All contacts in the order of their ids, and what addresses have consented to."""

    population: Population
    contacts: list[Contact] = field(default_factory=list)
    consents: dict[tuple[str, int], Consent] = field(default_factory=dict)
    """By normalised address and subscription type; an absent one was never asked."""
    blocked: set[str] = field(default_factory=set)
    """Addresses that may not come back."""
    version: int = 0
    _primary: dict[int, int] = field(default_factory=dict)
    _twin: dict[int, int] = field(default_factory=dict)

    def add_people(self, numbers: list[int]) -> None:
        """Creates the records of new people, in the order in which the CRM learns of them."""
        traits = self.population.traits
        records = [(int(traits["crm_at"][number]), number, False) for number in numbers]
        records += [(int(traits["twin_at"][number]), number, True) for number in numbers]
        for at, number, is_twin in sorted(record for record in records if record[0] != NEVER):
            place = len(self.contacts)
            (self._twin if is_twin else self._primary)[number] = place
            self.contacts.append(self._describe(FIRST_CONTACT_ID + place, number, at, is_twin))
            if not is_twin:
                self._note_first_consent(number, at)
        self.version += 1

    def primary(self, person: int) -> Contact | None:
        """The person's living record, the older one where there are two."""
        for places in (self._primary, self._twin):
            place = places.get(person)
            if place is not None and not self.contacts[place].archived_ms:
                return self.contacts[place]
        return None

    def twin(self, person: int) -> Contact | None:
        place = self._twin.get(person)
        return None if place is None else self.contacts[place]

    def change(self, contact: Contact, at: int, **properties: str | None) -> None:
        """Changes properties at a moment (seconds); the modification date follows."""
        contact.updated_ms = max(at * 1000 + contact.contact_id % 1000, contact.updated_ms)
        moment = write_milliseconds(contact.updated_ms)
        contact.properties = {**contact.properties, **properties, "lastmodifieddate": moment}
        self.version += 1

    def archive(self, contact: Contact, at: int) -> None:
        contact.archived_ms = contact.updated_ms = at * 1000
        self.version += 1

    def purge(self, contact: Contact, at: int) -> None:
        """Deletes for good, with what its address consented to."""
        address = (contact.properties["email"] or "").strip().lower()
        for subscription in (MARKETING, SERVICE):
            self.consents.pop((address, subscription), None)
        contact.properties = dict.fromkeys(contact.properties)
        contact.is_purged = True
        contact.archived_ms = contact.archived_ms or at * 1000
        self.version += 1

    def merge(self, into: Contact, gone: Contact, at: int) -> None:
        """Merges a record into another, as the CRM's people do with duplicates."""
        before = into.properties["hs_merged_object_ids"]
        merged = f"{before};{gone.contact_id}" if before else str(gone.contact_id)
        self.archive(gone, at)
        self.change(into, at, hs_merged_object_ids=merged)

    def consent(self, email: str, subscription: int) -> Consent | None:
        return self.consents.get((email.strip().lower(), subscription))

    def set_consent(self, email: str, subscription: int, status: str, source: str, at: int) -> None:
        self.consents[email.strip().lower(), subscription] = Consent(status, source, at)
        self.version += 1

    def _note_first_consent(self, number: int, at: int) -> None:
        stated = int(self.population.traits["crm_consent"][number])
        if stated not in (SUBSCRIBED, UNSUBSCRIBED):
            return
        status, source = ("SUBSCRIBED", "FORM") if stated == SUBSCRIBED else ("UNSUBSCRIBED", "PREFERENCE_CENTER")
        self.consents[self.population.address(number), MARKETING] = Consent(status, source, at)

    def _describe(self, contact_id: int, number: int, at: int, is_twin: bool) -> Contact:
        traits = self.population.traits
        place = PLACES[int(traits["place"][number])]
        first, family = self.population.names(number)
        created_ms = at * 1000 + contact_id % 1000
        moment = write_milliseconds(created_ms)
        properties: dict[str, str | None] = {
            "email": self._spell_email(number, is_twin),
            "firstname": first[0],
            "lastname": None if is_twin and number % 3 == 0 else family[0],
            "lifecyclestage": "lead" if number % 2 else "subscriber",
            "hs_language": place.locale,
            "country": place.country_code,
            "hs_timezone": time_zone(number, place),
            "birthday": None if is_twin else self.population.birthday(number),
            "gender": None if number % 4 == 0 else ("female" if traits["is_woman"][number] else "male"),
            "province": place.provinces[number % len(place.provinces)],
            "jobtitle": JOBS[int(traits["job"][number])],
            "phone": phone_number(self.population, number),
            "hs_analytics_source": SOURCES[int(traits["source"][number])],
            "hs_merged_object_ids": None,
            "deceased": None,
            "createdate": moment,
            "lastmodifieddate": moment,
            "hs_object_id": str(contact_id),
        }
        return Contact(contact_id, number, created_ms, created_ms, properties, is_twin)

    def _spell_email(self, number: int, is_twin: bool) -> str | None:
        traits = self.population.traits
        address = self.population.address(number)
        if not is_twin:
            return spell_address(address, int(traits["crm_email_form"][number]), number)
        if traits["twin"][number] == TWIN_SPELLING:
            is_upper = traits["crm_email_form"][number] != UPPER
            return spell_address(address, UPPER if is_upper else BLANKS, number)
        return self.population.other_address(number)


def time_zone(number: int, place: Place) -> str | None:
    """As typed into the CRM: mostly their country's, sometimes nothing, sometimes where they moved to."""
    if number % 29 == 0:
        return None
    return FAR_AWAY[number // 31 % len(FAR_AWAY)] if number % 31 == 0 else place.time_zone


def phone_number(population: Population, number: int) -> str | None:
    """A number that nobody has, in a third of the cases missing."""
    if number % 3 == 0:
        return None
    place = PLACES[int(population.traits["place"][number])]
    return f"{place.dialling_code} 555 01{number % 100:02d} {number:06d}"


def write_milliseconds(milliseconds: int) -> str:
    """Writes milliseconds since 1970 as the CRM does: always three decimals."""
    return f"{write_seconds(milliseconds // 1000)[:19]}.{milliseconds % 1000:03d}Z"


def read_milliseconds(text: str) -> int:
    """Reads a CRM's moment: epoch milliseconds or ISO 8601.

    Raises:
        ValueError: neither.
    """
    if text.lstrip("-").isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EPOCH.tzinfo)
    return round((moment - EPOCH).total_seconds() * 1000)
