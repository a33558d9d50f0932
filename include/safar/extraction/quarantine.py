"""Rows that cannot be read stay out of the tables, with their reason, until somebody looks."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg
from psycopg import sql

from safar.catalogue.source import Table

CREATE = """
create table if not exists {table} (
    load_id text not null,
    table_name text not null,
    key_hash text not null,
    reason text not null,
    record jsonb,
    landed_at timestamptz not null
)
"""


@dataclass(frozen=True)
class QuarantinedRow:
    """A record that no table took, with the reason."""

    table: str
    key_hash: str
    reason: str
    record: str


def quarantine_row(table: Table, flat: Any, record: Any, reason: str, secret: str) -> QuarantinedRow:
    """Notes the record; its key is told as a keyed hash, or the whole record's when it has no key."""
    values = [flat.get(column) for column in table.extract.key] if isinstance(flat, dict) else []
    told = values if values and all(value not in (None, "") for value in values) else record
    digest = hmac.digest(secret.encode(), orjson.dumps([table.name, told], default=str), "sha256").hex()
    text = orjson.dumps(record, default=str).decode().replace("\\u0000", "")
    return QuarantinedRow(table.name, digest, reason, text)


def write_quarantine(dsn: str, schema: str, load_id: str, landed_at: datetime, rows: Sequence[QuarantinedRow]) -> None:
    """Writes the rows to raw_<source>.quarantine."""
    with psycopg.connect(dsn) as connection:
        table = sql.Identifier(schema, "quarantine")
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL(CREATE).format(table=table))
        copy = sql.SQL("copy {} (load_id, table_name, key_hash, reason, record, landed_at) from stdin").format(table)
        with connection.cursor() as cursor, cursor.copy(copy) as out:
            for row in rows:
                out.write_row((load_id, row.table, row.key_hash, row.reason, row.record, landed_at))
