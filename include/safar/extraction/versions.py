"""What a load did to the versions in raw_<source>, and how to undo it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import psycopg
from psycopg import sql

from safar.catalogue.source import Source, Table
from safar.extraction.report import Counts

# A key is new when it has no version from before the load; what the load only closed is gone.
COUNT_VERSIONS = """
with opened as (
    select {key}, coalesce(_deleted, false) as is_gone
    from {table}
    where _dlt_valid_from = %(landed_at)s
),
closed as (
    select {key}
    from {table}
    where _dlt_valid_to = %(landed_at)s and _dlt_valid_from < %(landed_at)s
),
judged as (
    select
        coalesce(opened.is_gone, true) as is_gone,
        {closed_key} is not null as was_open
    from opened
    full join closed using ({key})
)
select
    count(*) filter (where not is_gone and not was_open),
    count(*) filter (where not is_gone and was_open),
    count(*) filter (where is_gone)
from judged
"""


def count_versions(dsn: str, source: Source, landed_at: datetime, tables: Iterable[Table]) -> dict[str, Counts]:
    """Counts for each of these tables what the load that landed then opened and closed."""
    with psycopg.connect(dsn) as connection:
        return {table.name: _count(connection, source, table, landed_at) for table in tables}


def undo_load(dsn: str, source: Source, load_id: str, landed_at: datetime) -> None:
    """Takes a load back: its versions go, what it closed is open again, and the state before it holds.

    Doing it twice, or for a load that was killed half way, is right too.
    """
    with psycopg.connect(dsn) as connection:
        for table in source.tables:
            if not exists(connection, source.schema_name, table.name):
                continue
            versions = sql.Identifier(source.schema_name, table.name)
            connection.execute(sql.SQL("delete from {} where _dlt_valid_from = %s").format(versions), [landed_at])
            reopen = sql.SQL("update {} set _dlt_valid_to = null where _dlt_valid_to = %s").format(versions)
            connection.execute(reopen, [landed_at])
        for name, column in (
            ("quarantine", "load_id"),
            ("_dlt_pipeline_state", "_dlt_load_id"),
            ("_dlt_loads", "load_id"),
        ):
            if exists(connection, source.schema_name, name):
                statement = sql.SQL("delete from {} where {} = %s").format(
                    sql.Identifier(source.schema_name, name), sql.Identifier(column)
                )
                connection.execute(statement, [load_id])


def _count(connection: psycopg.Connection, source: Source, table: Table, landed_at: datetime) -> Counts:
    columns = [sql.Identifier(column) for column in table.extract.key]
    statement = sql.SQL(COUNT_VERSIONS).format(
        key=sql.SQL(", ").join(columns),
        closed_key=sql.SQL("closed.{}").format(columns[0]),
        table=sql.Identifier(source.schema_name, table.name),
    )
    row = connection.execute(statement, {"landed_at": landed_at}).fetchone()
    assert row is not None
    return Counts(*row)


def exists(connection: psycopg.Connection, schema: str, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [f'"{schema}"."{table}"']).fetchone()
    return bool(row and row[0])
