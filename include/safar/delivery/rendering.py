"""Fills a template on this machine as SendGrid would: Handlebars with SendGrid's helpers, for previews and tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from safar.delivery.template_files import TemplateContent
from safar.errors import ConfigurationError

# handlebars-rust knows helpers of our own only inline, so a block becomes an `if` over the helper's answer.
CONDITIONS = ("equals", "notEquals", "greaterThan", "lessThan", "and", "or")
OPENING = re.compile(rf"\{{\{{#\s*({'|'.join(CONDITIONS)})\s+([^{{}}]*?)\s*\}}\}}")
OTHERWISE = re.compile(rf"\{{\{{else\s+({'|'.join(CONDITIONS)})\s+([^{{}}]*?)\s*\}}\}}")
CLOSING = re.compile(rf"\{{\{{/\s*({'|'.join(CONDITIONS)})\s*\}}\}}")
DATE_PARTS = {"YYYY": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M"}


@dataclass(frozen=True)
class RenderedMail:
    """One mail as its recipient gets it."""

    subject: str
    html: str
    text: str


def render_mail(content: TemplateContent, fields: Mapping[str, Any]) -> RenderedMail:
    """Fills subject, HTML and text.

    Raises:
        ConfigurationError: the template is not sound Handlebars.
    """
    parts = (content.subject, content.html, content.text)
    name = f"{content.template}/{content.locale}"
    return RenderedMail(*(render_text(part, fields, name) for part in parts))


def render_text(text: str, fields: Mapping[str, Any], name: str = "template") -> str:
    """Fills one text; a missing value is empty.

    Raises:
        ConfigurationError: it is not sound Handlebars.
    """
    from pyhandlebars import PyHandlebars, PyHandlebarsError, Template

    client = PyHandlebars()
    for helper_name, helper in HELPERS.items():
        client.register_helper(helper_name, helper)
    unfolded = OPENING.sub(r"{{#if (\1 \2)}}", text)
    unfolded = CLOSING.sub("{{/if}}", OTHERWISE.sub(r"{{else if (\1 \2)}}", unfolded))
    try:
        template: Template[dict[str, Any]] = Template(unfolded, client=client)
        return template.format(dict(fields))
    except PyHandlebarsError as error:
        raise ConfigurationError(f"{name} is not sound Handlebars: {error}") from error


def _condition(test: Callable[[Any, Any], bool]) -> Callable[[list[Any], dict[str, Any]], str]:
    return lambda values, _: "true" if test(values[0], values[1]) else ""


def _is_same(left: Any, right: Any) -> bool:
    return left == right or str(left) == str(right)


def _compare(left: Any, right: Any) -> float:
    try:
        return float(left) - float(right)
    except (TypeError, ValueError):
        return 0.0


def _insert(values: list[Any], _: dict[str, Any]) -> str:
    if values[0] not in (None, "", False):
        return str(values[0])
    return str(values[1]).removeprefix("default=") if len(values) > 1 else ""


def _length(values: list[Any], _: dict[str, Any]) -> str:
    return str(len(values[0])) if isinstance(values[0], str | list | dict) else "0"


def _format_date(values: list[Any], _: dict[str, Any]) -> str:
    moment = datetime.fromisoformat(str(values[0]))
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return re.sub("|".join(DATE_PARTS), lambda found: moment.strftime(DATE_PARTS[found[0]]), str(values[1]))


HELPERS: dict[str, Callable[[list[Any], dict[str, Any]], str]] = {
    "equals": _condition(_is_same),
    "notEquals": _condition(lambda left, right: not _is_same(left, right)),
    "greaterThan": _condition(lambda left, right: _compare(left, right) > 0),
    "lessThan": _condition(lambda left, right: _compare(left, right) < 0),
    "and": _condition(lambda left, right: bool(left) and bool(right)),
    "or": _condition(lambda left, right: bool(left) or bool(right)),
    "insert": _insert,
    "length": _length,
    "formatDate": _format_date,
}
