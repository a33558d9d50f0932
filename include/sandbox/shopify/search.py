"""The search syntax of connections: terms such as ``updated_at:>='2026-03-01T00:00:00Z'``, all of which hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from sandbox.clock import to_seconds
from sandbox.company.columns import Array
from sandbox.shopify.execution import QueryFault

_TERM = re.compile(r"(?P<name>\w+):(?P<sign>>=|<=|>|<)?(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<plain>\S+))")
_SIGNS: dict[str, Callable[[Array, float], Array]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "": np.equal,
}


def filter_rows(query: str, columns: dict[str, Array]) -> tuple[Array, tuple[str, ...]]:
    """Tells which rows a query finds, and which of its terms nobody knows; those are left out.

    Raises:
        QueryFault: a term's value cannot be read.
    """
    keep = np.ones(len(columns["id"]), dtype=bool)
    unknown = []
    for match in _TERM.finditer(query):
        name = match["name"]
        if name in columns:
            value = _read_value(name, match["single"] or match["double"] or match["plain"] or "")
            keep &= _SIGNS[match["sign"] or ""](columns[name], value)
        else:
            unknown.append(name)
    return keep, tuple(unknown)


def _read_value(name: str, text: str) -> int:
    words = {"true": 1, "false": 0, "recovered": 1, "not_recovered": 0, "closed": 1, "open": 0}
    if text.lower() in words:
        return words[text.lower()]
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryFault(f"Invalid value for {name}: {text}", "BAD_REQUEST") from error
    return to_seconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
