"""Results that are files: stored page by page, so that a broken download is asked for again, then read row by row."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import urlsplit

import orjson
import requests

from safar.catalogue.fetching import Endpoint
from safar.catalogue.jobs import Nesting, NextPage
from safar.errors import SafarError
from safar.extraction.client import VendorClient
from safar.extraction.placeholders import fill_placeholders
from safar.extraction.session import BROKEN, VendorSession

ROWS_AT_ONCE = 2_000
CHUNK = 1 << 18
GZIP = b"\x1f\x8b"
LONGEST_FIELD = 1 << 30
"""Characters; csv's own limit of 128 Ki is less than one long text area."""


class FileResult:
    """One result, of one or many pages."""

    def __init__(self, client: VendorClient, table: str, endpoint: Endpoint, known: Mapping[str, Any]) -> None:
        self.count = 0
        """Records, or JSON lines, that were read."""
        self._client = client
        self._table = table
        self._endpoint = endpoint
        self._filled = {**client.known, **known}

    def read(self) -> Iterator[list[dict[str, Any]]]:
        """Yields the rows, some thousand at once.

        Raises:
            SafarError: a page did not come whole, or cannot be read.
        """
        params = fill_placeholders(self._endpoint.params, self._filled)
        while True:
            with tempfile.TemporaryFile(prefix="safar-") as file:
                headers = self._download(params, file)
                try:
                    yield from self._parse(file)
                except (csv.Error, orjson.JSONDecodeError, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
                    raise self._fail(f"is no readable {self._endpoint.format} ({type(error).__name__})") from None
            following = _find_next(headers, self._endpoint.next_page)
            if following is None:
                return
            params = {**params, **following}

    def _download(self, params: dict[str, Any], file: IO[bytes]) -> Mapping[str, str]:
        patience = self._client.session.patience
        for attempt in range(1, patience.attempts + 1):
            file.seek(0)
            file.truncate()
            response = self._ask(params)
            try:
                # A page that is none is what a proxy shows in a vendor's place.
                if "text/html" not in response.headers.get("Content-Type", ""):
                    for chunk in response.iter_content(CHUNK):
                        file.write(chunk)
                    return response.headers
            except BROKEN:
                pass
            finally:
                response.close()
            patience.sleep(patience.first_wait * attempt)
        raise self._fail(f"broke off {patience.attempts} times in a row")

    def _ask(self, params: dict[str, Any]) -> requests.Response:
        endpoint, filled = self._endpoint, self._filled
        path = str(fill_placeholders(endpoint.path, filled))
        headers = fill_placeholders(endpoint.headers, filled)
        self._client.pace(endpoint)
        foreign = self._open_foreign(path)
        if foreign is None:
            body = fill_placeholders(endpoint.json_, filled)
            return self._client.rest.request(
                path=path, method=endpoint.method, params=params, headers=headers, json=body, stream=True
            )
        with foreign:
            request = requests.Request(endpoint.method, path, headers=headers, params=params)
            return foreign.send(foreign.prepare_request(request), stream=True)

    def _open_foreign(self, path: str) -> VendorSession | None:
        """A session without credentials, for an address that is not the vendor's own."""
        target, own = urlsplit(path), urlsplit(self._client.rest.base_url)
        if not target.scheme or target[:2] == own[:2]:
            return None
        if target.scheme != own.scheme:
            raise self._fail(f"lies at an address with {target.scheme}, not {own.scheme}")
        return self._client.session.open_for(path)

    def _parse(self, file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
        file.seek(0)
        is_packed = file.read(2) == GZIP
        file.seek(0)
        opened: Any = gzip.GzipFile(fileobj=file) if is_packed else file
        rows = self._count(_read_csv(opened)) if self._endpoint.format == "csv" else self._read_lines(opened)
        some: list[dict[str, Any]] = []
        for row in rows:
            some.append(row)
            if len(some) >= ROWS_AT_ONCE:
                yield some
                some = []
        if some:
            yield some

    def _read_lines(self, file: IO[bytes]) -> Iterator[dict[str, Any]]:
        nesting = self._endpoint.nesting
        lines = (orjson.loads(line) for line in self._count(line for line in file if line.strip()))
        yield from lines if nesting is None else self._nest(lines, nesting)

    def _nest(self, lines: Iterator[dict[str, Any]], nesting: Nesting) -> Iterator[dict[str, Any]]:
        """Only one parent with its children is in memory."""
        family: dict[Any, dict[str, Any]] = {}
        eldest: dict[str, Any] | None = None
        for line in lines:
            parent_id = line.pop(nesting.parent, None)
            if parent_id is None:
                if eldest is not None:
                    yield eldest
                family, eldest = {}, line
                for path in nesting.into:
                    _open_list(line, path)
            else:
                self._adopt(family, parent_id, line, nesting)
            family[line.get(nesting.id)] = line
        if eldest is not None:
            yield eldest

    def _adopt(self, family: dict[Any, dict[str, Any]], parent_id: Any, child: dict[str, Any], rule: Nesting) -> None:
        parent = family.get(parent_id)
        if parent is None:
            raise self._fail("has a child that does not follow its parent; ask the vendor to group them")
        own_id = str(child.get(rule.id, ""))
        path = next((path for path, start in rule.into.items() if own_id.startswith(start)), None)
        if path is None:
            raise self._fail("has a child of a kind that `nesting.into` does not name")
        _open_list(parent, path).append(child)

    def _fail(self, what: str) -> SafarError:
        source = self._client.source
        return SafarError(
            f"{source.name}.{self._table}: the file that {self._endpoint.path} gives {what}. Nothing was landed. "
            f"Run the load again; if it stays so, compare the endpoint in {source.file} with the vendor's file."
        )

    def _count(self, lines: Iterator[Any]) -> Iterator[Any]:
        for line in lines:
            self.count += 1
            yield line


def _read_csv(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(LONGEST_FIELD)
    with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        lines = csv.reader(text, strict=True)
        names = next(lines, [])
        for values in lines:
            if len(values) != len(names):
                raise csv.Error("a line with more or fewer fields than the header")
            yield dict(zip(names, values, strict=True))


def _open_list(record: dict[str, Any], path: str) -> list[Any]:
    """The list at a dotted path of the record, put there where it is missing."""
    *above, last = path.split(".")
    for name in above:
        record = record.setdefault(name, {})
    children: list[Any] = record.setdefault(last, [])
    return children


def _find_next(headers: Mapping[str, str], rule: NextPage | None) -> dict[str, str] | None:
    told = headers.get(rule.header) if rule else None
    if rule is None or not told or told in rule.last:
        return None
    return {rule.param: told}
