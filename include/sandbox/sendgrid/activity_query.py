"""The query language of Email Activity: conditions with AND, OR and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Protocol

FIELDS = frozenset(
    ("msg_id", "from_email", "subject", "to_email", "status", "template_id", "asm_group_id", "last_event_time")
)
LISTS = frozenset(("categories", "events"))
TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"[^"]*"|'[^']*')
    |(?P<mark>!=|=|[(),\[\]])
    |(?P<word>[A-Za-z_]\w*)
    )""",
    re.VERBOSE,
)


class Subject(Protocol):
    """What a query asks about: one mail."""

    def read_field(self, name: str) -> str: ...

    def read_list(self, name: str) -> list[str]: ...

    def read_argument(self, name: str) -> str: ...


Condition = Callable[[Subject], bool]


class BadQuery(ValueError):
    """The vendor's words about a query that it does not understand."""


def parse_query(text: str) -> Condition:
    """Reads a query.

    Raises:
        BadQuery: it is none.
    """
    parser = _Parser(list(_split(text)))
    condition = parser.read_alternatives()
    if parser.peek() is not None:
        raise BadQuery(f"unexpected {parser.peek()}")
    return condition


def _split(text: str) -> Iterator[str]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            raise BadQuery(f"invalid query near position {position}")
        yield found[0].strip()
        position = found.end()


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def read_alternatives(self) -> Condition:
        branches = [self._read_all()]
        while self._take_word("OR"):
            branches.append(self._read_all())
        return branches[0] if len(branches) == 1 else lambda mail: any(branch(mail) for branch in branches)

    def _read_all(self) -> Condition:
        parts = [self._read_condition()]
        while self._take_word("AND"):
            parts.append(self._read_condition())
        return parts[0] if len(parts) == 1 else lambda mail: all(part(mail) for part in parts)

    def _read_condition(self) -> Condition:
        if self._take("("):
            inner = self.read_alternatives()
            self._require(")")
            return inner
        if self._take_word("CONTAINS"):
            return self._read_contains()
        return self._read_comparison(self._read_operand())

    def _read_contains(self) -> Condition:
        self._require("(")
        name = self._read_word()
        if name not in LISTS:
            raise BadQuery(f"Contains is incompatible with {name}")
        self._require(",")
        value = self._read_text()
        self._require(")")
        return lambda mail: value in mail.read_list(name)

    def _read_operand(self) -> Callable[[Subject], str]:
        name = self._read_word()
        if name == "unique_args":
            self._require("[")
            key = self._read_text()
            self._require("]")
            return lambda mail: mail.read_argument(key)
        if name in LISTS:
            raise BadQuery("operator = is incompatible with ARRAY<STRING>, STRING")
        if name not in FIELDS:
            raise BadQuery(f"unknown field {name}")
        return lambda mail: mail.read_field(name)

    def _read_comparison(self, operand: Callable[[Subject], str]) -> Condition:
        is_negated = self._take_word("NOT")
        if self._take("=") or self._take("!="):
            is_different = self._tokens[self._at - 1] == "!="
            value = self._read_value()
            return lambda mail: (operand(mail) == value) is not is_different
        if self._take_word("LIKE"):
            pattern = re.compile(".*".join(map(re.escape, self._read_text().split("%"))), re.IGNORECASE | re.DOTALL)
            return lambda mail: (pattern.fullmatch(operand(mail)) is not None) is not is_negated
        if self._take_word("BETWEEN"):
            low = self._read_value()
            self._require_word("AND")
            high = self._read_value()
            return lambda mail: (low <= operand(mail) <= high) is not is_negated
        if self._take_word("IN"):
            values = self._read_values()
            return lambda mail: (operand(mail) in values) is not is_negated
        raise BadQuery(f"unexpected {self.peek()}")

    def _read_values(self) -> set[str]:
        self._require("(")
        values = {self._read_value()}
        while self._take(","):
            values.add(self._read_value())
        self._require(")")
        return values

    def _read_value(self) -> str:
        """A text, or a moment in the one spelling in which moments compare as texts."""
        if not self._take_word("TIMESTAMP"):
            return self._read_text()
        try:
            moment = datetime.fromisoformat(self._read_text())
        except ValueError as error:
            raise BadQuery("invalid TIMESTAMP") from error
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

    def _read_text(self) -> str:
        token = self._next()
        if token[0] not in "\"'":
            raise BadQuery(f"expected a quoted value, not {token}")
        return token[1:-1]

    def _read_word(self) -> str:
        token = self._next()
        if not token[0].isalpha():
            raise BadQuery(f"expected a field, not {token}")
        return token.lower()

    def _next(self) -> str:
        token = self.peek()
        if token is None:
            raise BadQuery("unexpected end of query")
        self._at += 1
        return token

    def _take(self, mark: str) -> bool:
        is_next = self.peek() == mark
        self._at += is_next
        return is_next

    def _take_word(self, word: str) -> bool:
        is_next = (self.peek() or "").upper() == word
        self._at += is_next
        return is_next

    def _require(self, mark: str) -> None:
        if not self._take(mark):
            raise BadQuery(f"expected {mark}, not {self.peek()}")

    def _require_word(self, word: str) -> None:
        if not self._take_word(word):
            raise BadQuery(f"expected {word}, not {self.peek()}")
