"""The org's records as they stand at the company's moment."""

from __future__ import annotations

from typing import Any

from sandbox.company import Company
from sandbox.salesforce.soql import Query

ID_LENGTHS = (15, 18)


class Org:
    """All states by object, worked out anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._states: dict[str, list[dict[str, Any]]] = {}
        self._people: dict[str, int] = {}

    def select(self, query: Query, *, with_deleted: bool) -> list[dict[str, Any]]:
        """What a query finds; `query` leaves deleted records out, `queryAll` has them."""
        states = self.states(query.kind)
        return query.select(states if with_deleted else [state for state in states if not state["IsDeleted"]])

    def states(self, kind: str) -> list[dict[str, Any]]:
        """Every record of an object that can be asked for, deleted ones too."""
        sales = self._company.sales
        version = (self._company.seconds, sales.version, len(self._company.population))
        if version != self._version:
            self._version = version
            self._states, self._people = {}, {}
            for record, state in sales.list_states(self._company.seconds):
                self._states.setdefault(record.kind, []).append(state)
                if record.person is not None:
                    self._people[record.record_id] = record.person
        return self._states.get(kind, [])

    def find(self, kind: str, record_id: str) -> dict[str, Any] | None:
        """A record by its id of 15 or 18 characters."""
        if len(record_id) not in ID_LENGTHS:
            return None
        return next((state for state in self.states(kind) if state["Id"][: len(record_id)] == record_id), None)

    def person_of(self, record_id: str) -> int | None:
        """Who a record is about; None for a company or one of the sales people."""
        return self._people.get(record_id)
