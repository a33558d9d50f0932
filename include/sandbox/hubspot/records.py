"""What all kinds of CRM records have in common, and what tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.company import Company
from sandbox.company.crm import write_milliseconds

History = Callable[[Any, str], list[dict[str, Any]]]
Spoil = Callable[[dict[str, Any]], None]


class Record(Protocol):
    """A record of any kind; its properties are text or null, as HubSpot serves them."""

    @property
    def object_id(self) -> int: ...
    @property
    def created_ms(self) -> int: ...
    @property
    def updated_ms(self) -> int: ...
    @property
    def archived_ms(self) -> int: ...
    @property
    def is_purged(self) -> bool: ...
    @property
    def properties(self) -> Mapping[str, str | None]: ...


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """A record that follows from the moment alone."""

    object_id: int
    created_ms: int
    updated_ms: int
    archived_ms: int
    """When it was deleted; 0 while it lives."""
    properties: dict[str, str | None]
    entries: tuple[tuple[int, str], ...] = ()
    """When (in milliseconds) it came into which stage."""
    is_purged: bool = False


@dataclass(frozen=True)
class ObjectKind:
    """One kind of records: what it is called, and which properties HubSpot sends unasked."""

    name: str
    list_all: Callable[[Company], Sequence[Any]]
    """Every record up to now, also archived ones, by id."""
    defaults: tuple[str, ...]
    modified: str = "hs_lastmodifieddate"
    searched: tuple[str, ...] = ()
    """Properties in which a search's ``query`` looks."""
    staged: str | None = None
    """The property whose course is kept."""
    spoiled: dict[str, Spoil] = field(default_factory=dict)
    """Faults of this kind's records, beside those that every kind knows."""

    @property
    def path(self) -> str:
        return f"/crm/v3/objects/{self.name}"

    @property
    def always(self) -> tuple[str, str, str]:
        return "createdate", "hs_object_id", self.modified

    def choose_properties(self, asked: Iterable[str]) -> tuple[str, ...]:
        """The properties to serve: those asked for and three that always come."""
        names = [name.strip() for name in asked if name.strip()]
        return tuple(dict.fromkeys([*names, *self.always])) if names else (*self.defaults, *self.always)

    def describe(self, record: Record, names: tuple[str, ...], with_history: tuple[str, ...] = ()) -> dict[str, Any]:
        """One record as HubSpot serves it."""
        values = record.properties
        told: dict[str, Any] = {
            "id": str(record.object_id),
            "properties": {name: values.get(name) for name in names},
            "createdAt": values["createdate"],
            "updatedAt": values[self.modified],
            "archived": bool(record.archived_ms),
        }
        if with_history:
            told["propertiesWithHistory"] = {name: self._tell_history(record, name) for name in with_history}
        if record.archived_ms:
            told["archivedAt"] = told["updatedAt"] = write_milliseconds(record.archived_ms)
        return told

    def spoil(self, company: Company, path: str, records: list[dict[str, Any]]) -> None:
        ways = {"missing_key": _lose_id, "unparsable_date": self._spoil_date, **self.spoiled}
        company.faults.spoil_records("hubspot", path, records, ways)

    def _tell_history(self, record: Any, name: str) -> list[dict[str, Any]]:
        """The newest value first; of all but one property only the last is kept."""
        entries: Sequence[tuple[int, str | None]] = [(record.updated_ms, record.properties.get(name))]
        if name == self.staged:
            entries = record.entries
        return [
            {"value": value, "timestamp": write_milliseconds(at), "sourceType": "CRM_UI", "sourceId": "userId:641"}
            for at, value in reversed(entries)
        ]

    def _spoil_date(self, record: dict[str, Any]) -> None:
        record["updatedAt"] = record["properties"][self.modified] = "2026-02-30T99:99:99Z"


def _lose_id(record: dict[str, Any]) -> None:
    del record["id"]
    record["properties"]["hs_object_id"] = None
