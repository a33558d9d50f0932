"""Carries rows from the warehouse to the ledger, which may be two databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from safar.workspace import ADDRESS_KEY, Workspace

Row = tuple[Any, ...]
BATCH = 5_000


class Incoming(Protocol):
    """A temporary table of the ledger that waits for rows."""

    @property
    def incoming(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...


class AddressBook:
    """Spells and hashes addresses, with the key of the connection safar_address_key."""

    def __init__(self, workspace: Workspace) -> None:
        # Delivery stands on this package; importing it at the top would be a circle.
        from safar.delivery.addresses import hash_address, normalise_email

        connection = workspace.connections.get(ADDRESS_KEY)
        self.key_id = str(connection.extra.get("key_id", ""))
        self._key = connection.secret
        self._hash_address = hash_address
        self._normalise_email = normalise_email

    def spell(self, channel: str, address: str) -> tuple[str, bool]:
        """The address in its one spelling, and whether anything can be sent to it."""
        spelling = self._normalise_email(address) if channel == "email" else address.strip()
        return (spelling, True) if spelling else (address.strip().lower(), False)

    def hash_spelling(self, channel: str, spelling: str) -> str:
        """The keyed hash of an address in its one spelling."""
        return self._hash_address(self._key, channel, spelling)

    def hash(self, channel: str, address: str) -> str:
        """The keyed hash of the address, however it is spelled."""
        return self.hash_spelling(channel, self.spell(channel, address)[0])


def copy_rows(
    warehouse: psycopg.Connection,
    query: LiteralString,
    names: Mapping[str, sql.Composable],
    ledger: psycopg.Connection,
    table: Incoming,
    convert: Callable[[Row], Row] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Streams the query's rows into the table's incoming rows, converting each one on the way.

    Args:
        names: what the query's braces stand for.
    """
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table.incoming), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with warehouse.cursor(name="publish") as reader, ledger.cursor().copy(statement) as writer:
        reader.itersize = BATCH
        reader.execute(sql.SQL(query).format(**names), parameters)
        for row in reader:
            writer.write_row(convert(row) if convert else row)
