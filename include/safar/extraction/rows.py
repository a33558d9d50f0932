"""From a vendor's record to a line of a table: flattened, typed, hashed; or rejected with a reason.

Objects become columns joined by ``__`` in snake case, lists stay JSON. An empty text lands as null, and
characters that PostgreSQL cannot hold (NUL) are left out. Columns that nobody declared land as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention

from safar.catalogue.source import Table
from safar.extraction.row_rules import RowRule, RuleBroken
from safar.extraction.values import ENCODERS, Unreadable, encode_text

SEPARATOR = "__"


@dataclass(frozen=True)
class Line:
    """One version of a record, ready to be copied: values in CSV form by column, None for null."""

    key: tuple[str, ...]
    values: dict[str, str]
    modified_at: str | None
    version: str
    """Hash over all values that are not null; two equal versions have the same one."""


class Rejected(Exception):
    """The record cannot be a row of its table; the message is the reason and holds no data of it."""


class Columns:
    """Names a table's columns the way dlt names them, and remembers the names it has worked out."""

    def __init__(self, table: Table) -> None:
        self._rename = table.extract.rename
        self._naming = NamingConvention()
        self._names: dict[tuple[str, str], str] = {}

    def flatten(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record's values by column name."""
        flat: dict[str, Any] = {}
        self._flatten(record, "", flat)
        for found, wanted in self._rename.items():
            if found in flat:
                flat[wanted] = flat.pop(found)
        return flat

    def read_one(self, record: Mapping[str, Any], column: str) -> Any:
        return self.flatten(record).get(column)

    def _flatten(self, record: Mapping[str, Any], prefix: str, flat: dict[str, Any]) -> None:
        for field, value in record.items():
            name = self._names.get((prefix, field))
            if name is None:
                name = self._names[prefix, field] = prefix + self._naming.normalize_identifier(field)
            if type(value) is dict:
                self._flatten(value, name + SEPARATOR, flat)
            else:
                flat[name] = value


class LineReader:
    """Turns the records of one table into lines."""

    def __init__(self, table: Table, rules: tuple[RowRule, ...] = ()) -> None:
        extract = table.extract
        self.columns = Columns(table)
        self.undeclared: set[str] = set()
        """Columns that came without being declared; they land as text."""
        self._table = table
        self._encoders = {column.name: ENCODERS[column.data_type] for column in table.columns}
        self._types = table.types
        self._key = extract.key
        self._modified_at = extract.modified_at
        self._deleted = extract.deleted
        self._rules = rules

    def read(self, record: Any, is_gone: bool = False) -> Line:
        """Reads one record.

        Raises:
            Rejected: its key is missing, a declared type does not fit, or a rule about single rows fails.
        """
        if not isinstance(record, dict):
            raise Rejected("the record is not an object")
        flat = self.columns.flatten(record)
        values: dict[str, str] = {}
        for name, value in flat.items():
            if value is None or value == "":
                continue
            encoded = self._encode(name, value)
            if encoded is not None:
                values[name] = encoded
        missing = [column for column in self._key if column not in values]
        if missing:
            raise Rejected(f"key column {', '.join(missing)} is empty")
        self._apply_rules(flat)
        if is_gone or (self._deleted and flat.get(self._deleted.column) == self._deleted.equals):
            values["_deleted"] = "true"
        key = tuple(values[column] for column in self._key)
        modified_at = values.get(self._modified_at) if self._modified_at else None
        return Line(key, values, modified_at, _hash(values))

    def _apply_rules(self, flat: dict[str, Any]) -> None:
        try:
            for rule in self._rules:
                rule.check(flat)
        except RuleBroken as broken:
            raise Rejected(str(broken)) from None

    def _encode(self, name: str, value: Any) -> str | None:
        encoder = self._encoders.get(name)
        if encoder is None:
            self.undeclared.add(name)
            return encode_text(value)
        try:
            return encoder(value)
        except Unreadable as problem:
            raise Rejected(f"column {name} is not a {self._types[name]}: {problem}") from None


def _hash(values: Mapping[str, str]) -> str:
    """Null columns do not count, so a column declared later makes no new version of what lacks it."""
    text = "\0".join(f"{name}\1{values[name]}" for name in sorted(values))
    return md5(text.encode(), usedforsecurity=False).hexdigest()
