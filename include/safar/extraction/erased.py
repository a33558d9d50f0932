"""Keeps erased people out: what a vendor tells of them again is dropped or redacted before it is landed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from safar.catalogue.source import Source, Table
from safar.extraction.rows import Line, hash_values
from safar.ledger.tombstones import EMAIL, PHONE, Tombstones


class ErasedFilter:
    """Looks at one table's lines. Without tombstones it does nothing."""

    def __init__(self, source: Source, table: Table, tombstones: Tombstones) -> None:
        self._tombstones = tombstones
        self._kinds = {name: source.name for name in table.name_personal("record")}
        self._kinds |= dict.fromkeys(table.name_personal("address"), EMAIL)
        self._phones = frozenset(table.name_personal("phone"))
        self._addresses = frozenset(table.name_personal("address"))
        self._emptied = frozenset(table.name_personal(True, "phone", "records"))
        self._declared = frozenset({*table.types, "_deleted"})
        self._key = frozenset(table.extract.key)
        self._is_of_people = bool(self._key & set(table.name_personal("record")))
        self.counts: Counter[str] = Counter()
        """Rows that were dropped, and rows that were redacted."""

    def filter(self, line: Line) -> Line | None:
        """The line as it may be landed: itself, without the person, or not at all.

        A record of an erased person is dropped, under whatever id it comes back; what they did stays, redacted. An
        erased number may have a new owner: with an address of its own a record is landed without the number.
        """
        if not self._tombstones:
            return line
        found = self._find(line.values, is_encoded=True)
        if not found:
            return self._keep_phones_out(line)
        if self._is_of_people or self._key & found.keys():
            self.counts["dropped"] += 1
            return None
        self.counts["redacted"] += 1
        return self._redact(line, found)

    def names_erased(self, flat: object) -> bool:
        """Whether a record that no table took is about an erased person."""
        is_about = bool(self._tombstones) and isinstance(flat, dict) and bool(self._find(flat, is_encoded=False))
        self.counts["dropped"] += is_about
        return is_about

    def _keep_phones_out(self, line: Line) -> Line | None:
        phones = {
            name
            for name in self._phones & line.values.keys()
            if line.values[name] and self._tombstones.find(PHONE, decode_text(line.values[name]))
        }
        if not phones:
            return line
        if self._is_of_people and not any(line.values.get(name) for name in self._addresses):
            self.counts["dropped"] += 1
            return None
        self.counts["redacted"] += 1
        values = {name: value for name, value in line.values.items() if name not in phones}
        return Line(line.key, values, line.modified_at, hash_values(values))

    def _find(self, values: Mapping[str, Any], *, is_encoded: bool) -> dict[str, str]:
        """Surrogates by column."""
        found = {}
        for column, kind in self._kinds.items():
            value = values.get(column)
            if not isinstance(value, str):
                continue
            surrogate = self._tombstones.find(kind, decode_text(value) if is_encoded else value)
            if surrogate is not None:
                found[column] = surrogate
        return found

    def _redact(self, line: Line, found: dict[str, str]) -> Line:
        values = {
            name: value
            for name, value in line.values.items()
            if name in self._declared and name not in self._emptied and (name not in self._kinds or name in found)
        }
        values |= {name: f'"{surrogate}"' for name, surrogate in found.items()}
        return Line(line.key, values, line.modified_at, hash_values(values))


def decode_text(encoded: str) -> str:
    """A text as it came, from its CSV form."""
    return encoded[1:-1].replace('""', '"')
