"""The part of SOQL that an extraction needs: fields of one object, conditions joined by AND, an order, a limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sandbox.clock import to_seconds
from sandbox.salesforce.objects import DAY, FLAG, MOMENT, NUMBER, OBJECTS, find_field, find_object

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<day>\d{4}-\d\d-\d\d)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<mark><=|>=|!=|<>|=|<|>|,|\(|\))|(?P<word>[A-Za-z_][\w.]*))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    **{"=": eq, "!=": ne, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge},
}
KINDS = {"moment": MOMENT, "day": DAY, "number": NUMBER, "text": "string", "flag": FLAG}
State = dict[str, Any]


class SoqlFault(Exception):
    """A query that the vendor refuses, with its error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Literal:
    kind: str
    """moment, day, number, text, flag or null."""
    value: Any


@dataclass(frozen=True)
class Query:
    """A query that was understood."""

    kind: str
    """The object asked for."""
    names: tuple[str, ...]
    conditions: tuple[Callable[[State], bool], ...]
    order: tuple[tuple[str, bool], ...]
    """Fields, and whether they descend."""
    limit: int | None

    def select(self, states: list[State]) -> list[State]:
        """The states that match, in the order asked for; without one, by their ids as the vendor mostly does."""
        found = [state for state in states if all(matches(state) for matches in self.conditions)]
        for name, descends in reversed(self.order or (("Id", False),)):
            found.sort(key=lambda state: _sort_key(state.get(name)), reverse=descends)
        return found if self.limit is None else found[: self.limit]


def parse_soql(text: str) -> Query:
    """Reads a query.

    Raises:
        SoqlFault: not this part of SOQL, or an object or field that the org does not have.
    """
    return _Reader(_cut(text)).read()


def _cut(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    stripped = text.rstrip()
    while place < len(stripped):
        found = TOKEN.match(stripped, place)
        if found is None:
            raise SoqlFault("MALFORMED_QUERY", f"unexpected token: '{stripped[place:].split()[0]}'")
        tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
        place = found.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self._kind = ""

    def read(self) -> Query:
        self._expect("select")
        asked = self._list_words()
        self._expect("from")
        self._kind = self._find_object(self._take("word"))
        names = tuple(self._find_field(name) for name in asked)
        conditions = self._list_conditions() if self._skip("where") else ()
        order = self._list_order() if self._skip("order") else ()
        limit = int(self._take("number")) if self._skip("limit") else None
        if self._place < len(self._tokens):
            raise self._fail()
        return Query(self._kind, names, conditions, order, limit)

    def _list_words(self) -> list[str]:
        words = [self._take("word")]
        while self._skip(","):
            words.append(self._take("word"))
        return words

    def _list_conditions(self) -> tuple[Callable[[State], bool], ...]:
        conditions = [self._read_condition()]
        while self._skip("and"):
            conditions.append(self._read_condition())
        return tuple(conditions)

    def _read_condition(self) -> Callable[[State], bool]:
        name = self._find_field(self._take("word"))
        if self._skip("in"):
            self._expect("(")
            values = [self._read_literal(name)]
            while self._skip(","):
                values.append(self._read_literal(name))
            self._expect(")")
            return lambda state: state.get(name) in values
        operator = self._take("mark")
        if operator not in COMPARE:
            raise self._fail(back=1)
        compare, wanted = COMPARE[operator], self._read_literal(name)
        if wanted is None:
            return lambda state: compare(state.get(name), None)
        return lambda state: state.get(name) is not None and compare(state[name], wanted)

    def _read_literal(self, name: str) -> Any:
        literal = self._take_literal()
        kind = OBJECTS[self._kind][name]
        if literal.kind != "null" and KINDS[literal.kind] != kind:
            raise SoqlFault(
                "INVALID_FIELD",
                f"{self._kind}.{name}: value of filter criterion for field '{name}' must be of type {kind}",
            )
        return literal.value

    def _take_literal(self) -> Literal:
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        self._place += 1
        if kind == "text":
            return Literal(kind, re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind == "moment":
            return Literal(kind, to_seconds(datetime.fromisoformat(text)))
        if kind == "day":
            return Literal(kind, text)
        if kind == "number":
            return Literal(kind, float(text))
        if kind == "word" and text.lower() in ("true", "false", "null"):
            word = text.lower()
            return Literal("null", None) if word == "null" else Literal("flag", word == "true")
        raise self._fail(back=1)

    def _list_order(self) -> tuple[tuple[str, bool], ...]:
        self._expect("by")
        order = []
        while True:
            name = self._find_field(self._take("word"))
            descends = self._skip("desc")
            if not descends:
                self._skip("asc")
            order.append((name, descends))
            if not self._skip(","):
                return tuple(order)

    def _find_object(self, name: str) -> str:
        kind = find_object(name)
        if kind is None:
            raise SoqlFault("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return kind

    def _find_field(self, name: str) -> str:
        field = find_field(self._kind, name)
        if field is None:
            message = f"No such column '{name}' on entity '{self._kind}'."
            raise SoqlFault("INVALID_FIELD", message)
        return field

    def _skip(self, word: str) -> bool:
        is_there = self._place < len(self._tokens) and self._tokens[self._place][1].lower() == word
        self._place += is_there
        return is_there

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._fail()

    def _take(self, kind: str) -> str:
        if self._place >= len(self._tokens) or self._tokens[self._place][0] != kind:
            raise self._fail()
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _fail(self, back: int = 0) -> SoqlFault:
        place = self._place - back
        token = self._tokens[place][1] if place < len(self._tokens) else "<EOF>"
        return SoqlFault("MALFORMED_QUERY", f"unexpected token: '{token}'")


def _sort_key(value: Any) -> tuple[bool, Any]:
    """Nulls come first, as they do there."""
    return (value is not None, value if value is not None else 0)
