"""The provider's suppression lists, read over HTTP through the vendor's SDK."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from safar.delivery.addresses import hash_address
from safar.errors import SafarError
from safar.feedback import collect_feedback
from safar.feedback.collecting import fetch_suppressions
from safar.feedback.suppressions import SuppressionReader, find_wait

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def hash_email(email: str) -> str:
    return hash_address("test-address-key", "email", email)


def test_each_list_is_copied_once_and_names_nobody(sendgrid, open_workspace, ledger) -> None:
    for name in ("bounces", "invalid_emails", "spam_reports", "blocks"):
        sendgrid.add(name, f"{name.replace('_', '.')}@Example.com", NOW - timedelta(days=3))
    sendgrid.add("unsubscribes", "Left@example.com", NOW - timedelta(days=2))
    workspace = open_workspace(NOW)
    first = collect_feedback(workspace)
    assert first.new_counts == {"bounces": 1, "invalid_emails": 1, "spam_reports": 1, "unsubscribes": 1}
    assert "1 bounces" in first.describe()
    assert set(collect_feedback(workspace).new_counts.values()) == {0}
    rows = ledger.execute("select * from ledger.suppression").fetchall()
    assert {(row["origin"], row["reason"], row["address_hash"]) for row in rows} == {
        ("sendgrid_bounces", "hard_bounce", hash_email("bounces@example.com")),
        ("sendgrid_invalid_emails", "invalid_address", hash_email("invalid.emails@example.com")),
        ("sendgrid_spam_reports", "complaint", hash_email("spam.reports@example.com")),
    }
    left = ledger.execute("select * from ledger.permission_event").fetchall()
    assert [(row["state"], row["topic"], row["address_hash"], row["occurred_at"]) for row in left] == [
        ("revoked", "all", hash_email("left@example.com"), NOW - timedelta(days=2))
    ]
    assert "example.com" not in json.dumps([*rows, *left], default=str)


def test_long_lists_are_read_to_their_end(sendgrid, open_workspace, ledger) -> None:
    for number in range(1000):
        sendgrid.add("bounces", f"person{number}@example.com", NOW - timedelta(days=3))
    assert collect_feedback(open_workspace(NOW)).new_counts["bounces"] == 1000
    assert [query["offset"] for name, query in sendgrid.asked if name == "bounces"] == ["0", "500", "1000"]


def test_the_next_fetch_begins_a_little_before_the_newest_row(sendgrid, open_workspace, ledger) -> None:
    newest = NOW - timedelta(days=1)
    sendgrid.add("bounces", "one@example.com", newest)
    workspace = open_workspace(NOW)
    collect_feedback(workspace)
    sendgrid.add("bounces", "two@example.com", newest - timedelta(hours=23))
    sendgrid.add("bounces", "three@example.com", NOW)
    assert collect_feedback(workspace).new_counts["bounces"] == 2
    starts = [int(query["start_time"]) for name, query in sendgrid.asked if name == "bounces"]
    assert starts == [0, int((newest - timedelta(hours=24)).timestamp())]
    assert {int(query["end_time"]) for _, query in sendgrid.asked} == {int(NOW.timestamp())}


def test_the_overlap_is_as_set(sendgrid, connections, open_workspace) -> None:
    connections["sendgrid"]["extra"] = {"feedback": {"suppression_overlap_hours": 2}}
    sendgrid.add("bounces", "one@example.com", NOW)
    workspace = open_workspace(NOW)
    for _ in range(2):
        collect_feedback(workspace)
    starts = [int(query["start_time"]) for name, query in sendgrid.asked if name == "bounces"]
    assert starts[1] == int((NOW - timedelta(hours=2)).timestamp())


def test_what_is_no_address_is_passed_over(sendgrid, open_workspace, ledger) -> None:
    sendgrid.add("bounces", "not an address", NOW)
    sendgrid.add("bounces", "one@example.com", NOW)
    assert collect_feedback(open_workspace(NOW)).new_counts["bounces"] == 1


def test_a_provider_in_a_mood_is_asked_again(sendgrid, open_workspace, ledger) -> None:
    sendgrid.add("bounces", "one@example.com", NOW)
    sendgrid.moods = [429, 503, 500]
    waits: list[float] = []
    workspace = open_workspace(NOW)
    assert fetch_suppressions(workspace, SuppressionReader(workspace, sleep=waits.append))["bounces"] == 1
    assert waits == [2.0, 4.0, 8.0]


def test_a_provider_that_stays_away_is_named(sendgrid, open_workspace) -> None:
    sendgrid.moods = [503] * 5
    workspace = open_workspace(NOW)
    with pytest.raises(SafarError, match=r"suppression/bounces did not answer 5 times"):
        fetch_suppressions(workspace, SuppressionReader(workspace, sleep=lambda _: None))


def test_a_wrong_key_is_named(sendgrid, connections, open_workspace) -> None:
    connections["sendgrid"]["password"] = "SG.wrong"
    with pytest.raises(SafarError, match=r"status 401. Check that the API key in connection sendgrid"):
        collect_feedback(open_workspace(NOW))


def test_the_wait_ends_when_the_providers_limit_does() -> None:
    error = RuntimeError()
    error.headers = {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 7)}  # type: ignore[attr-defined]
    assert find_wait(error, 1, NOW) == 7
    assert find_wait(error, 1, NOW + timedelta(hours=1)) == 2
    assert find_wait(RuntimeError(), 3, NOW) == 8
