"""Rules about a single row: Great Expectations' own words with ``severity: warning``, applied before landing.

A row that breaks one goes to quarantine and the others go on. As in Great Expectations a null breaks only
the rule that forbids nulls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from safar.errors import ConfigurationError
from safar.quality.suite_files import read_expectations

Test = Callable[[Any], bool]


class RuleBroken(Exception):
    """The row breaks a rule; the message names rule and column and holds no data."""


@dataclass(frozen=True)
class RowRule:
    """One rule about one column."""

    name: str
    column: str
    holds: Test
    applies_to_null: bool = False

    def check(self, values: Mapping[str, Any]) -> None:
        """Raises:
        RuleBroken: the row breaks it.
        """
        value = values.get(self.column)
        if value is None or value == "":
            if self.applies_to_null:
                raise RuleBroken(f"{self.name}({self.column}): it is empty")
        elif not self.holds(value):
            raise RuleBroken(f"{self.name}({self.column})")


def read_row_rules(suite: Path, table: str) -> tuple[RowRule, ...]:
    """The rules of severity ``warning`` for the table; none when the source has no suite.

    Raises:
        ConfigurationError: such a rule cannot be decided by looking at one row.
    """
    if not suite.exists():
        return ()
    warnings = [entry for entry in read_expectations([suite], table) if entry.get("severity") == "warning"]
    return tuple(_read_rule(suite, table, entry) for entry in warnings)


def _read_rule(suite: Path, table: str, entry: Mapping[str, Any]) -> RowRule:
    kind, settings = str(entry["type"]), dict(entry.get("kwargs") or {})
    build = BUILDERS.get(kind)
    if build is None:
        raise ConfigurationError(
            f"{suite}: {table}: {kind} cannot be decided for one row. Make it `severity: critical`, "
            f"or use one of: {', '.join(BUILDERS)}."
        )
    try:
        column = str(settings.pop("column"))
        holds = build(**settings)
    except (KeyError, TypeError, re.error) as error:
        raise ConfigurationError(f"{suite}: {table}: {kind}: {error} does not fit a rule about one row.") from error
    name = str((entry.get("meta") or {}).get("rule") or kind)
    return RowRule(name, column, holds, applies_to_null=kind == "expect_column_values_to_not_be_null")


def _not_null() -> Test:
    return lambda value: True


def _match(regex: str) -> Test:
    pattern = re.compile(regex)
    return lambda value: isinstance(value, str) and pattern.search(value) is not None


def _match_format(strftime_format: str) -> Test:
    def holds(value: Any) -> bool:
        try:
            datetime.strptime(value, strftime_format)  # noqa: DTZ007 - only whether it is one
        except (TypeError, ValueError):
            return False
        return True

    return holds


def _in_set(value_set: Sequence[Any]) -> Test:
    allowed = frozenset(value_set)
    return lambda value: value in allowed


def _between(min_value: Any = None, max_value: Any = None) -> Test:
    def holds(value: Any) -> bool:
        try:
            return (min_value is None or value >= min_value) and (max_value is None or value <= max_value)
        except TypeError:
            return False

    return holds


def _length(min_value: int | None = None, max_value: int | None = None) -> Test:
    inside = _between(min_value, max_value)
    return lambda value: inside(len(str(value)))


BUILDERS: dict[str, Callable[..., Test]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_match_regex": _match,
    "expect_column_values_to_match_strftime_format": _match_format,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _length,
}
