"""The second reader of our routes: the client that Segment publishes, unpacked and packed, and through an outage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from segment.analytics.client import Client
from tests.intake.conftest import NOW


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_the_published_client_is_understood(write_keys, open_workspace, serve, ledger, is_packed: bool) -> None:
    problems: list[Any] = []
    with serve(open_workspace(NOW)) as intake:
        client = Client(
            write_keys["backend"],
            host=intake.url,
            gzip=is_packed,
            on_error=lambda error, batch: problems.append(error),
            timeout=10,
        )
        client.identify("17", {"email": "anna@example.com", "plan": "gold"})
        client.track("17", "Order Completed", {"total": 12.5}, timestamp=NOW - timedelta(days=9))
        client.page(None, None, "Home", {"url": "https://shop.example/?utm_source=x"}, anonymous_id="device-1")
        client.screen("17", None, "Cart")
        client.shutdown()
    assert problems == []
    rows = {row["call"]: row for row in ledger.execute("select * from ledger.app_event").fetchall()}
    assert set(rows) == {"identify", "track", "page", "screen"}
    assert rows["identify"]["email"] == "anna@example.com"
    assert (rows["track"]["event_name"], rows["track"]["properties"]) == ("Order Completed", {"total": 12.5})
    assert (rows["page"]["event_name"], rows["page"]["anonymous_id"]) == ("Home", "device-1")
    assert rows["page"]["campaign"] == {"source": "x"}
    assert rows["screen"]["user_id"] == "app:17"


def test_the_published_client_hears_that_its_key_is_wrong(write_keys, open_workspace, serve, ledger) -> None:
    problems: list[Any] = []
    with serve(open_workspace(NOW)) as intake:
        client = Client("guessed", host=intake.url, on_error=lambda error, batch: problems.append(error), timeout=10)
        client.track("17", "Order Completed")
        client.shutdown()
    assert [(error.status, error.code) for error in problems] == [(401, "invalid_write_key")]
    assert ledger.execute("select count(*) as n from ledger.app_event").fetchone() == {"n": 0}
