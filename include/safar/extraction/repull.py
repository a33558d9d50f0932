"""Asking again for what was asked before: a window, or what one night asked for. No cursor moves by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from safar.catalogue.source import Source
from safar.errors import ConfigurationError, SafarError
from safar.extraction.loads import LoadBook


@dataclass(frozen=True)
class Repull:
    """What somebody wants to have again, as it is typed in a form or on the command line."""

    since: datetime | None = None
    until: datetime | None = None
    night: date | None = None
    table: str | None = None

    def as_json(self) -> dict[str, str]:
        named = {"since": self.since, "until": self.until, "night": self.night}
        told = {name: value.isoformat() for name, value in named.items() if value is not None}
        return told | ({"table": self.table} if self.table else {})


@dataclass(frozen=True)
class Asked:
    """A re-pull worked out: from when to when each table is asked for."""

    since: datetime | None
    """None: from where each table's cursor stood before the night."""
    until: datetime
    cursors: Mapping[str, str] = field(default_factory=dict)
    """Table -> where its cursor stood before the night."""


def read_repull(
    since: str | None = None, until: str | None = None, night: str | None = None, table: str | None = None
) -> Repull | None:
    """Reads the fields of the form or the options; None when all are empty.

    Args:
        since: a date, or a date with a time; UTC where it names no zone.
        until: the same; a date alone means its end.

    Raises:
        ConfigurationError: a field is no date, or they do not go together.
    """
    if not any((since, until, night, table)):
        return None
    if night and (since or until):
        raise ConfigurationError("Give either a night, or since and until.")
    if until and not since:
        raise ConfigurationError("until needs since: from when on shall be asked again?")
    if not since and not night:
        raise ConfigurationError("table needs since, or a night: from when on shall it be asked for again?")
    first = _read_instant("since", since, time.min) if since else None
    last = _read_instant("until", until, time.max) if until else None
    if first and last and first > last:
        raise ConfigurationError(f"since ({since}) is later than until ({until}).")
    try:
        day = date.fromisoformat(night) if night else None
    except ValueError:
        raise ConfigurationError(f"night: {night!r} is no date; write it like 2026-03-02.") from None
    return Repull(first, last, day, table or None)


def resolve_repull(
    repull: Repull,
    source: Source,
    book: LoadBook,
    now: datetime,
    zone: ZoneInfo,
    read_cursors: Callable[[Sequence[str]], dict[str, str]],
) -> Asked:
    """Finds out what to ask for.

    Args:
        zone: in which the company counts its nights.
        read_cursors: the cursors that these loads, in order, had reached in the end.

    Raises:
        ConfigurationError: the source has no such table.
        SafarError: there was no such night, or nothing was ever loaded.
    """
    if repull.table and repull.table not in [table.name for table in source.tables]:
        names = ", ".join(table.name for table in source.tables)
        raise ConfigurationError(f"{source.name} has no table {repull.table!r}. It has {names}.")
    if not book.was_connected():
        raise SafarError(f"{source.name}: nothing was loaded yet that could be asked for again. Extract it first.")
    if repull.night is None:
        return Asked(repull.since, min(repull.until or now, now))
    begin = datetime.combine(repull.night, time.min, zone)
    end = datetime.combine(repull.night + timedelta(days=1), time.min, zone)
    loads = book.find_between(begin, end)
    if not loads:
        raise SafarError(
            f"{source.name}: there was no load on {repull.night} ({zone}). Give since and until to ask for a window."
        )
    return Asked(None, loads[-1].landed_at, read_cursors(book.list_checked_before(loads[0].landed_at)))


def _read_instant(name: str, text: str, time_of_day: time) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if len(text) == len("2026-03-02"):
            at = datetime.combine(at.date(), time_of_day)
    except ValueError:
        raise ConfigurationError(
            f"{name}: {text!r} is no date; write it like 2026-03-02 or 2026-03-02T14:30."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
