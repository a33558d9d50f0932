"""A ledger with one planned message, and logins with the rights of one group each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from safar.connections import Connection
from safar.ledger.logins import ensure_logins
from safar.services.postgres import PostgresAddress

PLANNED = """
insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
values ('r', 'nightly', 'd', 'a', '2026-03-02', '{}', 'v');
insert into ledger.action (action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class,
    entry_occurred_at, due_at, expires_at, planned_at)
values (gen_random_uuid(), 'r', 'c', 's', 'once', 'p', 'message', 'marketing',
    '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-02');
insert into ledger.message (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id,
    channel, class, priority, template, locale, address, address_hash, address_key_id, entry_occurred_at,
    due_at, expires_at, planned_at)
select gen_random_uuid(), action_id, 'r', 'c', 's', 'once', 'p', 'email', 'marketing', 1, 't', 'en', 'a@example.com',
    'h', 'k', '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-02'
from ledger.action;
"""
CLAIM = """
insert into ledger.claim (claim_id, lease_until, message_ids)
select 'mine', clock_timestamp() + interval '5 minutes', array_agg(message_id) from ledger.message
"""
MOVES = {
    "claimed": ", claimed_at = '2026-03-02', claimed_by = 'mine'",
    "attempting": ", attempted_at = '2026-03-02', attempt_count = attempt_count + 1",
    "accepted": ", accepted_at = '2026-03-02'",
}


@pytest.fixture
def message(database: str) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection to a ledger with one planned message; what it writes is committed at once."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(PLANNED)
        yield connection


@pytest.fixture
def move() -> Callable[..., None]:
    """Moves the message to states one after the other, each as dispatch writes it."""

    def move_to(connection: psycopg.Connection[Any], *states: str) -> None:
        for state in states:
            if state == "claimed":
                connection.execute("delete from ledger.claim")
                connection.execute(CLAIM)
            connection.execute(f"update ledger.message set state = %s{MOVES.get(state, '')}", [state])

    return move_to


@pytest.fixture
def log_in(postgres: PostgresAddress, database: str) -> Iterator[Callable[..., str]]:
    """Gives the DSN of a fresh login with the rights of these groups: ``log_in("safar_build")``."""
    made: list[str] = []

    def make(*groups: str) -> str:
        name = f"login_{uuid.uuid4().hex[:12]}"
        made.append(name)
        parts = psycopg.conninfo.conninfo_to_dict(database)
        connection = Connection(
            conn_id=name, host="127.0.0.1", port=postgres.port, login=name, password="pass", schema=parts["dbname"]
        )
        ensure_logins(database, {groups: connection})
        return connection.dsn

    yield make
    with psycopg.connect(database, autocommit=True) as owner:
        for name in made:
            owner.execute(sql.SQL("drop owned by {0} cascade; drop role {0}").format(sql.Identifier(name)))
