"""Reads an endpoint page by page."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from dlt.common.jsonpath import compile_path

from safar.catalogue.fetching import Endpoint
from safar.errors import SafarError
from safar.extraction.client import VendorClient, open_paginator
from safar.extraction.inner_lists import InnerLists
from safar.extraction.jobs import run_job
from safar.extraction.paths import has_path
from safar.extraction.placeholders import fill_placeholders
from safar.extraction.reshaping import reshape
from safar.extraction.result_files import FileResult

Page = list[Any]


def read_pages(
    client: VendorClient,
    table: str,
    endpoint: Endpoint,
    known: Mapping[str, Any],
    body: dict[str, Any] | None = None,
) -> Iterator[Page]:
    """Yields the rows of each page until the vendor says that there are no more.

    Args:
        known: placeholders beside the connection's, e.g. ``cursor.start``.
        body: sent instead of the endpoint's own JSON body.

    Raises:
        SafarError: a page did not come as it should; nothing after it is read.
        Expired: the vendor no longer keeps the next page of this query.
    """
    inner = InnerLists(client, table, endpoint, known)
    added = fill_placeholders(endpoint.add, {**client.known, **known})
    for page in _read_result(client, table, endpoint, known, body):
        inner.complete(page)
        yield reshape(page, endpoint, client.source, table, added)


def _read_result(
    client: VendorClient, table: str, endpoint: Endpoint, known: Mapping[str, Any], body: dict[str, Any] | None
) -> Iterator[Page]:
    if endpoint.job is None:
        yield from _read_format(client, table, endpoint, known, body, None)
        return
    result = run_job(client, table, endpoint, known)
    if result.count != 0:
        yield from _read_format(client, table, endpoint, {**known, **result.known}, body, result.count)


def _read_format(
    client: VendorClient,
    table: str,
    endpoint: Endpoint,
    known: Mapping[str, Any],
    body: dict[str, Any] | None,
    expected: int | None,
) -> Iterator[Page]:
    if endpoint.format == "json":
        count = 0
        for page in _read_bodies(client, table, endpoint, known, body):
            count += len(page)
            yield page
    else:
        file = FileResult(client, table, endpoint, known)
        yield from file.read()
        count = file.count
    if expected is not None and count < expected:
        raise SafarError(
            f"{client.source.name}.{table}: the job's result has {count} of the {expected} records that the vendor "
            f"counted. Nothing was landed. Run the load again; if it stays so, compare `job.count` in "
            f"{client.source.file} with what the vendor counts."
        )


def _read_bodies(
    client: VendorClient, table: str, endpoint: Endpoint, known: Mapping[str, Any], body: dict[str, Any] | None
) -> Iterator[Page]:
    filled = {**client.known, **known}
    client.pace(endpoint)
    pages = client.rest.paginate(
        path=fill_placeholders(endpoint.path, filled | _quote_value(known)),
        method=endpoint.method,
        params=fill_placeholders(endpoint.params, filled) or None,
        json=copy.deepcopy(fill_placeholders(body or endpoint.json_, filled)),
        headers=fill_placeholders(endpoint.headers, filled) or None,
        paginator=open_paginator(endpoint, client.source, table),
        data_selector=compile_path(endpoint.data_selector),
        hooks={"response": [lambda answer, *_, **__: answer]},
    )
    for page in pages:
        told, empty_when = page.response.json(), endpoint.empty_when
        if not has_path(told, endpoint.data_selector) and not (empty_when and has_path(told, empty_when)):
            raise SafarError(
                f"{client.source.name}.{table}: {endpoint.method} {endpoint.path} answered without "
                f"{endpoint.data_selector!r}. Nothing was landed. Compare `data_selector` in "
                f"{client.source.file} with what the vendor sends."
            )
        yield list(page)


def _quote_value(known: Mapping[str, Any]) -> dict[str, str]:
    """A record's value as one segment of a path, whatever a vendor has written into it."""
    return {"batch.one": quote(str(known["batch.one"]), safe="")} if "batch.one" in known else {}
