"""Empties a person's columns in every version of their rows in raw_<source>; amounts and dates stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from safar.catalogue import Catalogue
from safar.erasure.raw_tables import SPELLED, RawTable, list_raw_tables
from safar.erasure.replacing import Replacement

UPDATE = "update {table} set {settings} where {condition}"
ADDRESS = sql.SQL(
    "{column} = (select surrogate from unnest(%(addresses)s::text[], %(address_surrogates)s::text[]) "
    "as swap (address, surrogate) where swap.address = {spelled})"
)
RECORD = sql.SQL(
    "{column} = coalesce((select surrogate from unnest(%(records)s::text[], %(record_surrogates)s::text[]) "
    "as swap (record, surrogate) where swap.record = {column}), {column})"
)
RECORDS = sql.SQL(
    "{column} = (select string_agg(coalesce(swap.surrogate, part.record), ';') "
    "from unnest(string_to_array({column}, ';')) as part (record) "
    "left join unnest(%(records)s::text[], %(record_surrogates)s::text[]) as swap (record, surrogate) "
    "on swap.record = btrim(part.record))"
)
# What dlt calls a version is a hash over all that stood in it.
VERSION = sql.SQL("_dlt_id = 'erased-' || gen_random_uuid()")
DELETED = sql.SQL("_deleted = true")


def redact_versions(warehouse: psycopg.Connection, catalogue: Catalogue, replacement: Replacement) -> int:
    """Redacts all declared tables in the transaction that is open; returns how many versions were changed."""
    return sum(_redact(warehouse, table, replacement) for table in list_raw_tables(warehouse, catalogue))


def _redact(warehouse: psycopg.Connection, table: RawTable, replacement: Replacement) -> int:
    owned = table.belongs_to(replacement.person)
    if owned is None:
        return 0
    condition, parameters = owned
    settings = [*_describe_settings(table), VERSION, *([DELETED] if table.is_of_people else [])]
    statement = sql.SQL(UPDATE).format(
        table=table.identifier, settings=sql.SQL(", ").join(settings), condition=condition
    )
    return warehouse.execute(statement, {**parameters, **_list_surrogates(table, replacement, parameters)}).rowcount


def _describe_settings(table: RawTable) -> list[sql.Composable]:
    emptied = [*table.name_columns(True, "phone"), *table.undeclared]
    settings: list[sql.Composable] = [sql.SQL("{} = null").format(sql.Identifier(name)) for name in emptied]
    for kind, template in (("address", ADDRESS), ("record", RECORD), ("records", RECORDS)):
        for name in table.name_columns(kind):
            column = sql.Identifier(name)
            settings.append(template.format(column=column, spelled=SPELLED.format(column)))
    return settings


def _list_surrogates(table: RawTable, replacement: Replacement, owned: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "record_surrogates": [replacement.records[table.source.name, record] for record in owned["records"]],
        "address_surrogates": [replacement.addresses[address] for address in owned["addresses"]],
    }
