"""HubSpot's search filters, compiled into one test per record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.company.crm import read_milliseconds
from sandbox.hubspot.records import Record

Value = int | str | None
Test = Callable[[Record], bool]
MAX_GROUPS, MAX_FILTERS, MAX_FILTERS_IN_ALL = 5, 10, 25
_MOMENTS: dict[str, Callable[[Record], int]] = {
    "createdate": lambda record: record.created_ms,
    "lastmodifieddate": lambda record: record.updated_ms,
    "hs_lastmodifieddate": lambda record: record.updated_ms,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda value, wanted: bool(value == wanted),
    "LT": lambda value, wanted: bool(value < wanted),
    "LTE": lambda value, wanted: bool(value <= wanted),
    "GT": lambda value, wanted: bool(value > wanted),
    "GTE": lambda value, wanted: bool(value >= wanted),
    "CONTAINS_TOKEN": lambda value, wanted: str(wanted).strip("*") in str(value),
}


def compile_filters(groups: list[dict[str, Any]]) -> Test:
    """Compiles filter groups: any group, and in it every filter, must hold.

    Raises:
        ValueError: too many groups or filters, an unknown operator, or a missing or unreadable value.
    """
    sizes = [len(group.get("filters", [])) for group in groups]
    if len(groups) > MAX_GROUPS or max(sizes, default=0) > MAX_FILTERS or sum(sizes) > MAX_FILTERS_IN_ALL:
        raise ValueError(
            f"A search may have {MAX_GROUPS} filterGroups with {MAX_FILTERS} filters each and "
            f"{MAX_FILTERS_IN_ALL} filters in all"
        )
    compiled = [[_compile_filter(one) for one in group.get("filters", [])] for group in groups]
    if not compiled:
        return lambda record: True
    return lambda record: any(all(test(record) for test in tests) for tests in compiled)


def sort_key(name: str) -> Callable[[Record], Any]:
    """What to sort records by; a missing value comes first."""
    read = _reader(name)

    def key(record: Record) -> tuple[bool, Any, int]:
        value = read(record)
        return value is not None, "" if value is None else value, 0

    return key


def _reader(name: str) -> Callable[[Record], Value]:
    if name in _MOMENTS:
        return _MOMENTS[name]
    if name == "hs_object_id":
        return lambda record: record.object_id

    def read(record: Record) -> Value:
        value = record.properties.get(name)
        return None if value is None else value.lower()

    return read


def _parse(name: str, value: Any) -> int | str:
    if value is None:
        raise ValueError(f"A filter on {name} lacks its value")
    if name in _MOMENTS:
        return read_milliseconds(str(value))
    return int(value) if name == "hs_object_id" else str(value).lower()


def _compile_filter(description: dict[str, Any]) -> Test:
    name, operator = str(description.get("propertyName")), str(description.get("operator"))
    read = _reader(name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        has = operator == "HAS_PROPERTY"
        return lambda record: (read(record) is not None) is has
    if operator in ("IN", "NOT_IN"):
        wanted = {_parse(name, value) for value in description.get("values") or []}
        is_in = operator == "IN"
        return lambda record: read(record) is not None and (read(record) in wanted) is is_in
    if operator == "BETWEEN":
        low, high = _parse(name, description.get("value")), _parse(name, description.get("highValue"))
        return lambda record: (value := read(record)) is not None and low <= value <= high  # type: ignore[operator]
    return _compile_comparison(read, operator, _parse(name, description.get("value")))


def _compile_comparison(read: Callable[[Record], Value], operator: str, wanted: int | str) -> Test:
    is_negated = operator in ("NEQ", "NOT_CONTAINS_TOKEN")
    compare = _COMPARISONS.get({"NEQ": "EQ", "NOT_CONTAINS_TOKEN": "CONTAINS_TOKEN"}.get(operator, operator))
    if compare is None:
        raise ValueError(f"Operator {operator} is not one of those that records can be searched with")

    def test(record: Record) -> bool:
        value = read(record)
        return is_negated if value is None else compare(value, wanted) is not is_negated

    return test
