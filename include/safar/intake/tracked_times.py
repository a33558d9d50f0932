"""When something happened in an app whose clock may be wrong, by our own clock."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def read_instant(value: object) -> datetime | None:
    """Reads ISO 8601; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def place_in_time(received_at: datetime, sent_at: datetime | None, told_at: datetime | None) -> datetime:
    """Corrects a moment by what the sender's clock is wrong: received - (sent - told).

    Nothing has happened after we heard of it, and a moment that no clock can mean is the moment of hearing.
    """
    if told_at is None:
        return received_at
    try:
        moment = told_at if sent_at is None else received_at - (sent_at - told_at)
    except OverflowError:
        return received_at
    return min(moment, received_at) if moment >= EARLIEST else received_at
