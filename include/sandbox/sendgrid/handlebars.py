"""Handlebars with the helpers that SendGrid adds to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from pyhandlebars import PyHandlebars, PyHandlebarsError, Template

# handlebars-rust runs helpers of our own only inline, so a block of one becomes an `if` over its answer.
_CONDITIONS = ("equals", "notEquals", "greaterThan", "lessThan", "and", "or")
_names = "|".join(_CONDITIONS)
_opening = re.compile(rf"\{{\{{(~?)\s*#\s*({_names})\s+([^{{}}]*?)\s*(~?)\}}\}}")
_otherwise = re.compile(rf"\{{\{{(~?)\s*else\s+({_names})\s+([^{{}}]*?)\s*(~?)\}}\}}")
_closing = re.compile(rf"\{{\{{(~?)\s*/\s*({_names})\s*(~?)\}}\}}")
_date_token = re.compile(r"\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|ss|A|a|Z")


class TemplateBroken(Exception):
    """The template cannot be parsed or not be filled with this data."""


def check_template(text: str) -> None:
    """Raises TemplateBroken when the text is no Handlebars."""
    _compile(text)


def render_template(text: str, data: dict[str, Any]) -> str:
    """Fills one template; a missing value is empty, and `{{x}}` is escaped for HTML, even in a subject."""
    try:
        return _compile(text).format(data)
    except PyHandlebarsError as error:
        raise TemplateBroken(str(error)) from error


@lru_cache(maxsize=64)
def _compile(text: str) -> Template[dict[str, Any]]:
    client = PyHandlebars()
    for name, helper in _HELPERS.items():
        client.register_helper(name, helper)
    try:
        return Template(_unfold_blocks(text), client=client)
    except PyHandlebarsError as error:
        raise TemplateBroken(str(error)) from error


def _unfold_blocks(text: str) -> str:
    text = _opening.sub(r"{{\1#if (\2 \3)\4}}", text)
    text = _otherwise.sub(r"{{\1else if (\2 \3)\4}}", text)
    return _closing.sub(r"{{\1/if\3}}", text)


def _condition(test: Callable[[Any, Any], bool]) -> Callable[[list[Any], dict[str, Any]], str]:
    def answer(parameters: list[Any], _data: dict[str, Any]) -> str:
        if len(parameters) < 2:
            raise ValueError("this helper compares two values")
        return "true" if test(parameters[0], parameters[1]) else ""

    return answer


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_greater(left: Any, right: Any) -> bool:
    """Compares numbers as numbers, also those written as text; what cannot be compared is not greater."""
    try:
        return float(left) > float(right)
    except (TypeError, ValueError):
        return False


def _is_same(left: Any, right: Any) -> bool:
    """Numbers equal their text, so that `{{#equals count "3"}}` holds."""
    return left == right or (_is_number(left) != _is_number(right) and str(left) == str(right))


def _length(parameters: list[Any], _data: dict[str, Any]) -> str:
    value = parameters[0] if parameters else None
    return str(len(value)) if isinstance(value, str | list) else "0"


def _insert(parameters: list[Any], _data: dict[str, Any]) -> str:
    """`{{insert name "default=friend"}}`: the value, or the default when it is empty."""
    value = parameters[0] if parameters else None
    if value not in (None, "", False):
        return _write(value)
    return str(parameters[1]).removeprefix("default=") if len(parameters) > 1 else ""


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _format_date(parameters: list[Any], _data: dict[str, Any]) -> str:
    """`{{formatDate timestamp "MMM DD YYYY" "-0800"}}`; a timestamp is ISO 8601 or unix time."""
    if len(parameters) < 2 or parameters[0] in (None, ""):
        return ""
    moment = _read_moment(parameters[0]).astimezone(_read_zone(parameters[2] if len(parameters) > 2 else "+0000"))
    return _date_token.sub(lambda found: _write_date_part(found.group(), moment), str(parameters[1]))


def _read_moment(value: Any) -> datetime:
    if _is_number(value):
        seconds = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(seconds, UTC)
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_zone(offset: Any) -> timezone:
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", str(offset))
    if not found:
        raise ValueError(f"formatDate needs an offset like -0800, not {offset!r}")
    delta = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-delta if found[1] == "-" else delta)


def _write_date_part(token: str, moment: datetime) -> str:
    write = _DATE_PARTS.get(token)
    return write(moment) if write else token.strip("[]")


_DATE_PARTS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda moment: f"{moment:%Y}",
    "YY": lambda moment: f"{moment:%y}",
    "MMMM": lambda moment: f"{moment:%B}",
    "MMM": lambda moment: f"{moment:%b}",
    "MM": lambda moment: f"{moment:%m}",
    "M": lambda moment: str(moment.month),
    "dddd": lambda moment: f"{moment:%A}",
    "ddd": lambda moment: f"{moment:%a}",
    "DD": lambda moment: f"{moment:%d}",
    "D": lambda moment: str(moment.day),
    "HH": lambda moment: f"{moment:%H}",
    "H": lambda moment: str(moment.hour),
    "hh": lambda moment: f"{moment:%I}",
    "h": lambda moment: str(moment.hour % 12 or 12),
    "mm": lambda moment: f"{moment:%M}",
    "ss": lambda moment: f"{moment:%S}",
    "A": lambda moment: f"{moment:%p}",
    "a": lambda moment: f"{moment:%p}".lower(),
    "Z": lambda moment: f"{moment:%z}",
}

_HELPERS: dict[str, Callable[[list[Any], dict[str, Any]], str]] = {
    "equals": _condition(_is_same),
    "notEquals": _condition(lambda left, right: not _is_same(left, right)),
    "greaterThan": _condition(_is_greater),
    "lessThan": _condition(lambda left, right: _is_greater(right, left)),
    "and": _condition(lambda left, right: bool(left) and bool(right)),
    "or": _condition(lambda left, right: bool(left) or bool(right)),
    "length": _length,
    "insert": _insert,
    "formatDate": _format_date,
}
