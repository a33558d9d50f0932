"""The company's own file: what cannot be made again from the seed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.clock import write_moment
from sandbox.config import SandboxConfig


class Store:
    """A SQLite file that several threads may use; each ``with store.writing()`` is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self.define(
            "create table if not exists fact (name text primary key, value text not null)",
            "create table if not exists cause "
            "(sequence integer primary key, at integer not null, kind text not null, payload text not null)",
            "create table if not exists fault (fault_id integer primary key, description text not null)",
        )

    def define(self, *statements: str) -> None:
        """Runs ``create ... if not exists`` statements; each vendor defines its own tables."""
        with self._lock:
            for statement in statements:
                self._connection.execute(statement)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back by an exception."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def execute(self, statement: str, values: Iterable[Any] = ()) -> int:
        """Runs one writing statement and returns the last row's id."""
        with self.writing() as connection:
            return connection.execute(statement, tuple(values)).lastrowid or 0

    def execute_many(self, statement: str, rows: Iterable[Iterable[Any]]) -> None:
        """Runs one statement for many rows in one transaction."""
        with self.writing() as connection:
            connection.executemany(statement, [tuple(row) for row in rows])

    def fetch_all(self, statement: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, tuple(values)).fetchall()

    def fetch_one(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Row | None:
        rows = self.fetch_all(statement, values)
        return rows[0] if rows else None

    def read_fact(self, name: str) -> str | None:
        row = self.fetch_one("select value from fact where name = ?", (name,))
        return None if row is None else str(row["value"])

    def write_fact(self, name: str, value: str) -> None:
        self.execute(
            "insert into fact values (?, ?) on conflict (name) do update set value = excluded.value", (name, value)
        )

    def require_same_company(self, config: SandboxConfig) -> None:
        """Marks a new file as this company's.

        Raises:
            ValueError: the file belongs to a company of another seed, size or start.
        """
        wanted = {"seed": str(config.seed), "people": str(config.people), "start": write_moment(config.start)}
        for name, value in wanted.items():
            stored = self.read_fact(name)
            if stored is None:
                self.write_fact(name, value)
            elif stored != value:
                raise ValueError(
                    f"{self.path} belongs to a company with {name} {stored}, not {value}. Give --{name} {stored}, "
                    "choose another --home, or delete that folder to begin anew."
                )

    def close(self) -> None:
        with self._lock:
            self._connection.close()
