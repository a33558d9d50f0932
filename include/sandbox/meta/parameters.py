"""What may be asked of the Insights API, and the cursors of its pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.answers import Refused
from sandbox.meta.errors import refuse_parameter
from sandbox.meta.insights import DEFAULT, FIELDS

MOST_ROWS = 5000
MOST_DAYS = 37 * 30


@dataclass(frozen=True)
class Report:
    """What was asked for: fields of ads by day."""

    fields: tuple[str, ...]
    since: date
    until: date


def parse_report(given: Mapping[str, str], today: date) -> Report:
    """Reads a report's parameters.

    Raises:
        Refused: Meta would not take them, or they ask for what is not simulated.
    """
    fields = _read_fields(given.get("fields"))
    _require_daily_ads(given.get("level"), given.get("time_increment"))
    return Report(fields, *_read_range(given.get("time_range"), today))


def _read_fields(text: str | None) -> tuple[str, ...]:
    # Names with commas between them, or a JSON list of them as Meta's own SDK posts it.
    listed = re.findall(r"[^\[\]\",\s]+", text or "")
    names = tuple(listed) or DEFAULT
    for name in names:
        if name not in FIELDS:
            raise Refused(refuse_parameter(f"{name} is not valid for fields param"))
    return names


def _require_daily_ads(level: str | None, increment: str | None) -> None:
    if level != "ad":
        raise Refused(refuse_parameter("This account is simulated at level=ad alone; ask for level=ad"))
    if increment != "1":
        raise Refused(refuse_parameter("This account is simulated by the day alone; ask for time_increment=1"))


def _read_range(text: str | None, today: date) -> tuple[date, date]:
    if not text:
        return today - timedelta(days=30), today - timedelta(days=1)
    try:
        wanted = json.loads(text)
        since, until = date.fromisoformat(wanted["since"]), date.fromisoformat(wanted["until"])
    except (ValueError, KeyError, TypeError) as error:
        message = "param time_range must be a JSON object with since and until as YYYY-MM-DD"
        raise Refused(refuse_parameter(message)) from error
    if since > until:
        raise Refused(refuse_parameter("The since date cannot be after the until date", 1487124))
    if since < today - timedelta(days=MOST_DAYS):
        message = "The start date of the time range cannot be beyond 37 months from the current date"
        raise Refused(refuse_parameter(message, 3018))
    return since, min(until, today)


def read_limit(text: str) -> int:
    limit = int(text) if text.isdigit() else 0
    if limit < 1:
        raise Refused(refuse_parameter("param limit must be a number above 0"))
    if limit > MOST_ROWS:
        message = "Please reduce the amount of data you're asking for, then retry your request"
        raise Refused(refuse_parameter(message, 1487534))
    return limit


def write_cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=") or "MAZDZD"


def read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise Refused(refuse_parameter("Invalid cursors values")) from error
