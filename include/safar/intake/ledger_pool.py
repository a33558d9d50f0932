"""A few open connections to the ledger, shared by the intake's threads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, LifoQueue
from typing import TypeVar

import psycopg

from safar.workspace import Workspace

T = TypeVar("T")

# The provider waits ten seconds for an answer. What was answered must survive a crash of the server.
SESSION = "-c timezone=UTC -c synchronous_commit=on -c statement_timeout=7s -c lock_timeout=4s"
PATIENCE = 5.0


class LedgerUnavailable(Exception):
    """The ledger cannot be written just now; whoever asked must come back."""


class LedgerPool:
    """Runs pieces of work, each in one transaction of its own."""

    def __init__(self, workspace: Workspace, size: int) -> None:
        self._dsn = workspace.intake_ledger.dsn
        self._slots: LifoQueue[psycopg.Connection | None] = LifoQueue()
        for _ in range(size):
            self._slots.put(None)

    def run(self, work: Callable[[psycopg.Connection], T]) -> T:
        """Runs the work and commits. It must be idempotent: on a connection that died idle it runs again.

        Raises:
            LedgerUnavailable: no connection, no space, a lock held too long; nothing was written.
        """
        try:
            connection = self._slots.get(timeout=PATIENCE)
        except Empty:
            raise LedgerUnavailable("all connections are busy") from None
        try:
            if connection is not None:
                try:
                    return self._run_once(connection, work)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if not connection.broken:
                        raise
            connection = self._connect()
            return self._run_once(connection, work)
        except psycopg.Error as error:
            raise LedgerUnavailable(f"{type(error).__name__} {error.sqlstate or ''}".strip()) from error
        finally:
            self._slots.put(_keep(connection))

    def close(self) -> None:
        """Closes the idle connections."""
        slots = [self._slots.get() for _ in range(self._slots.qsize())]
        for connection in slots:
            if connection is not None:
                connection.close()
            self._slots.put(None)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._dsn, connect_timeout=5, options=SESSION, application_name="safar-intake")

    @staticmethod
    def _run_once(connection: psycopg.Connection, work: Callable[[psycopg.Connection], T]) -> T:
        with connection.transaction():
            return work(connection)


def _keep(connection: psycopg.Connection | None) -> psycopg.Connection | None:
    if connection is None or connection.closed:
        return None
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        with suppress(psycopg.Error):
            connection.close()
        return None
    return connection
