"""Tries a connection: logs in as an extract would and asks for one row. Nothing is landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from safar.catalogue.fetching import Endpoint
from safar.catalogue.source import Source, Table
from safar.connections import Connection
from safar.errors import SafarError
from safar.extraction.client import open_client
from safar.extraction.cursors import format_instant, window_days
from safar.extraction.files import read_files
from safar.extraction.pages import read_pages
from safar.extraction.session import Patience
from safar.outbound import Reach
from safar.workspace import Workspace

HURRY = Patience(attempts=2, throttled_in_all=20)
"""Somebody sits before the form and waits."""


def try_connection(workspace: Workspace, source: Source, connection: Connection, patience: Patience = HURRY) -> str:
    """Asks for one row of the first table that can be asked for directly.

    Returns:
        What came, in a sentence.

    Raises:
        SafarError: nothing came; the message says why and what to do.
    """
    now = workspace.clock.now()
    table, endpoint = _choose(source)
    if endpoint is None:
        pages: Iterator[list[Any]] = read_files(source, table, connection, now)
    else:
        client = open_client(source, connection, Reach.of(workspace.settings, connection), patience)
        pages = read_pages(client, table.name, endpoint, _fill_in(table, now))
    row = next(chain.from_iterable(pages), None)
    what = "gave a row" if row is not None else "answered, and has no row for us yet"
    return f"{source.name} {what} ({table.name})."


def _choose(source: Source) -> tuple[Table, Endpoint | None]:
    """The first table that needs neither other rows nor a job; of requests the one that asks for less."""
    for is_patient in (False, True):
        for table in source.tables:
            extract = table.extract
            if extract.batch is not None:
                continue
            for endpoint in (extract.endpoint, extract.changes):
                if endpoint is not None and (endpoint.job is None or is_patient):
                    return table, endpoint
            if extract.files is not None:
                return table, None
    raise SafarError(f"{source.name} has no table that can be asked for by itself. See {source.file}.")


def _fill_in(table: Table, now: datetime) -> dict[str, str]:
    """The last hour, or today."""
    first, last = window_days(now, 1)
    known = {"window.start": first, "window.end": last}
    if (cursor := table.extract.cursor) is not None:
        known["cursor.start"] = format_instant(now - timedelta(hours=1), cursor)
        known["cursor.end"] = format_instant(now, cursor)
    return known
