"""Lengths of time as people write them: ``1 hour``, ``90 days``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
PATTERN = re.compile(r"(\d+)\s+(second|minute|hour|day|week)s?")


def parse_duration(text: Any) -> timedelta:
    """Reads ``<number> <unit>``, the unit from second to week, singular or plural.

    Raises:
        ValueError: the text is something else.
    """
    if isinstance(text, timedelta):
        return text
    match = PATTERN.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a length of time; write it like '90 minutes', '1 hour' or '28 days'")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def describe_duration(length: timedelta) -> str:
    """Writes a length of time as people do: ``37 hours``, ``24 hours``, ``90 days``."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit in ("day", "hour", "minute", "second") if seconds % UNITS[unit] == 0)
    if seconds == UNITS["day"]:
        unit = "hour"
    count = seconds // UNITS[unit]
    return f"{count} {unit}{'' if count == 1 else 's'}"
