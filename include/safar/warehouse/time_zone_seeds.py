"""Writes the seeds that tell a time zone from a country or a phone number (`make seeds`).

Both come from libraries that are kept up to date elsewhere (babel's CLDR, phonenumbers). A country or prefix whose
clocks differ has no zone in the seed: nobody's night is guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from safar.settings import Settings

# Country code and area code; longer prefixes tell streets apart, hardly ever zones.
PREFIX_LENGTH = 4
# Two zones are one for us when their clocks agree all these years long.
INSTANTS = tuple(datetime(2025, 1, 1, tzinfo=UTC) + day * timedelta(days=1) for day in range(0, 3 * 365, 2))

Rows = list[tuple[str, str]]


def list_country_zones() -> Rows:
    """(country code, zone) of each country with one clock."""
    from babel.core import get_global

    zones = ((country, choose_zone(names)) for country, names in get_global("territory_zones").items())
    return sorted((country, zone) for country, zone in zones if zone and len(country) == 2)


def list_prefix_zones() -> Rows:
    """(digits after the plus, zone); an empty zone under a shorter prefix says that its answer does not hold here."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    kept: dict[str, str] = {}
    for prefix in sorted(TIMEZONE_DATA, key=lambda digits: (len(digits), digits)):
        zone = choose_zone(TIMEZONE_DATA[prefix]) or ""
        if len(prefix) <= PREFIX_LENGTH and zone != _inherit(prefix, kept):
            kept[prefix] = zone
    return sorted(kept.items())


def write_seeds(folder: Path) -> None:
    """Writes country_time_zones.csv and phone_time_zones.csv."""
    _write(folder / "country_time_zones.csv", ("country_code", "time_zone"), list_country_zones())
    _write(folder / "phone_time_zones.csv", ("prefix", "time_zone"), list_prefix_zones())


def choose_zone(names: Sequence[str]) -> str | None:
    """The first of zones that all show the same clock, or None."""
    if not _list_known().issuperset(names) or len({_read_clock(name) for name in names}) != 1:
        return None
    return names[0]


def _inherit(prefix: str, kept: Mapping[str, str]) -> str:
    shorter = (prefix[:length] for length in range(len(prefix) - 1, 0, -1))
    return next((kept[each] for each in shorter if each in kept), "")


@cache
def _list_known() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _read_clock(name: str) -> tuple[timedelta | None, ...]:
    zone = ZoneInfo(name)
    return tuple(instant.astimezone(zone).utcoffset() for instant in INSTANTS)


def _write(path: Path, header: tuple[str, str], rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    write_seeds(Settings().dbt_project / "seeds")
