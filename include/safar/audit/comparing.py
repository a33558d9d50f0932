"""Compares what a run wrote with what its replay wrote, row by row, without showing a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

SHOWN = 5

DIFFER = """
select
    {key},
    stored.content is null as is_new,
    replayed.content is null as is_gone,
    array(
        select name
        from jsonb_object_keys(coalesce(stored.content, replayed.content)) as name
        where stored.content -> name is distinct from replayed.content -> name
        order by name
    ) as columns
from (select {key}, to_jsonb(kept) as content from decisions.{table} as kept where run_id = %(run_id)s) as stored
full join (
    select {key}, to_jsonb(made) as content from {scratch}.{table} as made where run_id = %(run_id)s
) as replayed using ({key})
where stored.content is distinct from replayed.content
order by {key}
"""
COUNT = "select count(*) from decisions.{table} where run_id = %s"


@dataclass(frozen=True)
class ComparedTable:
    """A table of the decisions, and what tells the rows of one run apart; the contact is always among it."""

    name: str
    key: tuple[str, ...]


ENTRIES = ComparedTable("fct_entries", ("campaign", "contact_id", "occurrence_key"))
DECISIONS = ComparedTable("fct_decisions", ("campaign", "contact_id", "occurrence_key", "step"))


@dataclass(frozen=True)
class Comparison:
    """What differs in one table. ``first`` names keys and columns, no values."""

    table: ComparedTable
    row_count: int
    differing_count: int
    erased_count: int
    first: tuple[str, ...]


def compare_table(
    warehouse: psycopg.Connection[Any],
    table: ComparedTable,
    run_id: str,
    scratch: str,
    is_erased: Callable[[str], bool],
) -> Comparison:
    """Compares one run's rows in the decisions with those in the scratch schema."""
    names = {
        "table": sql.Identifier(table.name),
        "scratch": sql.Identifier(scratch),
        "key": sql.SQL(", ").join(map(sql.Identifier, table.key)),
    }
    row = warehouse.execute(sql.SQL(COUNT).format(**names), [run_id]).fetchone()
    count = int(row[0]) if row else 0
    contact_at = table.key.index("contact_id")
    differing = warehouse.execute(sql.SQL(DIFFER).format(**names), {"run_id": run_id}).fetchall()
    living = [found for found in differing if not is_erased(found[contact_at])]
    first = tuple(_describe(table, found) for found in living[:SHOWN])
    return Comparison(table, count, len(living), len(differing) - len(living), first)


def _describe(table: ComparedTable, found: tuple[Any, ...]) -> str:
    *key, is_new, is_gone, columns = found
    what = (
        "is decided only now" if is_new else "is not decided again" if is_gone else f"differs in {', '.join(columns)}"
    )
    return f"{table.name} {'/'.join(key)} {what}"
