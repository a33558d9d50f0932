"""The database itself refuses a message state that the machine does not know, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from tests.ledger.conftest import CLAIM

from safar.ledger.migration import migrate_ledger

Ledger = psycopg.Connection[Any]
Move = Callable[..., None]
Refused = psycopg.errors.CheckViolation


def test_migrating_twice_changes_nothing(database: str) -> None:
    migrate_ledger(database)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from ledger.epoch").fetchone() == (1,)


def test_a_legal_way_is_recorded_step_by_step(message: Ledger, move: Move) -> None:
    move(message, "claimed", "attempting", "unknown", "presumed_lost", "accepted")
    history = message.execute("select from_state, to_state from ledger.message_transition order by transition_id")
    assert history.fetchall() == [
        ("planned", "claimed"),
        ("claimed", "attempting"),
        ("attempting", "unknown"),
        ("unknown", "presumed_lost"),
        ("presumed_lost", "accepted"),
    ]


@pytest.mark.parametrize("state", ["accepted", "attempting", "failed", "unknown", "presumed_lost"])
def test_a_planned_message_cannot_jump(message: Ledger, move: Move, state: str) -> None:
    with pytest.raises(Refused, match=f"may not go from planned to {state}"):
        move(message, state)


def test_a_marketing_message_without_an_answer_is_never_tried_again(message: Ledger, move: Move) -> None:
    move(message, "claimed", "attempting", "unknown")
    with pytest.raises(Refused, match="only when it is transactional"):
        move(message, "planned")


def test_nobody_claims_without_a_lease_that_runs(message: Ledger, move: Move) -> None:
    claiming = "update ledger.message set state = 'claimed', claimed_at = now(), claimed_by = %s"
    for holder in ("nobody", None):
        with pytest.raises(Refused, match="is claimed without a claim whose lease runs"):
            message.execute(claiming, [holder])
    message.execute(CLAIM)
    message.execute("update ledger.claim set lease_until = now() - interval '1 second'")
    with pytest.raises(Refused, match="is claimed without a claim whose lease runs"):
        message.execute(claiming, ["mine"])


def test_nobody_attempts_after_the_end_of_the_lease(message: Ledger, move: Move) -> None:
    move(message, "claimed")
    message.execute("update ledger.claim set lease_until = now() - interval '1 second'")
    with pytest.raises(Refused, match="is attempting without a claim whose lease runs"):
        move(message, "attempting")
    message.execute("delete from ledger.claim")
    with pytest.raises(Refused, match="is attempting without a claim whose lease runs"):
        move(message, "attempting")


@pytest.mark.parametrize(
    ("lease", "messages"),
    [("now()", "array[gen_random_uuid()]"), ("'infinity'", "array[gen_random_uuid()]"), ("now() + '1 hour'", "'{}'")],
)
def test_a_claim_has_messages_and_a_lease_that_runs_and_ends(message: Ledger, lease: str, messages: str) -> None:
    with pytest.raises(Refused, match="a claim has messages and a lease"):
        message.execute(
            f"insert into ledger.claim (claim_id, lease_until, message_ids) values ('x', {lease}, {messages})"
        )


def test_a_claim_keeps_its_messages(message: Ledger) -> None:
    message.execute(CLAIM)
    with pytest.raises(Refused, match="keeps its messages"):
        message.execute("update ledger.claim set message_ids = array[gen_random_uuid()]")


def test_an_attempt_is_counted_when_it_begins_and_only_then(message: Ledger, move: Move) -> None:
    with pytest.raises(Refused, match="counts an attempt without making one"):
        message.execute("update ledger.message set attempt_count = 1")
    move(message, "claimed")
    with pytest.raises(Refused, match="makes one without counting it"):
        message.execute("update ledger.message set state = 'attempting', attempted_at = now()")
    move(message, "attempting", "unknown")
    with pytest.raises(Refused, match="counts an attempt without making one"):
        message.execute("update ledger.message set attempt_count = 0")


def test_an_attempt_belongs_to_whoever_claimed(message: Ledger, move: Move) -> None:
    move(message, "claimed")
    message.execute("insert into ledger.claim select 'theirs', lease_until, message_ids from ledger.claim")
    with pytest.raises(Refused, match="by somebody who has not claimed it"):
        message.execute(
            "update ledger.message set state = 'attempting', attempted_at = now(), attempt_count = 1, "
            "claimed_by = 'theirs'"
        )


@pytest.mark.parametrize(
    "change", ["state = 'accepted'", "attempt_count = 1", "claimed_by = 'x'", "accepted_at = now()"]
)
def test_a_message_begins_planned(message: Ledger, change: str) -> None:
    column, value = change.split(" = ")
    others = [name for name in ("attempt_count", "claimed_by", "accepted_at", "state") if name != column]
    columns = [
        row[0]
        for row in message.execute(
            "select column_name from information_schema.columns where table_schema = 'ledger' "
            "and table_name = 'message' and is_generated = 'NEVER' and column_name <> all(%s)",
            [[column, "message_id", "occurrence_key", *others]],
        )
    ]
    listed = ", ".join(columns)
    with pytest.raises(Refused, match="a message begins planned"):
        message.execute(
            f"insert into ledger.message (message_id, occurrence_key, {column}, {listed}) "
            f"select gen_random_uuid(), 'other', {value}, {listed} from ledger.message"
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("campaign", "'x'"),
        ("step", "'x'"),
        ("occurrence_key", "'x'"),
        ("contact_id", "'x'"),
        ("channel", "'sms'"),
        ("class", "'transactional'"),
        ("address_hash", "'x'"),
        ("message_id", "gen_random_uuid()"),
        ("planned_at", "now()"),
    ],
)
def test_what_a_message_is_never_changes(message: Ledger, column: str, value: str) -> None:
    with pytest.raises(Refused, match=r"what stands in ledger\.message is not changed"):
        message.execute(f"update ledger.message set {column} = {value}")


@pytest.mark.parametrize("table", ["message", "action"])
@pytest.mark.parametrize("statement", ["delete from ledger.{}", "truncate ledger.{} cascade"])
def test_messages_and_actions_are_never_deleted(message: Ledger, table: str, statement: str) -> None:
    with pytest.raises(Refused, match=r"never deleted|is not changed"):
        message.execute(statement.format(table))
