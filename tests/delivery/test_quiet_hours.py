"""Quiet hours through every change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from safar.delivery.quiet_hours import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02T12:00+00:00", "2026-03-02T12:00+00:00"),
        ("2026-03-02T19:59:59+00:00", "2026-03-02T19:59:59+00:00"),
        ("2026-03-02T20:00+00:00", "2026-03-03T08:00+00:00"),
        ("2026-03-03T07:59:59+00:00", "2026-03-03T08:00+00:00"),
        ("2026-03-03T08:00+00:00", "2026-03-03T08:00+00:00"),
        ("2026-03-28T22:00+00:00", "2026-03-29T07:00+00:00"),
        ("2026-10-24T20:00+00:00", "2026-10-25T08:00+00:00"),
    ],
    ids=["noon", "just before", "at 21:00", "just before the end", "at 09:00", "clocks go forward", "clocks go back"],
)
def test_the_next_open_moment(at: str, opens: str) -> None:
    assert QuietHours().next_open(datetime.fromisoformat(at), BERLIN) == datetime.fromisoformat(opens)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "Africa/Casablanca"])
def test_every_hour_of_a_year_is_open_or_opens_at_nine(zone: str) -> None:
    quiet, where = QuietHours(), ZoneInfo(zone)
    for hour in range(24 * 366):
        at = datetime(2028, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        opens = quiet.next_open(at, where)
        assert opens == at or opens.astimezone(where).time() == time(9)
        assert opens - at <= timedelta(hours=13)
        assert (opens == at) == (time(9) <= at.astimezone(where).time() < time(21))


def test_equal_ends_mean_never_quiet() -> None:
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    assert QuietHours(time(8), time(8)).next_open(midnight, BERLIN) == midnight


def test_quiet_hours_within_a_day() -> None:
    quiet = QuietHours(time(12), time(14))
    noon = datetime(2026, 1, 1, 12, 30, tzinfo=BERLIN)
    assert quiet.next_open(noon, BERLIN) == datetime(2026, 1, 1, 14, tzinfo=BERLIN)
