"""Tables of the ledger that keep versions by run: what a run sees follows from its sequence alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from safar.warehouse.pin import Pin

CREATE_INCOMING: LiteralString = """
create temporary table {incoming} on commit drop as
select {columns}, false as is_closed from ledger.{table} with no data;
alter table {incoming} alter column is_closed set default false
"""

# A contact that the run no longer knows comes in as closed, so that one rule serves both.
ADD_VANISHED: LiteralString = """
insert into {incoming} ({key}, is_closed)
select {key}, true
from ledger.{table} as known
where
    known.from_sequence <= %(sequence)s
    and (known.until_sequence is null or known.until_sequence > %(sequence)s)
    and not exists (select from {incoming} as incoming where {same_key})
"""

LEAVE_NEWER: LiteralString = """
delete from {incoming} as incoming
using ledger.{table} as known
where {same_key} and (known.from_sequence > %(sequence)s or known.until_sequence > %(sequence)s)
"""

LEAVE_UNCHANGED: LiteralString = """
delete from {incoming} as incoming
using ledger.{table} as known
where
    {same_key} and known.until_sequence is null
    and not incoming.is_closed and ({old_values}) is not distinct from ({new_values})
"""

# The run's own earlier version, from before its task was cleared, makes way.
DROP_OWN: LiteralString = """
delete from ledger.{table} as known
using {incoming} as incoming
where {same_key} and known.from_sequence = %(sequence)s
"""

CLOSE_OLDER: LiteralString = """
update ledger.{table} as known
set until_sequence = %(sequence)s
from {incoming} as incoming
where {same_key} and known.until_sequence is null
"""

INSERT_NEW: LiteralString = """
insert into ledger.{table} ({columns}, from_sequence)
select {columns}, %(sequence)s from {incoming} where not is_closed
"""


@dataclass(frozen=True)
class VersionedTable:
    """A ledger table with ``from_sequence`` and ``until_sequence``; a row is valid from the one up to the other."""

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def incoming(self) -> str:
        """The temporary table that holds what a run publishes, gone with the transaction."""
        return f"incoming_{self.name}"

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.values)

    def create_incoming(self, ledger: psycopg.Connection) -> None:
        """Creates the temporary table, empty."""
        ledger.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(self.incoming)))
        ledger.execute(self._fill(CREATE_INCOMING))

    def merge_incoming(self, ledger: psycopg.Connection, pin: Pin) -> int:
        """Makes the versions that are valid for the run equal to what came in; returns how many keys changed.

        Keys that a newer run has touched stay as that run left them, and what has not changed is not
        written again.
        """
        parameters = {"sequence": pin.sequence}
        ledger.execute(sql.SQL("analyze {}").format(sql.Identifier(self.incoming)))
        for statement in (ADD_VANISHED, LEAVE_NEWER, LEAVE_UNCHANGED):
            ledger.execute(self._fill(statement), parameters)
        for statement in (DROP_OWN, CLOSE_OLDER, INSERT_NEW):
            ledger.execute(self._fill(statement), parameters)
        row = ledger.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(self.incoming))).fetchone()
        return int(row[0]) if row else 0

    def _fill(self, statement: LiteralString) -> sql.Composed:
        def listed(names: tuple[str, ...], template: LiteralString, separator: LiteralString) -> sql.Composed:
            return sql.SQL(separator).join(sql.SQL(template).format(sql.Identifier(name)) for name in names)

        return sql.SQL(statement).format(
            table=sql.Identifier(self.name),
            incoming=sql.Identifier(self.incoming),
            columns=listed(self.columns, "{}", ", "),
            key=listed(self.key, "{}", ", "),
            same_key=listed(self.key, "known.{0} = incoming.{0}", " and "),
            old_values=listed(self.values, "known.{}", ", "),
            new_values=listed(self.values, "incoming.{}", ", "),
        )
