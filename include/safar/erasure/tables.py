"""Goes through every table of the warehouse and rewrites the rows that name a person, whoever made the table.

Models of both cadences, snapshots, entries and decisions, stored test failures, what dlt keeps: none is listed here,
so none that is added later is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from safar.erasure.replacing import Replacement

LIST_TABLES = """
select namespace.nspname, class.relname
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where
    class.relkind in ('r', 'm') and class.relpersistence <> 't'
    and namespace.nspname not in ('pg_catalog', 'information_schema', 'ledger')
    and namespace.nspname not like 'pg\\_%'
    and has_table_privilege(class.oid, 'select')
order by 1, 2
"""
LIST_COLUMNS = """
select attribute.attname, format_type(attribute.atttypid, null), attribute.attnotnull
from pg_catalog.pg_attribute as attribute
where
    attribute.attrelid = %s::regclass and attribute.attnum > 0 and not attribute.attisdropped
    and attribute.attgenerated = ''
    and format_type(attribute.atttypid, null) in
        ('text', 'character varying', 'character', 'jsonb', 'json', 'date', 'text[]', 'character varying[]')
order by attribute.attnum
"""
FIND_ROWS: LiteralString = "select told.ctid::text, {columns} from {table} as told where told::text ~* %s"
UPDATE_ROW: LiteralString = "update {table} set {settings} where ctid = %s::tid"
QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_required: bool


def rewrite_tables(warehouse: psycopg.Connection, replacement: Replacement) -> dict[str, int]:
    """Rewrites in the transaction that is open; returns how many rows per table were changed."""
    counts: dict[str, int] = {}
    for schema, name in warehouse.execute(LIST_TABLES).fetchall():
        table = sql.Identifier(schema, name)
        # A row that could not be read is of no use without its record.
        if name == QUARANTINE:
            count = _delete_rows(warehouse, table, replacement)
        else:
            count = _rewrite_rows(warehouse, table, f'"{schema}"."{name}"', replacement)
        if count:
            counts[f"{schema}.{name}"] = count
    return counts


def vacuum_tables(dsn: str, tables: list[str]) -> None:
    """Lets PostgreSQL forget the former versions of the rows at once."""
    with psycopg.connect(dsn, autocommit=True) as warehouse:
        for table in tables:
            warehouse.execute(sql.SQL("vacuum {}").format(sql.Identifier(*table.split(".", 1))))


def _delete_rows(warehouse: psycopg.Connection, table: sql.Identifier, replacement: Replacement) -> int:
    statement = sql.SQL("delete from {} as told where told::text ~* %s").format(table)
    return warehouse.execute(statement, [replacement.any_mention]).rowcount


def _rewrite_rows(warehouse: psycopg.Connection, table: sql.Identifier, quoted: str, replacement: Replacement) -> int:
    columns = [Column(*row) for row in warehouse.execute(LIST_COLUMNS, [quoted]).fetchall()]
    if not columns:
        return 0
    listed = sql.SQL(", ").join(sql.Identifier("told", column.name) for column in columns)
    find = sql.SQL(FIND_ROWS).format(columns=listed, table=table)
    count = 0
    for place, *values in warehouse.execute(find, [replacement.any_mention]).fetchall():
        changed = dict(_rewrite_row(columns, values, replacement))
        if changed:
            settings = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in changed)
            update = sql.SQL(UPDATE_ROW).format(table=table, settings=settings)
            count += warehouse.execute(update, [*changed.values(), place]).rowcount
    return count


def _rewrite_row(columns: list[Column], values: list[Any], replacement: Replacement) -> Iterator[tuple[str, Any]]:
    for column, value in zip(columns, values, strict=True):
        rewritten = replacement.rewrite(value)
        if rewritten == value:
            continue
        if rewritten is None and column.is_required:
            rewritten = ""
        yield column.name, Jsonb(rewritten) if column.type.startswith("json") else rewritten
