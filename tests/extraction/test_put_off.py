"""A vendor that takes no more calls for now: the load is put off, and what was known before goes on being known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import ValidationError
from tiny_vendor import Fault, Handler, Vendor

from safar.catalogue.fetching import QuotaReset
from safar.catalogue.source import Source
from safar.extraction import Counts, LoadPutOff, check_load, land_source
from safar.extraction.loads import NOT_CONNECTED
from safar.extraction.session import Patience
from safar.night.figures import SOURCES
from safar.night.timetable import list_put_off
from safar.warehouse.gate import NEWEST_LOADS
from safar.workspace import Workspace

BEARER = 'auth: {type: bearer, token: "{connection.password}"}'
RESET = '\n            quota_reset: {at: "03:00", time_zone: America/New_York}'


def refuse(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Fault:
    def answer(handler: Handler) -> bool:
        return handler.send(status, body, headers)

    return answer


@pytest.fixture
def vendor_with_one(vendor: Vendor) -> Vendor:
    vendor.contacts = [{"id": "1", "changed": "2026-03-01T10:00:00.000Z", "properties": {"email": "p1@example.com"}}]
    return vendor


def test_a_used_up_quota_puts_the_load_off_and_nothing_is_asked_again_until_then(
    vendor_with_one: Vendor,
    declare: Callable[..., Source],
    open_at: Callable[..., Workspace],
    patience: Patience,
    naps: list[float],
    select: Callable[..., list[tuple[Any, ...]]],
    database: str,
) -> None:
    source = declare("crm", (BEARER, BEARER + RESET))
    workspace = open_at(datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    check_load(workspace, source, land_source(workspace, source, patience).load_id)

    workspace.clock.at += timedelta(hours=3)  # type: ignore[attr-defined]
    asked = len(vendor_with_one.requests)
    vendor_with_one.faults = [refuse(429, {"policy": "DAILY"})]
    with pytest.raises(LoadPutOff, match=r"quota of the day is used up \(DAILY\).*goes on at 2026-03-02 08:00 UTC"):
        land_source(workspace, source, patience)
    assert (len(vendor_with_one.requests), naps) == (asked + 1, [])
    resumes_at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert list_put_off(database) == {"crm": resumes_at}
    assert select("select id from raw_crm.contacts") == [("1",)]
    # The gate judges the newest load that there was; a load that never began is not a red one.
    assert [row[1] for row in select(NEWEST_LOADS % "now()")] == ["checked"]
    assert read_night(database, workspace.clock.now()) == {"crm": (1, resumes_at)}

    workspace.clock.at = resumes_at  # type: ignore[attr-defined]
    report = land_source(workspace, source, patience)
    check_load(workspace, source, report.load_id)
    assert report.rows["contacts"] == Counts()
    assert list_put_off(database) == {}
    assert read_night(database, workspace.clock.now()) == {"crm": (2, None)}


def read_night(dsn: str, now: datetime) -> dict[str, tuple[int, datetime | None]]:
    """What the night's table says of each source: its loads, and until when it is put off."""
    moments = {"since": now - timedelta(days=1), "until": now + timedelta(days=1), "not_connected": NOT_CONNECTED}
    with psycopg.connect(dsn, row_factory=dict_row, options="-c timezone=UTC") as connection:
        return {row["source"]: (row["loads"], row["put_off_until"]) for row in connection.execute(SOURCES, moments)}


def test_a_share_that_is_left_to_others_puts_the_load_off_too(
    vendor_with_one: Vendor, declare: Callable[..., Source], open_at: Callable[..., Workspace], patience: Patience
) -> None:
    quota = r"quota: {header: X-Calls, pattern: '(\d+)/(\d+)', leave: 10 %}"
    source = declare("crm", (BEARER, f"{BEARER}\n            {quota}"))
    vendor_with_one.faults = [refuse(200, {"results": []}, {"X-Calls": "900/1000"})]
    workspace = open_at()
    with pytest.raises(LoadPutOff) as told:
        land_source(workspace, source, patience)
    assert told.value.resumes_at == workspace.clock.now() + timedelta(hours=1)


def test_a_wait_that_is_longer_than_a_worker_should_sleep_puts_the_load_off_for_as_long(
    vendor_with_one: Vendor,
    declare: Callable[..., Source],
    open_at: Callable[..., Workspace],
    patience: Patience,
    naps: list[float],
) -> None:
    vendor_with_one.faults = [refuse(429, {}, {"Retry-After": "7200"})]
    workspace = open_at()
    with pytest.raises(LoadPutOff, match="throttles us") as told:
        land_source(workspace, declare("crm"), patience)
    assert told.value.resumes_at == workspace.clock.now() + timedelta(hours=2)
    assert naps == []


@pytest.mark.parametrize(
    ("reset", "moment", "again"),
    [
        ({"after": "90 minutes"}, "2026-03-01T23:30:00Z", "2026-03-02T01:00:00Z"),
        ({"at": "00:00"}, "2026-03-01T23:30:00Z", "2026-03-02T00:00:00Z"),
        ({"at": "00:00"}, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        # Berlin's midnight before and after the night in which summer time begins, and in the one in which it ends.
        ({"at": "00:00", "time_zone": "Europe/Berlin"}, "2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z"),
        ({"at": "00:00", "time_zone": "Europe/Berlin"}, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ({"at": "00:00", "time_zone": "Pacific/Kiritimati"}, "2026-03-01T09:59:00Z", "2026-03-01T10:00:00Z"),
    ],
)
def test_the_next_reset_is_after_the_moment_also_when_the_clocks_change(
    reset: dict[str, str], moment: str, again: str
) -> None:
    found = QuotaReset.model_validate_json(json.dumps(reset)).next_after(datetime.fromisoformat(moment))
    assert found == datetime.fromisoformat(again)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "either `at`"),
        ({"at": "00:00", "after": "1 hour"}, "either `at`"),
        ({"at": "00:00", "time_zone": "CETT"}, "CETT"),
    ],
)
def test_a_reset_says_one_thing(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        QuotaReset.model_validate_json(json.dumps(wrong))
