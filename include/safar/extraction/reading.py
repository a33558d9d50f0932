"""Which requests a table needs this time, and the rows that they bring."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from safar.catalogue.fetching import Batch, Cap, Cursor, Endpoint, Window
from safar.catalogue.source import Table
from safar.errors import SafarError
from safar.extraction.answers import Expired
from safar.extraction.client import VendorClient
from safar.extraction.cursors import format_instant, parse_instant, start_of, window_days
from safar.extraction.pages import Page, read_pages
from safar.extraction.read_ahead import read_ahead
from safar.extraction.repull import Asked
from safar.extraction.rows import Columns
from safar.extraction.windows import read_window


@dataclass(frozen=True)
class Moment:
    """What this load knows about time and about earlier loads."""

    began_at: datetime
    """Business time when the load began to ask."""
    cursors: dict[str, str] = field(default_factory=dict)
    """Table -> the cursor that its last load reached, ISO 8601."""
    asked: Asked | None = None
    """What is asked for again; None in an ordinary load."""

    def find_start(self, table: str) -> str | None:
        """The cursor from which this load goes on with the table; None: it is read from the beginning."""
        if self.asked is None:
            return self.cursors.get(table)
        return self.asked.since.isoformat() if self.asked.since else self.asked.cursors.get(table)

    def find_bounds(self, table: str, cursor: Cursor) -> tuple[datetime, datetime]:
        """From when to when changes are asked for."""
        if self.asked is not None and self.asked.since is not None:
            return self.asked.since, self.asked.until
        return start_of(cursor, self.find_start(table)), self.asked.until if self.asked else self.began_at

    def find_days(self, window: Window) -> tuple[str, str]:
        """First and last day of the window."""
        if self.asked is not None and self.asked.since is not None:
            return self.asked.since.date().isoformat(), self.asked.until.date().isoformat()
        return window_days(self.asked.until if self.asked else self.began_at, window.days)


@dataclass(frozen=True)
class Rows:
    """A page's records; ``are_gone`` when the vendor listed them as deleted."""

    records: Page
    are_gone: bool = False


def read_table(
    client: VendorClient,
    table: Table,
    moment: Moment,
    columns: Columns,
    looked_up: Iterable[str] = (),
    known: Collection[str] = (),
) -> Iterator[Rows]:
    """Yields everything that the vendor has to say about the table since the last load.

    Args:
        columns: turns a record into columns; the cap's cursor is read with it.
        looked_up: for a batch table, the values to look up.
        known: those of them that an earlier load brought.
    """
    extract = table.extract
    assert extract.endpoint is not None
    if extract.batch is not None:
        since = (
            {} if extract.cursor is None else _between(extract.cursor, *moment.find_bounds(table.name, extract.cursor))
        )
        news = _News(extract.cursor, moment.find_start(table.name), columns, known)
        pages = _read_batches(client, table.name, extract.endpoint, extract.batch, looked_up, since, news)
    elif extract.window is not None:
        pages = read_window(client, table.name, extract.endpoint, extract.window, *moment.find_days(extract.window))
    elif extract.cursor is not None:
        pages = _read_changes(client, table, extract.cursor, moment, columns)
    else:
        pages = read_pages(client, table.name, extract.endpoint, {})
    yield from (Rows(page) for page in read_ahead(pages))
    if extract.deletions is not None:
        yield from (Rows(page, are_gone=True) for page in read_pages(client, table.name, extract.deletions, {}))


def _read_changes(
    client: VendorClient, table: Table, cursor: Cursor, moment: Moment, columns: Columns
) -> Iterator[Page]:
    extract = table.extract
    reached = moment.find_start(table.name)
    endpoint = extract.endpoint if reached is None or extract.changes is None else extract.changes
    assert endpoint is not None
    if cursor.newest_first:
        return _News(cursor, reached, columns).take(read_pages(client, table.name, endpoint, {}))
    bounds = moment.find_bounds(table.name, cursor)
    if extract.cap is None or endpoint is not extract.changes:
        return _read_resumed(client, table.name, endpoint, cursor, bounds, columns)
    return _read_capped(client, table.name, endpoint, cursor, extract.cap, bounds, columns)


def _read_resumed(
    client: VendorClient,
    table: str,
    endpoint: Endpoint,
    cursor: Cursor,
    bounds: tuple[datetime, datetime],
    columns: Columns,
) -> Iterator[Page]:
    """Asks anew, from the last row's cursor, when the vendor no longer keeps the query's next page."""
    start, end = bounds
    for _ in range(client.session.patience.attempts):
        try:
            for page in read_pages(client, table, endpoint, _between(cursor, start, end)):
                yield page
                start = _last_instant(page, cursor, columns) or start
            return
        except Expired:
            continue
    raise SafarError(
        f"{client.source.name}.{table}: the vendor forgot the query {client.session.patience.attempts} times before "
        "we had its next page. Nothing was landed. Run the load again when fewer programs query the vendor."
    )


