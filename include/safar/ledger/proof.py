"""An event that names our message proves that the provider took it, whatever became of its answer."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row


def accept_proven(connection: psycopg.Connection, message_ids: Collection[UUID]) -> int:
    """Sets those of the messages that are in doubt and have an event to accepted, at the first event's time.

    Safe beside dispatch and beside itself: it touches only rows whose call is over. Returns how many it settled.
    """
    if not message_ids:
        return 0
    cursor = connection.cursor(row_factory=scalar_row)
    count: int | None = cursor.execute("select ledger.accept_proven(%s)", [list(message_ids)]).fetchone()
    return count or 0
