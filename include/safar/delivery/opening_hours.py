"""When marketing may reach people again, zone by zone, kept as long as no clock on earth makes it wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from safar.delivery.quiet_hours import QuietHours

# Within this time from any moment quiet begins or ends somewhere; a longer look ahead is never needed.
HORIZON = timedelta(days=2)
FIRST = datetime.min.replace(tzinfo=UTC)


@cache
def load_zones() -> dict[str, ZoneInfo]:
    """Every time zone that this machine can compute with, by its IANA name."""
    return {name: ZoneInfo(name) for name in sorted(available_timezones())}


class OpeningHours:
    """Of one dispatcher. A change of some zone comes every quarter of an hour, a claim many times a second."""

    def __init__(self, quiet_hours: QuietHours) -> None:
        self._quiet_hours = quiet_hours
        self._text = "{}"
        self._holds_from = self._holds_until = FIRST

    def describe(self, now: datetime) -> str:
        """JSON by zone: when its quiet stretch around ``now`` ends, null where it is open."""
        if not self._holds_from <= now < self._holds_until:
            self._compute(now)
        return self._text

    def _compute(self, now: datetime) -> None:
        opening: dict[str, str | None] = {}
        changes = [now + HORIZON]
        for name, zone in load_zones().items():
            stretches = self._quiet_hours.list_stretches(zone, now, now + HORIZON)
            start, end = min(stretches, default=(now + HORIZON, now + HORIZON))
            opening[name] = end.isoformat() if start <= now else None
            changes.append(end if start <= now else start)
        self._text = json.dumps(opening)
        self._holds_from, self._holds_until = now, min(changes)
