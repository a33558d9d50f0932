"""The account of a source's loads in ledger.source_load: reserve a landing time, land, check, roll back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from safar.errors import SafarError
from safar.extraction.drift import Drift
from safar.extraction.report import Counts
from safar.workspace import Workspace

Status = Literal["landed", "checked", "rolled_back", "put_off"]
NOT_CONNECTED = "The source is not connected."
"""The message of a load that only made the tables."""


@dataclass(frozen=True)
class Load:
    """One row of ledger.source_load."""

    load_id: str
    source: str
    landed_at: datetime
    status: Status
    message: str | None = None
    drift: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Table -> what its columns differ in from the declaration, as `Drift` writes it."""

    @property
    def is_connected(self) -> bool:
        return self.message != NOT_CONNECTED


class LoadBook:
    """What the ledger knows of one source's loads; each change is committed at once."""

    def __init__(self, connection: psycopg.Connection, source: str) -> None:
        self._connection = connection
        self._source = source

    def next_landing(self, now: datetime) -> datetime:
        """The landing clock: business time, but later than every earlier load, even a rolled-back one."""
        row = self._connection.execute(
            "select max(landed_at) from ledger.source_load where source = %s", [self._source]
        ).fetchone()
        last: datetime | None = row[0] if row else None
        return now if last is None else max(now, last + timedelta(milliseconds=1))

    def find(self, load_id: str) -> Load:
        """Raises:
        SafarError: there is no such load of this source.
        """
        row = self._connection.execute(
            "select load_id, source, landed_at, status, message, drift from ledger.source_load"
            " where source = %s and load_id = %s",
            [self._source, load_id],
        ).fetchone()
        if row is None:
            raise SafarError(f"{self._source}: there is no load {load_id!r}. Land the source and check that load.")
        return Load(*row)

    def unchecked(self) -> list[Load]:
        """Loads that nobody has judged, newest first."""
        rows = self._connection.execute(
            "select load_id, source, landed_at, status from ledger.source_load "
            "where source = %s and status = 'landed' order by landed_at desc",
            [self._source],
        ).fetchall()
        return [Load(*row) for row in rows]

    def find_between(self, begin: datetime, end: datetime) -> list[Load]:
        """The loads, re-pulls apart, that landed from ``begin`` up to ``end`` (exclusive), oldest first."""
        rows = self._connection.execute(
            "select load_id, source, landed_at, status from ledger.source_load where source = %s and repull is null "
            "and status <> 'put_off' and landed_at >= %s and landed_at < %s order by landed_at",
            [self._source, begin, end],
        ).fetchall()
        return [Load(*row) for row in rows]

    def list_checked_before(self, landed_at: datetime) -> list[str]:
        """The ids of the checked loads that landed earlier, oldest first."""
        rows = self._connection.execute(
            "select load_id from ledger.source_load where source = %s and status = 'checked' and landed_at < %s "
            "order by landed_at",
            [self._source, landed_at],
        ).fetchall()
        return [row[0] for row in rows]

    def was_connected(self) -> bool:
        """Whether a checked load has ever read this source."""
        row = self._connection.execute(
            "select exists (select from ledger.source_load where source = %s and status = 'checked'"
            " and message is distinct from %s)",
            [self._source, NOT_CONNECTED],
        ).fetchone()
        return bool(row and row[0])

    def reserve(
        self,
        load_id: str,
        landed_at: datetime,
        message: str | None = None,
        repull: Mapping[str, str] | None = None,
    ) -> None:
        """Notes the load before anything reaches the warehouse, so that a killed one can be found.

        Args:
            repull: what was asked for again; such a load does not make the source fresh.
        """
        self._connection.execute(
            "insert into ledger.source_load (load_id, source, landed_at, status, message, repull)"
            " values (%s, %s, %s, 'landed', %s, %s)",
            [load_id, self._source, landed_at, message, _as_json(repull)],
        )

    def put_off(
        self, landed_at: datetime, resumes_at: datetime, message: str, repull: Mapping[str, str] | None = None
    ) -> None:
        """Notes that the vendor takes no more calls before ``resumes_at``; such a load has landed nothing."""
        self._connection.execute(
            "insert into ledger.source_load (load_id, source, landed_at, status, message, resumes_at, repull)"
            " values (%s, %s, %s, 'put_off', %s, %s, %s)",
            [f"put_off.{uuid4()}", self._source, landed_at, message, resumes_at, _as_json(repull)],
        )

    def count(self, load_id: str, rows: Mapping[str, Counts], quarantined: int, drift: Mapping[str, Drift]) -> None:
        """Notes what the load brought."""
        counted = {table: asdict(counts) for table, counts in rows.items()}
        differing = {table: found.as_json() for table, found in drift.items()}
        self._connection.execute(
            "update ledger.source_load set rows = %s, quarantined_count = %s, drift = %s where load_id = %s",
            [Jsonb(counted), quarantined, Jsonb(differing), load_id],
        )

    def close(self, load_id: str, status: Status, message: str | None = None) -> None:
        self._connection.execute(
            "update ledger.source_load set status = %s, message = %s, status_at = now() where load_id = %s",
            [status, message, load_id],
        )


def _as_json(repull: Mapping[str, str] | None) -> Jsonb | None:
    return None if repull is None else Jsonb(repull)


@contextmanager
def open_load_book(workspace: Workspace, source: str) -> Iterator[LoadBook]:
    """Opens the account of one source; nobody else lands or checks this source meanwhile.

    Raises:
        SafarError: somebody else does.
    """
    with psycopg.connect(
        workspace.ledger.dsn, autocommit=True, options="-c timezone=UTC", application_name="safar"
    ) as connection:
        key = f"safar.source_load.{source}"
        row = connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
        if not row or not row[0]:
            raise SafarError(f"{source} is being landed or checked by another process. Run this again later.")
        try:
            yield LoadBook(connection, source)
        finally:
            # The server notices a closed session only a moment later; the next load may begin at once.
            if not connection.broken:
                connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])
