"""Keeps the house: closes what is overdue, prunes what has served, and proves that the books balance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from safar.catalogue import load_catalogue
from safar.erasure import apply_retention, resume_erasures
from safar.errors import SafarError
from safar.feedback.identities import IdentityReport, check_identities
from safar.feedback.settings import read_feedback_settings
from safar.workspace import Workspace

# What is past its last moment is expired even when no dispatch ever looks at it again.
CLOSE_OVERDUE = """
with overdue as materialized (
    select message_id
    from ledger.message
    where is_planned and expires_at <= %s
    order by message_id
    for update skip locked
)

update ledger.message as message
set state = 'expired', reason = 'past its last moment', state_at = clock_timestamp()
from overdue
where message.message_id = overdue.message_id
"""
LIST_RAW_SCHEMAS = """
select schemaname
from pg_catalog.pg_tables
where schemaname like 'raw\\_%%' and tablename = '_dlt_version'
order by schemaname
"""
# dlt writes a version of its schema at every load, because the landing clock is part of it. It reads the
# newest, and the one that a load names; the newest few are kept for a load that must be rolled back.
KEPT_VERSIONS = 20
PRUNE_VERSIONS = """
delete from {schema}._dlt_version as version
where
    version.inserted_at < now() - %(age)s
    and version.version_hash not in (
        select newest.version_hash
        from {schema}._dlt_version as newest
        where newest.schema_name = version.schema_name
        order by newest.inserted_at desc
        limit %(kept)s
    )
"""
PRUNE_LOADS = """
delete from {schema}._dlt_loads as load
where
    load.inserted_at < now() - %(age)s
    and load.load_id not in (select state._dlt_load_id from {schema}._dlt_pipeline_state as state)
"""
HAS_STATE = "select to_regclass(%s) is not null and to_regclass(%s) is not null"


OVERDUE_AFTER = timedelta(days=3)
"""Wall time; the law allows a month."""


class ErasureOverdue(SafarError):
    """Somebody who asked to be forgotten is not, because a place could not be reached for days."""


@dataclass(frozen=True)
class HouseReport:
    """What was tidied up, and the accounts that hold."""

    overdue_count: int
    identities: IdentityReport
    pruned_counts: dict[str, int] = field(default_factory=dict)
    let_go_counts: dict[str, int] = field(default_factory=dict)
    erasures: str = ""

    def describe(self) -> str:
        pruned = sum(self.pruned_counts.values())
        let_go = ", ".join(f"{count} in {table}" for table, count in self.let_go_counts.items() if count)
        return (
            f"{self.identities.describe()}; {self.overdue_count} overdue messages expired; "
            f"{pruned} old records of loads removed; retention: {let_go or 'nothing is due'}; {self.erasures}"
        )


def keep_house(workspace: Workspace) -> HouseReport:
    """Closes overdue messages, prunes dlt's records, erases who is to be erased, then checks both identities.

    Raises:
        IdentityBroken: the books do not balance; the tidying is done all the same.
        ErasureOverdue: an erasure is open for days; the books balance.
    """
    overdue_count = close_overdue(workspace)
    pruned = prune_loads(workspace)
    let_go = apply_retention(workspace)
    erasures = resume_erasures(workspace, load_catalogue(workspace.settings))
    report = HouseReport(overdue_count, check_identities(workspace), pruned, let_go, erasures.describe())
    late = [one for one in erasures.waiting if one.requested_at < datetime.now(UTC) - OVERDUE_AFTER]
    if late:
        lines = "\n  ".join(one.describe() for one in late)
        raise ErasureOverdue(f"Erasures are open for more than {OVERDUE_AFTER.days} days:\n  {lines}")
    return report


def close_overdue(workspace: Workspace) -> int:
    """Expires planned messages whose last moment (business time) is over; returns how many."""
    with workspace.open_ledger() as connection:
        return connection.execute(CLOSE_OVERDUE, [workspace.clock.now()]).rowcount


def prune_loads(workspace: Workspace) -> dict[str, int]:
    """Deletes dlt's old schema versions and load records from the raw schemas; returns rows per schema."""
    age = timedelta(days=read_feedback_settings(workspace).load_history_days)
    with psycopg.connect(workspace.warehouse.dsn) as connection:
        schemas = [row[0] for row in connection.execute(LIST_RAW_SCHEMAS)]
        return {schema: _prune_schema(connection, schema, age) for schema in schemas}


def _prune_schema(connection: psycopg.Connection, schema: str, age: timedelta) -> int:
    name = sql.Identifier(schema)
    values = {"age": age, "kept": KEPT_VERSIONS}
    count = connection.execute(sql.SQL(PRUNE_VERSIONS).format(schema=name), values).rowcount
    tables = [f'"{schema}"._dlt_loads', f'"{schema}"._dlt_pipeline_state']
    row = connection.execute(HAS_STATE, tables).fetchone()
    if row and row[0]:
        count += connection.execute(sql.SQL(PRUNE_LOADS).format(schema=name), values).rowcount
    return count
