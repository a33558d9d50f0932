"""Each part logs in with the rights of its work: what a verb does not do, its login cannot do."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from tests.ledger.conftest import CLAIM, PLANNED
from typer.testing import CliRunner

from safar.cli import app
from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.ledger.logins import GROUPS, TASKS, ensure_logins
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import PostgresAddress
from safar.services.stack import AIRFLOW, LOGINS, describe_databases, prepare_databases, read_passwords
from safar.settings import Settings

Ledger = psycopg.Connection[Any]
LogIn = Callable[..., str]
Denied = psycopg.errors.InsufficientPrivilege

# What nobody but the owner does, whatever the groups.
OWNERS_ALONE = (
    "alter table ledger.message disable trigger all",
    "drop trigger guard_message_state on ledger.message",
    "alter table ledger.message add column x int",
    "create table ledger.mine (x int)",
    "create or replace function ledger.guard_message_state() returns trigger language plpgsql as 'begin return null; end'",
    "set session_replication_role = replica",
    "delete from ledger.message",
    "delete from ledger.permission_event",
    "delete from ledger.message_transition",
    "truncate ledger.plan_result",
    "insert into ledger.message_transition (message_id, from_state, to_state) values (gen_random_uuid(), 'a', 'b')",
    "insert into ledger.legal_transition values ('planned', 'accepted')",
    "update ledger.message set address = 'somebody@else.example'",
    "update ledger.message set campaign = 'other'",
    "update ledger.run set as_of = now()",
    "delete from ledger.access_log",
    "delete from ledger.app_event",
    "update ledger.app_event set user_id = 'app:2'",
)
# One thing that another group may do, by the group that may not.
NOT_THEIRS = {
    "safar_dbt": (
        "update ledger.message set state = 'cancelled'",
        "insert into ledger.campaign_gate values ('r', 'c', false)",
        "insert into ledger.stop (reason, created_by) values ('x', 'x')",
        "select ledger.accept_proven('{}')",
        "select ledger.known_until()",
    ),
    "safar_build": (
        "update ledger.message set state = 'cancelled'",
        CLAIM,
        "insert into ledger.plan_result values ('r', 'c', 's', 'p', 'o', 'planned')",
        "update ledger.permission_event set state = 'granted'",
        "select ledger.accept_proven('{}')",
    ),
    "safar_deliver": (
        "insert into ledger.campaign_gate values ('r', 'c', false)",
        "insert into ledger.run (run_id) values ('x')",
        "update ledger.address set until_sequence = 1",
        "insert into ledger.provider_event (provider, event_id, event_type, occurred_at) values ('x', 'x', 'x', now())",
        "insert into ledger.app_event (key_name, event_id) values ('x', 'x')",
        "update ledger.permission_event set recorded_at = now()",
    ),
    "safar_intake": (
        "update ledger.message set state = 'cancelled'",
        "update ledger.message set state = 'accepted', accepted_at = now()",
        "select fields from ledger.message",
        "select address from ledger.address",
        "update ledger.permission_event set state = 'granted'",
        "insert into ledger.stop (reason, created_by) values ('x', 'x')",
        "select * from ledger.plan_result",
        "select surrogate from ledger.tombstone",
        "select ledger.forget_app_user('{}', '{}')",
    ),
    "safar_read": (
        "select email from ledger.app_event",
        "select anonymous_id from ledger.app_event",
        "select properties from ledger.app_event",
        "select address from ledger.message",
        "select fields from ledger.message",
        "select address from ledger.address",
        "select payload from ledger.provider_event",
        "select * from ledger.access_log",
        "update ledger.stop set lifted_at = now()",
        "insert into ledger.suppression (channel) values ('x')",
    ),
}
# Tables that nobody writes but the owner's migrations and triggers.
WRITTEN_BY_THE_OWNER = {"alembic_version", "legal_transition", "message_transition"}


@pytest.mark.parametrize("group", GROUPS)
def test_only_the_owner_changes_the_schema_or_history(message: Ledger, log_in: LogIn, group: str) -> None:
    with psycopg.connect(log_in(group), autocommit=True) as connection:
        for statement in OWNERS_ALONE:
            with pytest.raises(Denied):
                connection.execute(statement)


@pytest.mark.parametrize("group", NOT_THEIRS)
def test_no_group_does_the_work_of_another(message: Ledger, log_in: LogIn, group: str) -> None:
    with psycopg.connect(log_in(group), autocommit=True) as connection:
        for statement in NOT_THEIRS[group]:
            with pytest.raises(Denied):
                connection.execute(statement)


def test_the_dispatchers_login_cannot_write_an_illegal_transition(message: Ledger, log_in: LogIn) -> None:
    with psycopg.connect(log_in("safar_deliver"), autocommit=True) as connection:
        for state in ("accepted", "attempting", "unknown", "presumed_lost", "failed"):
            with pytest.raises(psycopg.errors.CheckViolation, match="may not go from planned"):
                connection.execute("update ledger.message set state = %s", [state])
        connection.execute("update ledger.message set state = 'cancelled', reason = 'by hand'")
        assert connection.execute("select to_state from ledger.message_transition").fetchall() == [("cancelled",)]


def test_the_intake_proves_messages_by_events_and_changes_them_in_no_other_way(
    message: Ledger, move: Callable[..., None], log_in: LogIn
) -> None:
    move(message, "claimed", "attempting", "unknown")
    row = message.execute("select message_id from ledger.message").fetchone()
    assert row is not None
    with psycopg.connect(log_in("safar_intake"), autocommit=True) as intake:
        assert intake.execute("select ledger.accept_proven(%s)", [[row[0]]]).fetchone() == (0,)
        intake.execute(
            "insert into ledger.provider_event (provider, event_id, message_id, event_type, occurred_at) "
            "values ('sendgrid', '1', %s, 'delivered', now())",
            [row[0]],
        )
        assert intake.execute("select ledger.accept_proven(%s)", [[row[0]]]).fetchone() == (1,)
        assert intake.execute("select state from ledger.message").fetchone() == ("accepted",)


def test_every_table_has_a_writer(database: str) -> None:
    with psycopg.connect(database) as owner:
        rows = owner.execute(
            """
            select relname from pg_class
            where
                relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p')
                and not exists (
                    select from unnest(%s::text[]) as role where has_table_privilege(role, pg_class.oid, 'insert')
                )
            """,
            [list(GROUPS)],
        ).fetchall()
    assert {row[0] for row in rows} == WRITTEN_BY_THE_OWNER, (
        "A new table is read by dbt, build and deliver, and written by nobody: grant insert (and update of the columns "
        "that change) in the migration that creates it, to the groups that write it."
    )


def test_a_pin_sees_what_other_logins_are_still_writing(message: Ledger, log_in: LogIn, database: str) -> None:
    with psycopg.connect(log_in("safar_intake")) as intake, psycopg.connect(log_in("safar_build")) as build:
        intake.execute(
            "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at) "
            "values ('email', 'h', 'bounce', 'x', 'x', now())"
        )
        began = intake.execute("select now()").fetchone()
        assert build.execute("select ledger.known_until()").fetchone() == began


def test_a_login_gets_its_groups_and_loses_the_others(database: str, postgres: PostgresAddress, log_in: LogIn) -> None:
    dsn = log_in(*TASKS)
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    known = Connection(
        conn_id="x", host="127.0.0.1", port=postgres.port, login=str(parts["user"]), password="new", schema="x"
    )
    ensure_logins(database, {("safar_read",): known})
    with psycopg.connect(database) as owner:
        groups = owner.execute(
            "select role.rolname from pg_auth_members join pg_roles as role on role.oid = roleid "
            "where member = %s::regrole",
            [parts["user"]],
        ).fetchall()
    assert groups == [("safar_read",)]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)


def test_the_owner_need_not_be_a_superuser_but_must_see_when_others_began(postgres: PostgresAddress) -> None:
    owner_dsn = f"postgresql://plain_owner:pass@127.0.0.1:{postgres.port}/plain_ledger"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
        try:
            server.execute("create role plain_owner login password 'pass'")
            server.execute("create database plain_ledger owner plain_owner")
            with pytest.raises(DBAPIError, match="grant pg_read_all_stats to plain_owner"):
                migrate_ledger(owner_dsn)
            server.execute("grant pg_read_all_stats to plain_owner")
            migrate_ledger(owner_dsn)
            with psycopg.connect(owner_dsn, autocommit=True) as owner:
                owner.execute(PLANNED)
                with pytest.raises(psycopg.errors.CheckViolation):
                    owner.execute("update ledger.message set state = 'accepted'")
                owner.execute("update ledger.message set state = 'cancelled'")
                assert owner.execute("select count(*) from ledger.message_transition").fetchone() == (1,)
        finally:
            server.execute("drop database if exists plain_ledger with (force)")
            server.execute("drop role if exists plain_owner")


def test_the_command_migrates_as_owner_and_gives_the_logins_their_rights(
    database: str, connections: dict[str, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database)
    owner = {**connections["safar_ledger"], "login": parts["user"], "password": parts["password"]}
    for conn_id, fields in {**connections, "safar_ledger_owner": owner}.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))
    done = CliRunner().invoke(app, ["migrate", "--logins"])
    assert done.output == "The ledger is up to date.\nLogins: test_warehouse, test_tasks, test_web.\n"


@pytest.mark.parametrize("login", ["", "postgres", "safar_build"])
def test_a_connection_without_a_login_of_its_own_is_refused(database: str, login: str) -> None:
    with pytest.raises(ConfigurationError, match="'safar_ledger' has no login of its own"):
        ensure_logins(database, {TASKS: Connection(conn_id="safar_ledger", login=login)})


def test_every_part_of_make_run_logs_in_as_itself(postgres: PostgresAddress, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    try:
        databases = describe_databases(postgres, read_passwords(tmp_path))
        for _ in range(2):
            metadata = prepare_databases(postgres, databases, settings)
        assert stat.S_IMODE((tmp_path / "logins.json").stat().st_mode) == 0o600
        logins = {conn_id: str(fields["login"]) for conn_id, fields in databases.items()}
        assert logins == LOGINS
        assert len({fields["password"] for fields in databases.values()}) == len(logins)
        with psycopg.connect(metadata, autocommit=True) as airflow:
            airflow.execute("create table dag (x int)")
            assert airflow.info.user == AIRFLOW
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(metadata.replace("/airflow", "/safar").replace("airflow:", "safar_web:"))
    finally:
        with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as server:
            for name in ("safar", "airflow"):
                server.execute(f"drop database if exists {name} with (force)")
            for name in (*LOGINS.values(), AIRFLOW):
                server.execute(f"drop role if exists {name}")