def _between(cursor: Cursor, start: datetime, end: datetime) -> dict[str, str]:
    return {"cursor.start": format_instant(start, cursor), "cursor.end": format_instant(end, cursor)}


def _read_capped(
    client: VendorClient,
    table: str,
    endpoint: Endpoint,
    cursor: Cursor,
    cap: Cap,
    bounds: tuple[datetime, datetime],
    columns: Columns,
) -> Iterator[Page]:
    """Starts a new query from the last row's cursor whenever one query has given all it may."""
    start, end = bounds
    while True:
        count, last = 0, start
        for page in read_pages(client, table, endpoint, _between(cursor, start, end)):
            yield page
            count += len(page)
            last = _last_instant(page, cursor, columns) or last
            if count >= cap.rows:
                break
        if count < cap.rows:
            return
        if format_instant(last, cursor) != format_instant(start, cursor):
            start = last
            continue
        yield from _read_ties(client, table, endpoint, cursor, cap, start, columns)
        start += _tick(cursor)


def _read_ties(
    client: VendorClient, table: str, endpoint: Endpoint, cursor: Cursor, cap: Cap, at: datetime, columns: Columns
) -> Iterator[Page]:
    """More rows than one query gives share one instant: within it we page by the tie column."""
    after = cap.tie_initial
    while True:
        known = {"cursor.at": format_instant(at, cursor), "cursor.after": after}
        count = 0
        for page in read_pages(client, table, endpoint, known, body=cap.ties):
            yield page
            count += len(page)
            told = [columns.read_one(record, cap.tie_column) for record in page if isinstance(record, dict)]
            after = next((str(value) for value in reversed(told) if value is not None), after)
            if count >= cap.rows:
                break
        if count < cap.rows:
            return


def _last_instant(page: Page, cursor: Cursor, columns: Columns) -> datetime | None:
    """The cursor of the page's last record that has a readable one; the others end in quarantine."""
    for record in reversed(page):
        if isinstance(record, dict):
            with suppress(ValueError):
                return parse_instant(columns.read_one(record, cursor.column))
    return None


@dataclass
class _News:
    """Where to stop in a table whose newest rows come first."""

    cursor: Cursor | None
    reached: str | None
    columns: Columns
    known: Collection[str] = ()
    """Values of a batch whose older rows have been read before."""

    def take(self, pages: Iterator[Page], value: str | None = None) -> Iterator[Page]:
        """Goes through the pages until one ends before what the last load reached."""
        is_known = self.reached is not None and (value is None or value in self.known)
        if self.cursor is None or not self.cursor.newest_first or not is_known:
            yield from pages
            return
        start = start_of(self.cursor, self.reached)
        for page in pages:
            yield page
            oldest = _last_instant(page, self.cursor, self.columns)
            if oldest is not None and oldest < start:
                return


def _tick(cursor: Cursor) -> timedelta:
    """The shortest time that the vendor's filter can tell apart."""
    return timedelta(milliseconds=1) if cursor.format == "epoch_ms" else timedelta(seconds=1)


def _read_batches(
    client: VendorClient,
    table: str,
    endpoint: Endpoint,
    batch: Batch,
    values: Iterable[str],
    since: dict[str, str],
    news: _News,
) -> Iterator[Page]:
    """Looks the values up, several batches at once; the pages come in the order of the batches."""

    def look_up(some: list[str]) -> list[Page]:
        asked = [{batch.each: value} for value in some] if batch.each else some
        known: dict[str, Any] = {**since, "batch": asked}
        if batch.size == 1:
            known["batch.one"] = some[0]
        pages = news.take(read_pages(client, table, endpoint, known), some[0])
        return [_name_value(page, batch.into, some[0]) if batch.into else page for page in pages]

    with ThreadPoolExecutor(batch.concurrency, thread_name_prefix="batch") as pool:
        pending: list[Any] = []
        for some in _cut(values, batch.size):
            pending.append(pool.submit(look_up, some))
            if len(pending) > batch.concurrency:
                yield from pending.pop(0).result()
        for future in pending:
            yield from future.result()


def _name_value(page: Page, column: str, value: str) -> Page:
    return [{**record, column: value} if isinstance(record, dict) else record for record in page]


def _cut(values: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
