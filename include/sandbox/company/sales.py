"""What the company's sales people keep in their own CRM: records, and what was true of each at a moment.

Nothing here is told to the rest of the company: whether anybody asks Salesforce changes no other figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import DAY_SECONDS
from sandbox.company.population import Population
from sandbox.company.sales_stories import Story, list_owners, tell_account, tell_person

KEPT_IN_BIN_SECONDS = 15 * DAY_SECONDS
"""How long a deleted record can still be asked for."""
Fields = dict[str, Any]


@dataclass(slots=True)
class SalesRecord:
    """One record of one kind; moments are seconds since 1970."""

    kind: str
    record_id: str
    person: int | None
    events: list[tuple[int, Fields]]
    """What changed when, in order; the first one is its creation."""

    def at(self, moment: int, since: list[tuple[int, Fields]]) -> Fields | None:
        """The record's fields at a moment, or None when it does not exist yet or any more.

        Args:
            since: what others changed by the vendor's API.
        """
        state: Fields = {"Id": self.record_id, "IsDeleted": False}
        deleted_at = changed_at = 0
        for at, changes in sorted([*self.events, *since], key=lambda event: event[0]) if since else self.events:
            if at > moment:
                break
            state.update(changes)
            changed_at = at
            if "IsDeleted" in changes:
                deleted_at = at
        if not changed_at or (state["IsDeleted"] and deleted_at + KEPT_IN_BIN_SECONDS <= moment):
            return None
        state["CreatedDate"] = self.events[0][0]
        state["LastModifiedDate"] = state["SystemModstamp"] = changed_at
        return state


@dataclass
class Sales:
    """All records, made when somebody asks for them first."""

    population: Population
    seed: int
    start: int
    """Where the company's clock began."""
    version: int = 0
    """Grows with each change by the API."""
    _records: list[SalesRecord] = field(default_factory=list)
    _people_told: int = 0
    _changes: dict[str, list[tuple[int, Fields]]] = field(default_factory=dict)

    def list_states(self, moment: int) -> list[tuple[SalesRecord, Fields]]:
        """Every record that can be asked for at a moment, deleted ones too, with its fields."""
        self._tell_newcomers()
        states = []
        for record in self._records:
            state = record.at(moment, self._changes.get(record.record_id, []))
            if state is not None:
                states.append((record, state))
        return states

    def change(self, record_id: str, at: int, fields: Mapping[str, Any]) -> None:
        """Notes that somebody changed or deleted a record by the API."""
        self._changes.setdefault(record_id, []).append((at, dict(fields)))
        self.version += 1

    def _tell_newcomers(self) -> None:
        """Makes the records of those who joined since the last time; the earlier ones stay as they are."""
        if self._people_told == len(self.population):
            return
        stories = list_owners(self.start)
        accounts: dict[int, list[Story]] = {}
        for number in range(len(self.population)):
            told = tell_person(self.population, self.seed, self.start, number)
            stories += told.stories
            if told.account is not None:
                accounts.setdefault(told.account, []).extend(one for one in told.stories if one.kind == "Contact")
        stories += [tell_account(self.population, self.seed, number, of) for number, of in accounts.items()]
        self._records = [
            SalesRecord(story.kind, story.record_id, story.person, sorted(story.events, key=lambda event: event[0]))
            for story in stories
        ]
        self._people_told = len(self.population)
