"""The fate of messages whose call had no answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from safar.errors import ConfigurationError
from safar.feedback import settle_unknown
from safar.ledger.proof import accept_proven

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=25)


def read_states(ledger) -> dict[object, str]:
    return {row["message_id"]: row["state"] for row in ledger.execute("select message_id, state from ledger.message")}


def test_an_event_proves_a_message_accepted_at_the_events_time(workspace, ledger, write_message, write_event) -> None:
    recent, old = write_message("unknown"), write_message("unknown", LONG_AGO)
    for message_id in (recent, old):
        write_event(message_id, "open", NOW)
        write_event(message_id, "processed", NOW - timedelta(minutes=30))
    report = settle_unknown(workspace)
    assert (report.accepted_count, report.lost_count, report.waiting_count) == (2, 0, 0)
    rows = ledger.execute("select state, accepted_at from ledger.message").fetchall()
    assert rows == [{"state": "accepted", "accepted_at": NOW - timedelta(minutes=30)}] * 2


def test_silence_within_the_grace_time_changes_nothing(workspace, ledger, write_message) -> None:
    message_id = write_message("unknown", NOW - timedelta(hours=23, minutes=59))
    report = settle_unknown(workspace)
    assert (report.lost_count, report.waiting_count) == (0, 1)
    assert read_states(ledger) == {message_id: "unknown"}


def test_after_the_grace_time_marketing_is_presumed_lost(workspace, ledger, write_message) -> None:
    message_id = write_message("unknown", NOW - timedelta(hours=24))
    report = settle_unknown(workspace)
    assert report.describe() == (
        "unknown messages: 0 proven accepted, 1 presumed lost, 0 attempted once more, 0 waiting for an event"
    )
    assert read_states(ledger) == {message_id: "presumed_lost"}
    assert settle_unknown(workspace).describe() == "no message of unknown fate"


def test_a_transactional_message_is_attempted_once_more_while_it_matters(workspace, ledger, write_message) -> None:
    first = write_message("unknown", LONG_AGO, class_="transactional", lease_until=NOW)
    second = write_message("unknown", LONG_AGO, class_="transactional", attempt_count=2)
    stale = write_message("unknown", LONG_AGO, class_="transactional", expires_at=NOW)
    report = settle_unknown(workspace)
    assert (report.retried_count, report.lost_count) == (1, 2)
    assert read_states(ledger) == {first: "planned", second: "presumed_lost", stale: "presumed_lost"}
    row = ledger.execute("select claimed_at, lease_until from ledger.message where state = 'planned'").fetchone()
    assert row == {"claimed_at": None, "lease_until": None}


def test_an_event_that_comes_after_all_spares_the_one_more_attempt(
    workspace, ledger, write_message, write_event
) -> None:
    late, untried = (
        write_message("unknown", LONG_AGO, class_="transactional"),
        write_message("planned", attempt_count=0),
    )
    assert settle_unknown(workspace).retried_count == 1
    for message_id in (late, untried):
        write_event(message_id)
    with workspace.open_ledger() as connection:
        assert accept_proven(connection, [late, untried]) == 1
    assert read_states(ledger) == {late: "accepted", untried: "planned"}


def test_other_states_are_left_alone(workspace, ledger, write_message, write_event) -> None:
    states = ["planned", "claimed", "attempting", "accepted", "failed", "cancelled", "expired"]
    messages = {write_message(state, LONG_AGO): state for state in states}
    for message_id in messages:
        write_event(message_id)
    settle_unknown(workspace)
    assert read_states(ledger) == messages


def test_settling_twice_at_once_settles_once(workspace, ledger, write_message, write_event) -> None:
    for _ in range(40):
        write_event(write_message("unknown", LONG_AGO))
        write_message("unknown", LONG_AGO)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: settle_unknown(workspace), range(8)))
    assert sum(report.accepted_count for report in reports) == 40
    assert sum(report.lost_count for report in reports) == 40
    transitions = ledger.execute("select count(*) as transitions from ledger.message_transition").fetchone()
    assert transitions == {"transitions": 80}


def test_the_grace_time_is_as_set(connections, open_workspace, ledger, write_message) -> None:
    connections["sendgrid"] = {"conn_type": "http", "extra": {"feedback": {"grace_hours": 0.5}}}
    message_id = write_message("unknown", NOW - timedelta(minutes=31))
    settle_unknown(open_workspace(NOW))
    assert read_states(ledger) == {message_id: "presumed_lost"}


def test_a_wrong_setting_names_itself(connections, open_workspace) -> None:
    connections["sendgrid"] = {"conn_type": "http", "extra": {"feedback": {"grace": 1}}}
    with pytest.raises(ConfigurationError, match=r"sendgrid, extra\.feedback\.grace:"):
        settle_unknown(open_workspace(NOW))
