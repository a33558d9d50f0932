"""Contacts as HubSpot's list, read and search see them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import orjson

from sandbox.company import Company
from sandbox.company.crm import FIRST_CONTACT_ID, Contact, write_milliseconds
from sandbox.hubspot.filters import compile_filters, sort_key

ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")
DEFAULT = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
KEPT_SEARCHES = 16


class Directory:
    """An index over the CRM that is made anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._lists: dict[bool, list[Contact]] = {}
        self._searches: OrderedDict[bytes, list[Contact]] = OrderedDict()

    def page(self, after: int, limit: int, archived: bool) -> tuple[list[Contact], int | None]:
        """Contacts by id from a place on; also the id at which the next page starts, if there is one."""
        contacts = self._contacts(archived)
        start = bisect_right(contacts, after - 1, key=attrgetter("contact_id"))
        page = contacts[start : start + limit]
        following = contacts[start + limit : start + limit + 1]
        return page, following[0].contact_id if following else None

    def search(self, request: dict[str, Any], changed_before_ms: int | None) -> list[Contact]:
        """All living contacts that match, in the order asked for.

        Raises:
            ValueError: a filter or a sort that HubSpot would refuse.
        """
        wanted = {name: request.get(name) for name in ("filterGroups", "sorts", "query")}
        key = orjson.dumps([wanted, changed_before_ms], option=orjson.OPT_SORT_KEYS)
        contacts = self._contacts(archived=False)
        found = self._searches.get(key)
        if found is None:
            found = self._search(contacts, wanted)
            if changed_before_ms is not None:
                found = [contact for contact in found if contact.updated_ms <= changed_before_ms]
            self._searches[key] = found
            if len(self._searches) > KEPT_SEARCHES:
                self._searches.popitem(last=False)
        return found

    def find(self, contact_id: str, archived: bool = False) -> Contact | None:
        place = int(contact_id) - FIRST_CONTACT_ID if contact_id.isdigit() else -1
        if not 0 <= place < len(self._company.crm.contacts):
            return None
        contact = self._company.crm.contacts[place]
        is_visible = contact.created_ms <= self._company.seconds * 1000 and not contact.is_purged
        return contact if is_visible and bool(contact.archived_ms) == archived else None

    def find_to_purge(self, object_id: str, id_property: str | None) -> int | None:
        """The place of a contact, living or archived, by its id or its address."""
        if id_property != "email":
            contact = self.find(object_id) or self.find(object_id, archived=True)
            return None if contact is None else contact.contact_id - FIRST_CONTACT_ID
        wanted = object_id.strip().lower()
        for place, contact in enumerate(self._company.crm.contacts):
            if not contact.is_purged and (contact.properties["email"] or "").strip().lower() == wanted:
                return place
        return None

    def find_by_email(self, email: str) -> Contact | None:
        person = self._company.person_by_email(email)
        contact = None if person is None else self._company.crm.primary(person.person_id)
        return None if contact is None else self.find(str(contact.contact_id))

    def _contacts(self, archived: bool) -> list[Contact]:
        if self._version != self._company.version:
            self._version = self._company.version
            self._lists.clear()
            self._searches.clear()
        if archived not in self._lists:
            now_ms = self._company.seconds * 1000
            self._lists[archived] = [
                contact
                for contact in self._company.crm.contacts
                if contact.created_ms <= now_ms and bool(contact.archived_ms) == archived and not contact.is_purged
            ]
        return self._lists[archived]

    @staticmethod
    def _search(contacts: Iterable[Contact], wanted: dict[str, Any]) -> list[Contact]:
        matches: Callable[[Contact], bool] = compile_filters(wanted["filterGroups"] or [])
        found = [contact for contact in contacts if matches(contact)]
        query = str(wanted["query"] or "").lower()
        if query:
            names = ("email", "firstname", "lastname", "phone")
            found = [one for one in found if any(query in (one.properties[name] or "").lower() for name in names)]
        for sort in reversed(wanted["sorts"] or [{"propertyName": "createdate", "direction": "ASCENDING"}]):
            name, is_descending = (sort, False) if isinstance(sort, str) else read_sort(sort)
            found.sort(key=sort_key(name), reverse=is_descending)
        return found


def read_sort(sort: dict[str, Any]) -> tuple[str, bool]:
    """Reads one sort of a search.

    Raises:
        ValueError: no property, or a direction that is none.
    """
    direction = str(sort.get("direction", "ASCENDING")).upper()
    if not sort.get("propertyName") or direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Invalid sort {sort}: give propertyName and direction ASCENDING or DESCENDING")
    return str(sort["propertyName"]), direction == "DESCENDING"


def choose_properties(asked: Iterable[str]) -> tuple[str, ...]:
    """The properties to serve: those asked for and three that always come."""
    names = [name.strip() for name in asked if name.strip()]
    return tuple(dict.fromkeys([*names, *ALWAYS])) if names else DEFAULT


def describe(contact: Contact, names: tuple[str, ...]) -> dict[str, Any]:
    """One record as HubSpot serves it."""
    values = contact.properties
    record = {
        "id": str(contact.contact_id),
        "properties": {name: values.get(name) for name in names},
        "createdAt": values["createdate"],
        "updatedAt": values["lastmodifieddate"],
        "archived": bool(contact.archived_ms),
    }
    if contact.archived_ms:
        record["archivedAt"] = record["updatedAt"] = write_milliseconds(contact.archived_ms)
    return record
