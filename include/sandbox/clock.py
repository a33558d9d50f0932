"""The virtual clock's arithmetic. All moments are aware and in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLICE_SECONDS = 3600
DAY_SECONDS = 86_400


def parse_moment(text: str) -> datetime:
    """Reads an ISO 8601 moment, cut to whole seconds.

    Raises:
        ValueError: not ISO 8601, or without a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write it with Z or an offset, like 2026-03-02T00:00:00Z")
    return moment.astimezone(UTC).replace(microsecond=0)


def write_moment(moment: datetime) -> str:
    """Writes a moment as ISO 8601 with Z, in whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def to_seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int((moment - EPOCH).total_seconds())


def from_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def write_seconds(seconds: int) -> str:
    """Writes seconds since 1970 as ISO 8601 with Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def slice_seconds(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cuts a span of seconds at every full hour, so that two steps and one leap see the same pieces."""
    while start < end:
        stop = min((start // SLICE_SECONDS + 1) * SLICE_SECONDS, end)
        yield start, stop
        start = stop


def slice_span(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cuts a span of whole seconds at every full hour."""
    for first, last in slice_seconds(to_seconds(start), to_seconds(end)):
        yield from_seconds(first), from_seconds(last)
