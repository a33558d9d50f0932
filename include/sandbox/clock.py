"""The virtual clock's arithmetic. All moments are aware and in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLICE = timedelta(hours=1)
DAY_SECONDS = 86_400


def parse_moment(text: str) -> datetime:
    """Reads an ISO 8601 moment.

    Raises:
        ValueError: not ISO 8601, or without a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write it with Z or an offset, like 2026-03-02T00:00:00Z")
    return moment.astimezone(UTC)


def write_moment(moment: datetime) -> str:
    """Writes a moment as ISO 8601 with Z, in seconds or, where it has them, milliseconds."""
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def to_seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int((moment - EPOCH).total_seconds())


def from_seconds(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=int(seconds))


def slice_span(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cuts a span at every full hour, so that two steps and one leap see the same pieces."""
    while start < end:
        next_hour = EPOCH + ((start - EPOCH) // SLICE + 1) * SLICE
        stop = min(next_hour, end)
        yield start, stop
        start = stop
