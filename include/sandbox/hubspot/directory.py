"""Records of one kind as HubSpot's list, read and search see them."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import orjson

from sandbox.company import Company
from sandbox.company.crm import FIRST_CONTACT_ID, Contact
from sandbox.hubspot.filters import compile_filters, sort_key
from sandbox.hubspot.records import ObjectKind

KEPT_SEARCHES = 16


class Directory:
    """An index over the records of a kind that is made anew when the company has changed."""

    def __init__(self, company: Company, kind: ObjectKind) -> None:
        self.kind = kind
        self._company = company
        self._version: object = None
        self._lists: dict[bool, list[Any]] = {}
        self._by_id: dict[int, Any] = {}
        self._searches: OrderedDict[bytes, list[Any]] = OrderedDict()

    def page(self, after: int, limit: int, archived: bool) -> tuple[list[Any], int | None]:
        """Records by id from a place on; also the id at which the next page starts, if there is one."""
        records = self._records(archived)
        start = bisect_left(records, after, key=attrgetter("object_id"))
        page = records[start : start + limit]
        following = records[start + limit : start + limit + 1]
        return page, following[0].object_id if following else None

    def search(self, request: dict[str, Any], changed_before_ms: int | None) -> list[Any]:
        """All living records that match, in the order asked for.

        Raises:
            ValueError: a filter or a sort that HubSpot would refuse.
        """
        wanted = {name: request.get(name) for name in ("filterGroups", "sorts", "query")}
        key = orjson.dumps([wanted, changed_before_ms], option=orjson.OPT_SORT_KEYS)
        records = self._records(archived=False)
        found = self._searches.get(key)
        if found is None:
            found = self._search(records, wanted)
            if changed_before_ms is not None:
                found = [record for record in found if record.updated_ms <= changed_before_ms]
            self._searches[key] = found
            if len(self._searches) > KEPT_SEARCHES:
                self._searches.popitem(last=False)
        return found

    def find(self, object_id: str, archived: bool = False) -> Any | None:
        self._refresh()
        if not self._by_id:
            self._by_id = {one.object_id: one for is_gone in (False, True) for one in self._records(is_gone)}
        record = self._by_id.get(int(object_id)) if object_id.isdigit() else None
        return record if record is not None and bool(record.archived_ms) == archived else None

    def find_by(self, id_property: str, value: str) -> Any | None:
        """A living record by a property whose values are unique.

        Raises:
            ValueError: records of this kind have no such property.
        """
        raise ValueError(f"idProperty {id_property} is none of {self.kind.name}")

    def _refresh(self) -> None:
        if self._version != self._company.version:
            self._version = self._company.version
            self._lists.clear()
            self._by_id.clear()
            self._searches.clear()

    def _records(self, archived: bool) -> list[Any]:
        self._refresh()
        if not self._lists:
            now_ms = self._company.seconds * 1000
            self._lists = {True: [], False: []}
            for record in self.kind.list_all(self._company):
                if record.created_ms <= now_ms and not record.is_purged:
                    self._lists[bool(record.archived_ms)].append(record)
        return self._lists[archived]

    def _search(self, records: Iterable[Any], wanted: dict[str, Any]) -> list[Any]:
        matches = compile_filters(wanted["filterGroups"] or [])
        found = [record for record in records if matches(record)]
        query = str(wanted["query"] or "").lower()
        if query:
            names = self.kind.searched
            found = [one for one in found if any(query in (one.properties[name] or "").lower() for name in names)]
        for sort in reversed(wanted["sorts"] or [{"propertyName": "createdate", "direction": "ASCENDING"}]):
            name, is_descending = (sort, False) if isinstance(sort, str) else read_sort(sort)
            found.sort(key=sort_key(name), reverse=is_descending)
        return found


class ContactDirectory(Directory):
    """Contacts, which are also found by their address."""

    def find(self, object_id: str, archived: bool = False) -> Contact | None:
        place = int(object_id) - FIRST_CONTACT_ID if object_id.isdigit() else -1
        if not 0 <= place < len(self._company.crm.contacts):
            return None
        contact = self._company.crm.contacts[place]
        is_visible = contact.created_ms <= self._company.seconds * 1000 and not contact.is_purged
        return contact if is_visible and bool(contact.archived_ms) == archived else None

    def find_by(self, id_property: str, value: str) -> Contact | None:
        if id_property != "email":
            return super().find_by(id_property, value)
        person = self._company.person_by_email(value)
        contact = None if person is None else self._company.crm.primary(person.person_id)
        return None if contact is None else self.find(str(contact.contact_id))

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


def read_sort(sort: dict[str, Any]) -> tuple[str, bool]:
    """Reads one sort of a search.

    Raises:
        ValueError: no property, or a direction that is none.
    """
    direction = str(sort.get("direction", "ASCENDING")).upper()
    if not sort.get("propertyName") or direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Invalid sort {sort}: give propertyName and direction ASCENDING or DESCENDING")
    return str(sort["propertyName"]), direction == "DESCENDING"
