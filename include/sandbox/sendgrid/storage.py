"""The vendor's own memory: one SQLite file in the sandbox's home, so that a restart goes on where it stood."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists template (
    template_id text primary key,
    position integer not null,
    name text not null,
    generation text not null,
    updated_at text not null
);
create table if not exists template_version (
    version_id text primary key,
    template_id text not null references template on delete cascade,
    position integer not null,
    is_active integer not null,
    name text not null,
    content_id integer not null references content,
    generate_plain_content integer not null,
    editor text not null,
    test_data text,
    updated_at text not null
);
-- Never updated: a mail keeps the content that was active when it was accepted.
create table if not exists content (
    content_id integer primary key,
    subject text not null,
    html text not null,
    plain text not null
);
create table if not exists mail_request (
    request_id integer primary key,
    x_message_id text not null unique,
    accepted_at real not null,
    next_process_at real,
    batch_id text,
    content_id integer references content,
    body blob not null
);
create index if not exists mail_request_due on mail_request (next_process_at) where next_process_at is not null;
-- One row per recipient; mail_id = request_id * 1000 + place among the request's recipients.
create table if not exists mail (
    mail_id integer primary key,
    personalization integer not null,
    address text not null,
    message_id text,
    campaign text,
    step text,
    process_at real not null,
    is_played integer not null default 0,
    expected_extra_orders real not null default 0
);
create index if not exists mail_message on mail (message_id);
create index if not exists mail_address on mail (address);
create table if not exists mail_event (
    event_id integer primary key,
    mail_id integer not null references mail,
    kind text not null,
    due_at real not null,
    details text not null,
    happened integer not null default 0
);
create index if not exists mail_event_due on mail_event (due_at) where happened = 0;
create index if not exists mail_event_mail on mail_event (mail_id);
create table if not exists suppression (
    list text not null,
    address text not null,
    created integer not null,
    reason text,
    status text,
    primary key (list, address)
);
create table if not exists unsubscribe_group (
    group_id integer primary key,
    name text not null,
    description text not null,
    is_default integer not null
);
create table if not exists batch (
    batch_id text primary key,
    status text
);
create table if not exists webhook (
    webhook_id text primary key,
    position integer not null,
    url text not null,
    is_signed integer not null,
    settings text not null,
    created_date text not null,
    updated_date text not null
);
create table if not exists webhook_post (
    post_id integer primary key,
    webhook_id text not null,
    first_at real not null,
    next_at real,
    attempt_count integer not null default 0,
    outcome text not null default 'waiting',
    is_forged integer not null default 0,
    body blob not null
);
create index if not exists webhook_post_due on webhook_post (next_at) where next_at is not null;
create table if not exists erased (
    job_id text not null,
    address text not null
);
create table if not exists tally (
    name text primary key,
    amount integer not null
);
"""

Row = sqlite3.Row


class Storage:
    """One connection under one lock; each `transaction()` is committed whole or not at all."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        # With WAL, NORMAL loses nothing when the process dies, only when the machine does.
        self._connection.execute("pragma synchronous = normal")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(SCHEMA)
        self._depth = 0

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Storage]:
        """Holds the lock; transactions within are part of the outermost."""
        with self._lock:
            if self._depth:
                yield self
                return
            self._connection.execute("begin immediate")
            self._depth = 1
            try:
                yield self
            except BaseException:
                self._connection.execute("rollback")
                raise
            else:
                self._connection.execute("commit")
            finally:
                self._depth = 0

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def row(self, query: str, *parameters: Any) -> Row | None:
        with self._lock:
            found: Row | None = self._connection.execute(query, parameters).fetchone()
            return found

    def value(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.row(query, *parameters)
        return None if found is None else found[0]

    def execute(self, query: str, *parameters: Any) -> int:
        """Runs one statement and tells how many rows it touched."""
        with self._lock:
            return self._connection.execute(query, parameters).rowcount

    def insert(self, query: str, *parameters: Any) -> int:
        """Runs one insert and tells the row's integer key."""
        with self._lock:
            return int(self._connection.execute(query, parameters).lastrowid or 0)

    def execute_many(self, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._lock:
            self._connection.executemany(query, rows)

    def count_up(self, name: str) -> int:
        """The next number of a named series, starting at 1."""
        return int(
            self.value(
                "insert into tally values (?, 1) on conflict (name) do update set amount = amount + 1 returning amount",
                name,
            )
        )
