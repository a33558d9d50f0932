"""Tables of the ledger that only grow: published again, a row changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from safar.warehouse.pin import Pin

CREATE_INCOMING: LiteralString = """
create temporary table {incoming} on commit drop as
select {columns} from ledger.{table} with no data
"""

# Most of what comes in was published by an earlier run: a hash join finds that faster than the index.
LEAVE_KNOWN: LiteralString = """
delete from {incoming} as incoming
using ledger.{table} as known
where {same} and known.recorded_at <= %(recorded_at)s
"""

# Where another run has published the row with a later stamp, the earlier one holds: it was known by then.
INSERT_NEW: LiteralString = """
with written as (
    insert into ledger.{table} as known ({columns}, recorded_at)
    select distinct on ({unique}) {columns}, %(recorded_at)s
    from {incoming}
    order by {columns}
    on conflict ({unique}) do update
    set recorded_at = excluded.recorded_at
    where known.recorded_at > excluded.recorded_at
    returning xmax = 0 as is_new
)
select count(*) filter (where is_new) from written
"""


@dataclass(frozen=True)
class EventTable:
    """A ledger table whose rows are told apart by ``unique``."""

    name: str
    unique: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def incoming(self) -> str:
        """The temporary table that holds what a run publishes, gone with the transaction."""
        return f"incoming_{self.name}"

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.unique, *self.values)

    def create_incoming(self, ledger: psycopg.Connection) -> None:
        """Creates the temporary table, empty."""
        ledger.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(self.incoming)))
        ledger.execute(self._fill(CREATE_INCOMING))

    def merge_incoming(self, ledger: psycopg.Connection, pin: Pin) -> int:
        """Adds what is not there yet, as something that this run knows already; returns how many rows are new."""
        parameters = {"recorded_at": pin.published_at}
        ledger.execute(sql.SQL("analyze {}").format(sql.Identifier(self.incoming)))
        ledger.execute(self._fill(LEAVE_KNOWN), parameters)
        row = ledger.execute(self._fill(INSERT_NEW), parameters).fetchone()
        return int(row[0]) if row else 0

    def _fill(self, statement: LiteralString) -> sql.Composed:
        def listed(names: tuple[str, ...]) -> sql.Composed:
            return sql.SQL(", ").join(map(sql.Identifier, names))

        return sql.SQL(statement).format(
            table=sql.Identifier(self.name),
            incoming=sql.Identifier(self.incoming),
            columns=listed(self.columns),
            unique=listed(self.unique),
            same=sql.SQL(" and ").join(
                sql.SQL("known.{0} = incoming.{0}").format(sql.Identifier(name)) for name in self.unique
            ),
        )
