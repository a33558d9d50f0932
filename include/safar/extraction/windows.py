"""The days of a window, asked for at once or, where the vendor cuts its answers, in pieces that it does not cut."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from safar.catalogue.fetching import Endpoint, Window
from safar.errors import SafarError
from safar.extraction.client import VendorClient
from safar.extraction.pages import Page, read_pages


def read_window(
    client: VendorClient, table: str, endpoint: Endpoint, window: Window, start: str, end: str
) -> Iterator[Page]:
    """Yields the rows of the days from ``start`` to ``end`` (ISO dates), all of them.

    Raises:
        SafarError: a single day has as many rows as the vendor tells at most.
    """
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    if window.most_rows is None:
        yield from read_pages(client, table, endpoint, _describe_days(first, last))
    else:
        yield from _read_uncut(client, table, endpoint, window.most_rows, first, last)


def _read_uncut(
    client: VendorClient, table: str, endpoint: Endpoint, most_rows: int, first: date, last: date
) -> Iterator[Page]:
    pages = list(read_pages(client, table, endpoint, _describe_days(first, last)))
    if sum(map(len, pages)) < most_rows:
        yield from pages
        return
    if first == last:
        raise SafarError(
            f"{client.source.name}.{table}: the answer for {first} has {most_rows} rows, which is where the vendor "
            f"cuts it without a word. Nothing was landed. In {client.source.file} let the endpoint ask for less "
            "of a day, by a filter or a coarser grain, in several tables if all of it is wanted."
        )
    middle = first + (last - first) // 2
    yield from _read_uncut(client, table, endpoint, most_rows, first, middle)
    yield from _read_uncut(client, table, endpoint, most_rows, middle + timedelta(days=1), last)


def _describe_days(first: date, last: date) -> dict[str, str]:
    known = {}
    for name, day in (("start", first), ("end", last)):
        known[f"window.{name}"] = day.isoformat()
        known |= {f"window.{name}.{part}": str(getattr(day, part)) for part in ("year", "month", "day")}
    return known
