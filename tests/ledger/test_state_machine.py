"""The database itself refuses a message state that the machine does not know."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from safar.ledger.migration import migrate_ledger


def test_migrating_twice_changes_nothing(database: str) -> None:
    migrate_ledger(database)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from ledger.epoch").fetchone() == (1,)


@pytest.fixture
def message(database: str) -> Iterator[psycopg.Connection]:
    connection = psycopg.connect(database, autocommit=True)
    connection.execute(
        """
        insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
        values ('r', 'nightly', 'd', 'a', '2026-03-02', '{}', 'v');
        insert into ledger.action (action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class,
            entry_occurred_at, due_at, expires_at, planned_at)
        values (gen_random_uuid(), 'r', 'c', 's', 'once', 'p', 'message', 'marketing',
            '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-02');
        insert into ledger.message (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id,
            channel, class, priority, template, locale, address_hash, address_key_id, entry_occurred_at,
            due_at, expires_at, planned_at)
        select gen_random_uuid(), action_id, 'r', 'c', 's', 'once', 'p', 'email', 'marketing', 1, 't', 'en', 'h', 'k',
            '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-02'
        from ledger.action
        """
    )
    yield connection
    connection.close()


def test_a_legal_way_is_recorded_step_by_step(message: psycopg.Connection) -> None:
    for state in ("claimed", "attempting", "unknown", "presumed_lost", "accepted"):
        message.execute("update ledger.message set state = %s", [state])
    history = message.execute("select from_state, to_state from ledger.message_transition order by transition_id")
    assert history.fetchall() == [
        ("planned", "claimed"),
        ("claimed", "attempting"),
        ("attempting", "unknown"),
        ("unknown", "presumed_lost"),
        ("presumed_lost", "accepted"),
    ]


@pytest.mark.parametrize("state", ["accepted", "attempting", "failed", "unknown", "presumed_lost"])
def test_a_planned_message_cannot_jump(message: psycopg.Connection, state: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=f"may not go from planned to {state}"):
        message.execute("update ledger.message set state = %s", [state])


def test_a_marketing_message_without_an_answer_is_never_tried_again(message: psycopg.Connection) -> None:
    for state in ("claimed", "attempting", "unknown"):
        message.execute("update ledger.message set state = %s", [state])
    with pytest.raises(psycopg.errors.CheckViolation, match="only when it is transactional"):
        message.execute("update ledger.message set state = 'planned'")


@pytest.mark.parametrize("statement", ["delete from ledger.message", "truncate ledger.message cascade"])
def test_messages_are_never_deleted(message: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="never deleted"):
        message.execute(statement)
