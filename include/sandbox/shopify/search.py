"""The search syntax of connections: terms such as ``updated_at:>='2026-03-01T00:00:00Z'``, AND, OR, NOT, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from sandbox.clock import to_seconds
from sandbox.company.columns import Array
from sandbox.shopify.execution import QueryFault

_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()]|(?:AND|OR|NOT)\b|-(?=\w+:))"
    r"|(?P<name>\w+):(?P<sign>>=|<=|>|<)?(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<plain>[^\s()]+)))"
)
_SIGNS: dict[str, Callable[[Array, float], Array]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "": np.equal,
}
_WORDS = {
    **{"true": 1, "false": 0, "recovered": 1, "not_recovered": 0, "closed": 1, "open": 0},
    **{"paid": 0, "partially_refunded": 1, "refunded": 2, "no_return": 0, "in_progress": 1, "returned": 2},
}


def filter_rows(query: str, columns: dict[str, Array]) -> tuple[Array, tuple[str, ...]]:
    """Tells which rows a query finds, and which of its terms nobody knows; those are left out.

    Raises:
        QueryFault: a term's value cannot be read.
    """
    search = _Search(query, columns)
    return search.read_any(), tuple(search.unknown)


class _Search:
    """Reads a query from left to right; AND binds closer than OR and may be left out."""

    def __init__(self, query: str, columns: dict[str, Array]) -> None:
        self._tokens = [match for match in _TOKEN.finditer(query)]
        self._columns = columns
        self._everything = np.ones(len(columns["id"]), dtype=bool)
        self.unknown: list[str] = []

    def read_any(self) -> Array:
        found = self._read_all()
        while self._take("OR"):
            found = found | self._read_all()
        return found

    def _read_all(self) -> Array:
        found = self._everything
        while self._tokens and self._tokens[0]["mark"] not in ("OR", ")"):
            if not self._take("AND"):
                found = found & self._read_one()
        return found

    def _read_one(self) -> Array:
        if self._take("NOT") or self._take("-"):
            return ~self._read_one()
        if self._take("("):
            found = self.read_any()
            self._take(")")
            return found
        return self._compare(self._tokens.pop(0)) if self._tokens else self._everything

    def _take(self, mark: str) -> bool:
        if self._tokens and self._tokens[0]["mark"] == mark:
            self._tokens.pop(0)
            return True
        return False

    def _compare(self, term: re.Match[str]) -> Array:
        name = term["name"]
        if name not in self._columns:
            self.unknown.append(name)
            return self._everything
        value = _read_value(name, term["single"] or term["double"] or term["plain"] or "")
        return _SIGNS[term["sign"] or ""](self._columns[name], value)


def _read_value(name: str, text: str) -> int:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryFault(f"Invalid value for {name}: {text}", "BAD_REQUEST") from error
    return to_seconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
