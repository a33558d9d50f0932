"""Quiet hours are those of the recipient's clock, at planning and again at the second of sending."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.delivery.conftest import RULES, Company, OpenWorkspace, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.delivery.opening_hours import OpeningHours, load_zones
from safar.delivery.quiet_hours import QuietHours
from safar.delivery.rules import DeliveryRules

# Zone, and when a message that falls due at this moment may leave: 21:00 to 09:00 is quiet, in UTC here.
NIGHTS = {
    "UTC-11": ("Pacific/Pago_Pago", "2026-03-02T12:00", "2026-03-02T20:00"),
    "UTC+14": ("Pacific/Kiritimati", "2026-03-02T12:00", "2026-03-02T19:00"),
    "UTC+14 by day": ("Pacific/Kiritimati", "2026-03-02T06:59", "2026-03-02T06:59"),
    "a quarter of an hour": ("Asia/Kathmandu", "2026-03-02T15:15", "2026-03-03T03:15"),
    "half an hour": ("Asia/Tehran", "2026-03-02T17:30", "2026-03-03T05:30"),
    "just before half an hour": ("Asia/Tehran", "2026-03-02T17:29", "2026-03-02T17:29"),
    "the spring gap": ("Europe/Berlin", "2026-03-28T20:00", "2026-03-29T07:00"),
    "the autumn repeat": ("Europe/Berlin", "2026-10-24T19:00", "2026-10-25T08:00"),
    "a gap at midnight": ("Africa/Cairo", "2026-04-23T21:30", "2026-04-24T06:00"),
    "half an hour of summer time": ("Australia/Lord_Howe", "2026-04-04T10:00", "2026-04-04T22:30"),
    "the leap day": ("Europe/Berlin", "2028-02-29T20:00", "2028-03-01T08:00"),
    "into the leap day": ("Europe/Berlin", "2028-02-28T20:00", "2028-02-29T08:00"),
    "the company's clock": (None, "2026-03-02T21:00", "2026-03-03T09:00"),
    "a clock that nobody knows": ("Mars/Olympus", "2026-03-02T21:00", "2026-03-03T09:00"),
}


def read(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "due", "opens"), NIGHTS.values(), ids=NIGHTS)
def test_the_recipient_s_stored_time_zone_is_read_at_planning_and_at_release(
    open_workspace: OpenWorkspace, company: Company, zone: str | None, due: str, opens: str
) -> None:
    """The bug of others is a time zone that is stored and never read."""
    at, opens_at = read(due), read(opens)
    company.add_people(["anna"], time_zone=zone)
    company.permit("anna", "granted", at - timedelta(days=30))
    lifetime = {"due_at": at, "entry_occurred_at": at, "expires_at": at + timedelta(days=2)}
    company.decide(company.add_run(), ["anna"], **lifetime)
    plan(open_workspace(at))
    assert company.scalar("select due_at from ledger.message") == opens_at
    # Somebody planned it for now nevertheless, a dispatcher that was held up for hours for example.
    company.connection.execute("update ledger.message set due_at = %s", [at])
    report = dispatch(open_workspace(at), channel=Postbox())
    assert report.messages == ({"accepted": 1} if at == opens_at else {"delayed": 1})
    if at != opens_at:
        assert company.scalar("select due_at from ledger.message") == opens_at
        assert dispatch(open_workspace(opens_at - timedelta(seconds=1)), channel=Postbox()).messages == {}
        assert dispatch(open_workspace(opens_at), channel=Postbox()).messages == {"accepted": 1}


def test_one_call_is_looked_at_person_by_person(open_workspace: OpenWorkspace, company: Company) -> None:
    now = read("2026-03-02T12:00")
    company.add_people(["berlin"], time_zone="Europe/Berlin")
    company.add_people(["samoa"], time_zone="Pacific/Pago_Pago")
    company.add_people(["line"], time_zone="Pacific/Kiritimati")
    company.add_people(["late"], time_zone="Pacific/Kiritimati")
    run_id = company.add_run()
    company.decide(run_id, ["berlin", "samoa", "line"])
    company.decide(run_id, ["late"], expires_at=now + timedelta(hours=7))
    assert plan(open_workspace(now)).results == {"planned": 3, "expired": 1}, "at 19:00 late's news is seven hours old"
    company.connection.execute("update ledger.message set due_at = %s", [now])
    postbox = Postbox()
    assert dispatch(open_workspace(now), channel=postbox).messages == {"accepted": 1, "delayed": 2}
    assert postbox.sent == ["berlin@example.com"]


def test_a_message_that_its_night_outlives_expires_at_release(open_workspace: OpenWorkspace, company: Company) -> None:
    now = read("2026-03-02T12:00")
    company.add_people(["anna"], time_zone="Europe/Berlin")
    company.decide(company.add_run(), ["anna"], expires_at=now + timedelta(hours=3))
    plan(open_workspace(now))
    company.connection.execute("update ledger.address set time_zone = 'Pacific/Kiritimati'")
    assert dispatch(open_workspace(now), channel=Postbox()).messages == {"expired": 1}


def test_transactional_leaves_at_night_everywhere(open_workspace: OpenWorkspace, company: Company) -> None:
    now = read("2026-03-02T12:00")
    company.add_people(["anna"], time_zone="Pacific/Kiritimati")
    company.decide(company.add_run(), ["anna"], **{"class": "transactional"})
    plan(open_workspace(now))
    assert dispatch(open_workspace(now), channel=Postbox()).accepted_count == 1


def test_a_merged_person_has_the_clock_of_who_they_are_now(open_workspace: OpenWorkspace, company: Company) -> None:
    now = read("2026-03-02T12:00")
    company.add_people(["former"], time_zone="Europe/Berlin")
    company.decide(company.add_run(), ["former"])
    plan(open_workspace(now))
    company.add_people(["anna"], time_zone="Pacific/Kiritimati")
    company.merge("former", "anna")
    assert dispatch(open_workspace(now), channel=Postbox()).messages == {"delayed": 1}


def test_the_company_s_quiet_hours_are_those_declared(open_workspace: OpenWorkspace, company: Company) -> None:
    now = read("2026-03-02T12:00")
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    noon_is_quiet = DeliveryRules(zone=RULES.zone, quiet_hours=QuietHours(time(11), time(13, 30)))
    plan(open_workspace(now), rules=noon_is_quiet)
    assert company.scalar("select due_at from ledger.message") == now + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("quiet", "zone", "at", "opens"),
    [
        (QuietHours(time(2, 15), time(2, 45)), "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T00:59"),
        (QuietHours(time(1), time(2, 30)), "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T01:00"),
        (QuietHours(time(2, 30), time(6)), "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T00:59"),
        (QuietHours(time(2, 30), time(6)), "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T04:00"),
        (QuietHours(time(2, 30), time(6)), "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T05:00"),
        (QuietHours(time(22), time(0, 30)), "Africa/Cairo", "2026-04-23T21:59", "2026-04-23T22:00"),
    ],
    ids=["wholly in the gap", "ends in the gap", "not yet", "begins in the gap", "begins twice", "a gap at midnight"],
)
def test_a_face_time_that_never_comes_is_over_when_clocks_jump(
    quiet: QuietHours, zone: str, at: str, opens: str
) -> None:
    assert quiet.next_open(read(at), ZoneInfo(zone)) == read(opens)


def test_opening_hours_kept_are_those_computed_anew() -> None:
    """Around the autumn change, minute by minute, over every zone there is."""
    quiet = QuietHours()
    kept = OpeningHours(quiet)
    for minute in range(0, 26 * 60, 13):
        now = read("2026-10-24T22:00") + timedelta(minutes=minute)
        assert kept.describe(now) == OpeningHours(quiet).describe(now), now
    assert len(load_zones()) > 400
