"""What has happened is only ever added to; the owner's own functions may rewrite it, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

Ledger = psycopg.Connection[Any]
Refused = psycopg.errors.CheckViolation

HISTORY = """
insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result)
values ('r', 'c', 's', 'p', 'once', 'planned');
insert into ledger.provider_event (provider, event_id, event_type, occurred_at) values ('x', '1', 'open', now());
insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key, occurred_at)
values ('email', 'all', 'h', 'p', 'granted', 'x', '1', now());
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
values ('email', 'h', 'bounce', 'x', '1', now());
insert into ledger.access_log (verb, subject_kind, subject_id, used_by) values ('explain', 'contact', 'p', 'os:me');
insert into ledger.sent_elsewhere (provider, provider_message_id, channel, campaign, step, address_hash, seen_at, reconciled_at)
values ('x', '1', 'email', 'c', 's', 'h', now(), now());
insert into ledger.stop (reason, created_by) values ('why', 'who');
insert into ledger.message_transition (message_id, from_state, to_state) values (gen_random_uuid(), 'a', 'b');
"""
TABLES = {
    "run": "as_of = now()",
    "epoch": "business_at = now()",
    "plan_result": "result = 'expired'",
    "provider_event": "event_type = 'click'",
    "message_transition": "to_state = 'c'",
    "permission_event": "state = 'revoked'",
    "suppression": "reason = 'other'",
    "access_log": "used_by = 'os:you'",
    "sent_elsewhere": "seen_at = now() + '1 day'",
}


@pytest.fixture
def history(message: Ledger) -> Ledger:
    message.execute(HISTORY)
    return message


@pytest.mark.parametrize("table", TABLES)
def test_history_is_not_changed(history: Ledger, table: str) -> None:
    for statement in (f"update ledger.{table} set {TABLES[table]}", f"delete from ledger.{table}"):
        with pytest.raises(Refused, match=f"what stands in ledger.{table} is not changed"):
            history.execute(statement)
    with pytest.raises(Refused, match=r"is not changed|never deleted"):
        history.execute(f"truncate ledger.{table} cascade")


def test_a_stop_is_lifted_and_never_deleted(history: Ledger) -> None:
    history.execute("update ledger.stop set lifted_at = now()")
    with pytest.raises(Refused):
        history.execute("delete from ledger.stop")


def test_a_published_row_may_turn_out_to_have_been_known_earlier_but_not_later(history: Ledger) -> None:
    for table in ("permission_event", "suppression"):
        history.execute(f"update ledger.{table} set recorded_at = recorded_at - interval '1 hour'")
        with pytest.raises(Refused):
            history.execute(f"update ledger.{table} set recorded_at = recorded_at + interval '1 hour'")


def test_a_function_of_the_owner_rewrites_history_for_whoever_may_call_it(
    history: Ledger, log_in: Callable[..., str]
) -> None:
    history.execute(
        """
        create function ledger.forget(person text, surrogate text) returns void
        language sql security definer set safar.rewriting = 'on' as $$
            update ledger.message set contact_id = surrogate, address = null, fields = '{}' where contact_id = person;
            update ledger.action set contact_id = surrogate where contact_id = person;
            update ledger.permission_event set contact_id = surrogate where contact_id = person;
            update ledger.plan_result set contact_id = surrogate where contact_id = person;
        $$
        """
    )
    with psycopg.connect(log_in("safar_deliver"), autocommit=True) as other:
        other.execute("select ledger.forget('p', 'nobody')")
        assert other.execute("select contact_id, address from ledger.message").fetchall() == [("nobody", None)]
        assert other.execute("select contact_id from ledger.permission_event").fetchall() == [("nobody",)]
        # The same words in somebody else's mouth mean nothing.
        other.execute("set safar.rewriting = on")
        with pytest.raises(Refused, match="a message begins planned"):
            other.execute(
                "insert into ledger.message (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, "
                "channel, class, priority, template, locale, address_hash, address_key_id, entry_occurred_at, due_at, "
                "expires_at, planned_at, state) select gen_random_uuid(), action_id, run_id, campaign, step, 'x', "
                "contact_id, 'email', class, 1, 't', 'en', 'x', 'k', now(), now(), now(), now(), 'accepted' "
                "from ledger.action"
            )


def test_a_function_of_the_same_name_in_another_schema_makes_nobody_the_owner(
    history: Ledger, log_in: Callable[..., str]
) -> None:
    dsn = log_in("safar_build")
    login = psycopg.conninfo.conninfo_to_dict(dsn)["user"]
    history.execute(sql.SQL("create schema mine authorization {}").format(sql.Identifier(str(login))))
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("create function mine.pg_has_role(name, oid, text) returns boolean language sql as 'select true'")
        other.execute("set search_path = mine, pg_catalog")
        other.execute("set safar.rewriting = on")
        with pytest.raises(Refused, match="what stands in ledger.permission_event is not changed"):
            other.execute("update ledger.permission_event set recorded_at = 'infinity'")


def test_forgetting_somebody_turns_no_withdrawal_into_a_yes(history: Ledger, log_in: Callable[..., str]) -> None:
    history.execute(
        "insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key, "
        "occurred_at) values ('email', 'all', 'h2', 'q', 'revoked', 'x', '2', now())"
    )
    words = {"revoked": "granted", "bounce": "erased", "^x$": "erasure", "^all$": "none", "^h$": "h3"}
    with psycopg.connect(log_in("safar_deliver"), autocommit=True) as other:
        other.execute("insert into ledger.erasure (origin, requested_by) values ('command', 'me')")
        other.execute(
            "select ledger.forget_person(erasure_id, '{}', '{}', %s, %s, '{}') from ledger.erasure",
            [list(words), list(words.values())],
        )
    kept = history.execute("select state, topic, address_hash from ledger.permission_event order by 1").fetchall()
    assert kept == [("granted", "all", "h"), ("revoked", "all", "h2")]
    assert history.execute("select reason, origin from ledger.suppression").fetchall() == [("bounce", "x")]
