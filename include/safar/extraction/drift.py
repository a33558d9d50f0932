"""How what came differs from what was declared: columns that are new, gone, or of another type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from safar.catalogue.source import Source, Table

if TYPE_CHECKING:  # whoever only reads the books does not need dlt
    from safar.extraction.rows import LineReader
    from safar.extraction.spool import Spool

SEPARATOR = "__"
FEW = 5
"""Of fewer values some that cannot be read say nothing; all of at least two do."""


@dataclass(frozen=True)
class Drift:
    """What one load found out about the columns of one table."""

    undeclared: tuple[str, ...] = ()
    """They came without being declared, and landed as text."""
    absent: tuple[str, ...] = ()
    """Declared, in no row of this full load, and without a value before it too."""
    vanished: tuple[str, ...] = ()
    """Declared, in no row of this full load, and with values before it."""
    retyped: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Column -> how many values do not fit its type, and how many there were."""

    def __bool__(self) -> bool:
        return bool(self.undeclared or self.absent or self.vanished or self.retyped)

    def describe(self) -> str:
        told = (
            ("undeclared columns", self.undeclared),
            ("declared columns that have never come", self.absent),
            ("vanished columns", self.vanished),
            ("retyped columns", tuple(self.retyped)),
        )
        return ", ".join(f"{what} {', '.join(names)}" for what, names in told if names)

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


def find_drift(
    table: Table, reader: LineReader, spool: Spool, list_filled: Callable[[list[str]], Collection[str]] | None
) -> Drift:
    """Compares what came with what is declared.

    Args:
        list_filled: of the columns given, those that have values in the rows that this load speaks of; None when not
            every one of these rows was asked for, so that a column's absence says nothing.
    """
    absent = _find_absent(table, reader, spool) if list_filled else []
    before = list_filled(absent) if list_filled and absent else ()
    return Drift(
        undeclared=tuple(sorted(reader.undeclared)),
        absent=tuple(name for name in absent if name not in before),
        vanished=tuple(name for name in absent if name in before),
        retyped=_find_retyped(reader.unreadable, spool, table.extract.retyped_over),
    )


def _find_absent(table: Table, reader: LineReader, spool: Spool) -> list[str]:
    """The declared columns that no row had, not even empty; none when there was no row."""
    if not spool.row_count:
        return []
    named, parents = reader.columns.list_named()
    missing = [
        column.name
        for column in table.columns
        if column.name not in named
        and not _is_inside_empty(reader.columns.describe_path(column.name), named - parents - reader.undeclared)
    ]
    # An object where a value was declared fills other columns.
    suspects = [column.name for column in table.columns if column.name in parents]
    filled = spool.count_values(suspects) if suspects else {}
    return missing + [name for name in suspects if not filled[name]]


def _is_inside_empty(path: str, empty: Collection[str]) -> bool:
    """Whether an object that would hold the column came, and was null in every row."""
    parts = path.split(SEPARATOR)
    return any(SEPARATOR.join(parts[:count]) in empty for count in range(1, len(parts)))


def _find_retyped(unreadable: Mapping[str, int], spool: Spool, most: Decimal) -> dict[str, tuple[int, int]]:
    if not unreadable:
        return {}
    readable = spool.count_values(sorted(unreadable))
    counts = {name: (bad, bad + readable[name]) for name, bad in sorted(unreadable.items())}
    return {
        name: (bad, all_)
        for name, (bad, all_) in counts.items()
        if (bad == all_ and bad > 1) or (all_ >= FEW and bad > most * all_)
    }


def list_filled(dsn: str, source: Source, table: Table, scope: str | None, columns: Collection[str]) -> set[str]:
    """Those of the columns that have a value in a version that is open, within the SQL condition ``scope``."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
            [source.schema_name, table.name],
        )
        names = sorted({row[0] for row in rows} & set(columns))
        if not names:
            return set()
        statement = sql.SQL(
            "select {counts} from {table} where _dlt_valid_to is null and not coalesce(_deleted, false) and {scope}"
        ).format(
            counts=sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier(name)) for name in names),
            table=sql.Identifier(source.schema_name, table.name),
            scope=sql.SQL(scope or "true"),
        )
        counts = connection.execute(statement).fetchone() or ()
    return {name for name, count in zip(names, counts, strict=True) if count}


def describe_findings(source: Source, drift: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What makes a load red, from the drift of its tables as the ledger keeps it."""
    for table in source.tables:
        found = drift.get(table.name, {})
        name = f"{source.schema_name}.{table.name}"
        for column in found.get("vanished", ()):
            yield (
                f"{name}: the column {column} has vanished: it had values, and no row of this full load has it. "
                f"When the vendor has renamed it or given it up, change `columns` in {source.file}."
            )
        for column, (bad, all_) in found.get("retyped", {}).items():
            yield (
                f"{name}: the column {column} is retyped: {bad} of {all_} values are no {table.types.get(column)}. "
                f"When the vendor has changed it, change its data_type in {source.file}."
            )
