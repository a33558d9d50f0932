"""The raw tables of declared sources, as the extraction makes them even when a vendor had nothing to say."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from safar.catalogue.source import Source, Table

LANDING_TYPES = {
    "_deleted": "boolean",
    "_dlt_valid_from": "timestamptz",
    "_dlt_valid_to": "timestamptz",
    "_dlt_id": "text",
}


def create_raw_tables(dsn: str, sources: Iterable[Source]) -> None:
    """Creates each declared table, empty."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for source in sources:
            schema = sql.Identifier(f"raw_{source.name}")
            connection.execute(sql.SQL("create schema if not exists {}").format(schema))
            for table in source.tables:
                connection.execute(
                    sql.SQL("create table {}.{} ({})").format(schema, sql.Identifier(table.name), _columns(table))
                )


def _columns(table: Table) -> sql.Composed:
    types = {**table.types, **LANDING_TYPES}
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items()
    )
