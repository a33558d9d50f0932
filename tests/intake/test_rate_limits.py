"""Who is counted together, who is never limited, and that no second of waiting is told in vain."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from safar.intake import rate_limiting
from safar.intake.rate_limiting import Allowance, RateLimits, read_network

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class Time:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@given(
    burst=st.integers(1, 20),
    per_minute=st.floats(0.1, 600),
    pauses=st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_nobody_does_more_than_the_burst_and_what_has_come_since(
    burst: int, per_minute: float, pauses: list[float]
) -> None:
    now = Time()
    limits = RateLimits(Allowance(burst, per_minute), Allowance(10_000, 10_000), now)
    allowed = []
    for pause in pauses:
        now.seconds += pause
        if limits.take("somebody") is None:
            allowed.append(now.seconds)
    for first, since in enumerate(allowed):
        for count, until in enumerate(allowed[first:], start=1):
            assert count <= burst + (until - since) * per_minute / 60 + 1e-6


@given(burst=st.integers(1, 5), per_minute=st.floats(0.1, 600))
def test_after_the_time_that_was_told_one_more_is_allowed(burst: int, per_minute: float) -> None:
    now = Time()
    limits = RateLimits(Allowance(burst, per_minute), Allowance(10_000, 10_000), now)
    while (wait := limits.take("somebody")) is None:
        pass
    now.seconds += wait + 1e-6
    assert limits.take("somebody") is None
    assert limits.take("somebody") is not None


def test_who_is_refused_takes_nothing_from_the_others() -> None:
    limits = RateLimits(Allowance(1, 1), Allowance(3, 1), Time())
    assert [limits.take("loud") is None for _ in range(50)] == [True] + [False] * 49
    assert [limits.take(name) is None for name in ("a", "b", "c")] == [True, True, False]


def test_memory_is_bounded_and_the_silent_are_forgotten_first(monkeypatch) -> None:
    monkeypatch.setattr(rate_limiting, "MAX_BUCKETS", 10)
    limits = RateLimits(Allowance(2, 0.001), Allowance(10_000, 1), Time())
    assert limits.take("loud") is None
    assert limits.take("loud") is None
    for number in range(100):
        limits.take(f"passer-by {number}")
        assert limits.take("loud") is not None
    assert len(limits._buckets) <= 10


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_network_is_what_one_customer_of_a_provider_has(host: str | None, network: str) -> None:
    assert read_network(host) == network


def test_signed_posts_are_never_limited_and_forged_ones_are(connections, open_workspace, serve, event) -> None:
    connections["safar_intake"]["extra"] = {
        "network_burst": 2,
        "network_per_minute": 0.1,
        "total_burst": 4,
        "total_per_minute": 0.1,
    }
    with serve(open_workspace(NOW)) as intake:
        body = json.dumps([event()]).encode()
        forged = [intake.post_raw(body, {}).status_code for _ in range(5)]
        assert forged == [403, 403, 429, 429, 429]
        assert {intake.post([event()]).status_code for _ in range(20)} == {200}


def test_a_mail_program_may_unsubscribe_all_its_users_from_one_network(
    connections, open_workspace, serve, ledger, write_message
) -> None:
    from safar.delivery.unsubscribe_tokens import sign_unsubscribe_token

    connections["safar_intake"]["extra"] = {"network_burst": 3, "network_per_minute": 0.1}
    messages = [write_message(contact_id=f"c{number}") for number in range(20)]
    with serve(open_workspace(NOW)) as intake:

        def click(message_id) -> int:
            url = f"{intake.url}/unsubscribe/{sign_unsubscribe_token('test-token-key', message_id)}"
            return requests.post(url, data={"List-Unsubscribe": "One-Click"}, timeout=30).status_code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(click, messages)) == {200}
        # One link alone does not open the gate for a flood.
        assert [click(messages[0]) for _ in range(4)] == [200, 200, 429, 429]
        assert click(type(messages[0])(int=7)) == 404
