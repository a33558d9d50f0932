"""Reads GraphQL documents: operations, variables, fragments, fields with aliases, arguments and directives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""(?P<skip>[\s,\ufeff]+|\#[^\n\r]*)
      | (?P<block>\"{3}(?:\\\"{3}|.)*?\"{3})
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<float>-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
      | (?P<int>-?\d+)
      | (?P<name>[_A-Za-z]\w*)
      | (?P<mark>\.\.\.|[!$&():=@\[\]{|}])""",
    re.VERBOSE | re.DOTALL,
)


class SyntaxFault(ValueError):
    """A document that is no GraphQL."""


@dataclass(frozen=True)
class Variable:
    """A value that the request's variables give."""

    name: str


@dataclass
class Field:
    """One asked field."""

    name: str
    alias: str
    arguments: dict[str, Any] = field(default_factory=dict)
    directives: dict[str, dict[str, Any]] = field(default_factory=dict)
    selections: list[Field | Spread] | None = None


@dataclass
class Spread:
    """A fragment: named, or inline with or without a type."""

    fragment: str | None
    type_name: str | None
    directives: dict[str, dict[str, Any]] = field(default_factory=dict)
    selections: list[Field | Spread] = field(default_factory=list)


@dataclass
class Operation:
    """One operation of a document."""

    kind: str
    name: str | None
    defaults: dict[str, Any]
    """Declared variables with their default, None where there is none."""
    required: frozenset[str]
    selections: list[Field | Spread]


@dataclass
class Document:
    """All operations and named fragments of a request."""

    operations: list[Operation] = field(default_factory=list)
    fragments: dict[str, Spread] = field(default_factory=dict)

    def choose(self, name: str | None) -> Operation:
        """Finds the operation to carry out.

        Raises:
            SyntaxFault: there is none of that name, or no name where there are several.
        """
        fitting = [one for one in self.operations if name in (None, one.name)]
        if len(fitting) != 1:
            raise SyntaxFault("An operation name is required" if fitting else f'No operation named "{name}"')
        return fitting[0]


def parse(text: str) -> Document:
    """Reads a document.

    Raises:
        SyntaxFault: it is no GraphQL.
    """
    return _Parser(_split(text)).read_document()


def _split(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise SyntaxFault(f"syntax error, unexpected character {text[place]!r} at {place}")
        if match.lastgroup != "skip":
            tokens.append((str(match.lastgroup), match.group()))
        place = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    def read_document(self) -> Document:
        document = Document()
        while self._place < len(self._tokens):
            if self._peek() == "fragment":
                self._take("fragment")
                name = self._take_name()
                self._take("on")
                spread = Spread(None, self._take_name(), self._read_directives(), self._read_selections())
                document.fragments[name] = spread
            else:
                document.operations.append(self._read_operation())
        return document

    def _read_operation(self) -> Operation:
        if self._peek() == "{":
            return Operation("query", None, {}, frozenset(), self._read_selections())
        kind = self._take_name()
        if kind not in ("query", "mutation"):
            raise SyntaxFault(f"syntax error, unexpected {kind!r}: give a query or a mutation")
        name = None if self._peek() in ("(", "{", "@") else self._take_name()
        defaults, required = self._read_variables()
        self._read_directives()
        return Operation(kind, name, defaults, frozenset(required), self._read_selections())

    def _read_variables(self) -> tuple[dict[str, Any], set[str]]:
        defaults: dict[str, Any] = {}
        required: set[str] = set()
        if not self._accept("("):
            return defaults, required
        while not self._accept(")"):
            self._take("$")
            name = self._take_name()
            self._take(":")
            is_required = self._read_type()
            if self._accept("="):
                defaults[name], is_required = self._read_value(), False
            else:
                defaults[name] = None
            if is_required:
                required.add(name)
        return defaults, required

    def _read_type(self) -> bool:
        if self._accept("["):
            self._read_type()
            self._take("]")
        else:
            self._take_name()
        return self._accept("!")

    def _read_selections(self) -> list[Field | Spread]:
        self._take("{")
        selections: list[Field | Spread] = []
        while not self._accept("}"):
            selections.append(self._read_spread() if self._accept("...") else self._read_field())
        if not selections:
            raise SyntaxFault("syntax error, a selection is empty")
        return selections

    def _read_spread(self) -> Spread:
        if self._accept("on"):
            return Spread(None, self._take_name(), self._read_directives(), self._read_selections())
        if self._peek() in ("{", "@"):
            return Spread(None, None, self._read_directives(), self._read_selections())
        return Spread(self._take_name(), None, self._read_directives())

    def _read_field(self) -> Field:
        alias = name = self._take_name()
        if self._accept(":"):
            name = self._take_name()
        arguments = self._read_arguments()
        directives = self._read_directives()
        selections = self._read_selections() if self._peek() == "{" else None
        return Field(name, alias, arguments, directives, selections)

    def _read_arguments(self) -> dict[str, Any]:
        return self._read_pairs(")") if self._accept("(") else {}

    def _read_pairs(self, end: str) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while not self._accept(end):
            name = self._take_name()
            self._take(":")
            pairs[name] = self._read_value()
        return pairs

    def _read_directives(self) -> dict[str, dict[str, Any]]:
        directives: dict[str, dict[str, Any]] = {}
        while self._accept("@"):
            name = self._take_name()
            directives[name] = self._read_arguments()
        return directives

    def _read_value(self) -> Any:
        kind, text = self._next()
        if kind == "mark":
            return self._read_compound(text)
        if kind == "name":
            return {"true": True, "false": False, "null": None}.get(text, text)
        return _SCALARS[kind](text)

    def _read_compound(self, mark: str) -> Any:
        if mark == "$":
            return Variable(self._take_name())
        if mark == "{":
            return self._read_pairs("}")
        if mark != "[":
            raise SyntaxFault(f"syntax error, unexpected {mark!r} where a value is due")
        values = []
        while not self._accept("]"):
            values.append(self._read_value())
        return values

    def _peek(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise SyntaxFault("syntax error, unexpected end of file")
        self._place += 1
        return self._tokens[self._place - 1]

    def _accept(self, text: str) -> bool:
        is_next = self._peek() == text
        self._place += is_next
        return is_next

    def _take(self, text: str) -> None:
        if not self._accept(text):
            raise SyntaxFault(f"syntax error, unexpected {self._peek() or 'end of file'!r}, expecting {text!r}")

    def _take_name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise SyntaxFault(f"syntax error, unexpected {text!r}, expecting a name")
        return text


_SCALARS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "string": json.loads,
    "block": lambda text: text[3:-3].strip(),
}
