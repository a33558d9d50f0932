"""Where an incremental table stands: the highest change seen, and from where to ask next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from safar.catalogue.fetching import Cursor


def parse_instant(value: Any) -> datetime:
    """Reads an ISO 8601 text (no zone: UTC) or a Unix time in seconds or milliseconds.

    Raises:
        ValueError: the value is none of these.
    """
    if isinstance(value, str):
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, UTC)
        except (OverflowError, OSError) as error:
            raise ValueError("the number is no Unix time") from error
    raise ValueError("it is neither a text nor a number")


def format_instant(at: datetime, cursor: Cursor) -> str:
    """Writes an instant the way the vendor's filter wants it."""
    if cursor.format == "epoch_ms":
        return str(int(at.timestamp() * 1000))
    if cursor.format == "epoch_s":
        return str(int(at.timestamp()))
    if cursor.format == "date":
        return at.date().isoformat()
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def start_of(cursor: Cursor, known: str | None) -> datetime:
    """From when on to ask: the cursor of the last load less the overlap, or the beginning."""
    if known is None:
        return parse_instant(cursor.initial)
    return max(parse_instant(known) - cursor.overlap, parse_instant(cursor.initial))


def next_cursor(known: str | None, seen: datetime | None, began_at: datetime) -> str | None:
    """The cursor to keep: the newest change seen, but never later than when this load began to ask.

    What changed while we paged may have been passed over; the next load asks for it again.
    """
    if seen is None:
        return known
    reached = min(seen, began_at)
    if known is not None:
        reached = max(reached, parse_instant(known))
    return reached.isoformat()


def read_day(value: Any) -> str | None:
    """The ISO date of an object of year, month and day or of a text that begins with one; None when there is none."""
    try:
        if isinstance(value, dict):
            return date(int(value["year"]), int(value["month"]), int(value["day"])).isoformat()
        return date.fromisoformat(str(value)[:10]).isoformat()
    except (ValueError, TypeError, KeyError):
        return None


def window_days(until: datetime, days: int) -> tuple[str, str]:
    """First and last day of a window of ``days`` days that ends today, both included, as ISO dates."""
    last = until.date()
    return (last - timedelta(days=days - 1)).isoformat(), last.isoformat()
