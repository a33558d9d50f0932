"""From a vendor's record to a line of a table: flattened, typed, hashed; or rejected with a reason.

Objects become columns joined by ``__`` in snake case, lists stay JSON. An empty text lands as null, and
characters that PostgreSQL cannot hold (NUL) are left out. Columns that nobody declared land as text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from hashlib import md5
from typing import Any

from dlt.common.normalizers.naming.snake_case import NamingConvention

from safar.catalogue.source import Table
from safar.errors import ConfigurationError
from safar.extraction.row_rules import RowRule, RuleBroken
from safar.extraction.values import ENCODERS, Encoder, Unreadable, encode_text

SEPARATOR = "__"


@dataclass(slots=True)
class Line:
    """One version of a record, ready to be copied: values in CSV form by column, None for null."""

    key: tuple[str, ...]
    values: dict[str, str]
    modified_at: str | None
    version: str
    """Hash over all values that are not null; two equal versions have the same one."""


class Rejected(Exception):
    """The record cannot be a row of its table; the message is the reason and holds no data of it."""


@dataclass
class Field:
    """What a vendor's field becomes: a column, and, when it holds an object, the columns of its fields."""

    column: str
    encode: Encoder | None
    """None when nobody declared the column."""
    is_watched: bool
    """Whether a rule wants to see the value as it came."""
    inner: dict[str, Field] = dataclass_field(default_factory=dict)


class Columns:
    """A table's columns as its vendor nests them, worked out once per field and then looked up."""

    def __init__(self, table: Table, watched: frozenset[str] = frozenset()) -> None:
        self.fields: dict[str, Field] = {}
        self._rename = table.extract.rename
        self._encoders = {column.name: ENCODERS[column.data_type] for column in table.columns}
        self._watched = watched
        self._naming = NamingConvention()
        self._paths: dict[int, str] = {id(self.fields): ""}

    def learn(self, siblings: dict[str, Field], name: str) -> Field:
        """Works out a field that was not seen before; ``siblings`` are the known fields beside it."""
        path = self._paths[id(siblings)] + self._naming.normalize_identifier(name)
        column = self._rename.get(path, path)
        field = Field(column, self._encoders.get(column), column in self._watched)
        self._paths[id(field.inner)] = path + SEPARATOR
        siblings[name] = field
        return field

    def flatten(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record's values by column, as they came."""
        flat: dict[str, Any] = {}
        self._flatten(record, self.fields, flat)
        return flat

    def list_named(self) -> tuple[set[str], set[str]]:
        """The columns that records have named, with or without a value; of them those that were objects."""
        named: set[str] = set()
        parents: set[str] = set()
        waiting = [self.fields]
        while waiting:
            for field in waiting.pop().values():
                named.add(field.column)
                if field.inner:
                    parents.add(field.column)
                    waiting.append(field.inner)
        return named, parents

    def describe_path(self, column: str) -> str:
        """The column's name before `rename`."""
        return next((path for path, renamed in self._rename.items() if renamed == column), column)

    def read_one(self, record: Mapping[str, Any], column: str) -> Any:
        return self.flatten(record).get(column)

    def _flatten(self, record: Mapping[str, Any], known: dict[str, Field], flat: dict[str, Any]) -> None:
        for name, value in record.items():
            field = known.get(name) or self.learn(known, name)
            if type(value) is dict:
                self._flatten(value, field.inner, flat)
            else:
                flat[field.column] = value


class LineReader:
    """Turns the records of one table into lines."""

    def __init__(self, table: Table, rules: tuple[RowRule, ...] = ()) -> None:
        extract = table.extract
        self.columns = Columns(table, frozenset(rule.column for rule in rules))
        self.undeclared: set[str] = set()
        """Columns that came without being declared; they land as text."""
        self.unreadable: Counter[str] = Counter()
        """Column -> how many records were rejected because its value does not fit its type."""
        self._types = table.types
        self._key = extract.key
        self._modified_at = extract.modified_at
        self._tombstone = _encode_tombstone(table)
        self._rules = rules

    def read(self, record: Any, is_gone: bool = False) -> Line:
        """Reads one record.

        Raises:
            Rejected: its key is missing, a declared type does not fit, or a rule about single rows fails.
        """
        if type(record) is not dict:
            raise Rejected("the record is not an object")
        values: dict[str, str] = {}
        seen: dict[str, Any] = {}
        self._encode(record, self.columns.fields, values, seen)
        try:
            key = tuple([values[column] for column in self._key])
        except KeyError as missing:
            raise Rejected(f"key column {missing.args[0]} is empty") from None
        if self._rules:
            self._apply_rules(seen)
        if is_gone or (self._tombstone and self._tombstone.items() <= values.items()):
            values["_deleted"] = "true"
        modified_at = values.get(self._modified_at) if self._modified_at else None
        return Line(key, values, modified_at, hash_values(values))

    def _encode(
        self, record: dict[str, Any], known: dict[str, Field], values: dict[str, str], seen: dict[str, Any]
    ) -> None:
        for name, value in record.items():
            if value is None or value == "":
                if name not in known:
                    self.columns.learn(known, name)
                continue
            field = known.get(name) or self.columns.learn(known, name)
            if type(value) is dict:
                self._encode(value, field.inner, values, seen)
                continue
            if field.is_watched:
                seen[field.column] = value
            if field.encode is None:
                self.undeclared.add(field.column)
                values[field.column] = encode_text(value)
                continue
            try:
                values[field.column] = field.encode(value)
            except Unreadable as problem:
                column = field.column
                self.unreadable[column] += 1
                raise Rejected(f"column {column} is not a {self._types[column]}: {problem}") from None

    def _apply_rules(self, seen: dict[str, Any]) -> None:
        try:
            for rule in self._rules:
                rule.check(seen)
        except RuleBroken as broken:
            raise Rejected(str(broken)) from None


def _encode_tombstone(table: Table) -> dict[str, str]:
    """The column and the value that say that a record is gone, in CSV form: files have no true, only a text."""
    rule = table.extract.deleted
    if rule is None:
        return {}
    kind = table.types[rule.column]
    try:
        return {rule.column: ENCODERS[kind](rule.equals)}
    except Unreadable as problem:
        raise ConfigurationError(
            f"Table {table.name!r}: deleted.equals: {rule.equals!r} can never stand in the column {rule.column!r}, "
            f"which is a {kind}: {problem}. Write a value of that type."
        ) from None


def hash_values(values: Mapping[str, str]) -> str:
    """Null columns do not count, so a column declared later makes no new version of what lacks it."""
    text = "\0".join(sorted([f"{name}\1{value}" for name, value in values.items()]))
    return md5(text.encode(), usedforsecurity=False).hexdigest()
