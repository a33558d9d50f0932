"""The stretches of a day in which no marketing leaves, on the UTC axis, through every change of clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From ``start`` until ``end`` on the clock face of a zone; over midnight when start is later than end."""

    start: time = time(21, 0)
    end: time = time(9, 0)

    def list_stretches(self, zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
        """Every quiet stretch that touches ``first``..``last``, as UTC times, start included, end excluded."""
        if self.start == self.end:
            return []
        days = _days(first.astimezone(zone).date() - timedelta(days=1), last.astimezone(zone).date())
        stretches = (
            (_utc(day, self.start, zone, fold=0), _utc(self._end_day(day), self.end, zone, fold=1)) for day in days
        )
        return [(start, end) for start, end in stretches if end > max(first, start) and start <= last]

    def next_open(self, at: datetime, zone: ZoneInfo) -> datetime:
        """``at`` itself when marketing may leave then, otherwise the end of the quiet stretch around it."""
        around = (end for start, end in self.list_stretches(zone, at, at) if start <= at < end)
        return next(around, at)

    def _end_day(self, day: date) -> date:
        return day + timedelta(days=1) if self.end <= self.start else day


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _utc(day: date, at: time, zone: ZoneInfo, fold: int) -> datetime:
    """Where a clock face time comes twice, quiet begins at the first and ends at the second."""
    face = datetime.combine(day, at)
    instant = face.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == face:
        return instant
    first, second = sorted(face.replace(tzinfo=zone, fold=either).astimezone(UTC) for either in (0, 1))
    return _find_change(first, second, zone)


def _find_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second in which clocks are put forward: the first at which a face time that they leave out is over."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
            before = middle
        else:
            after = middle
    return after
