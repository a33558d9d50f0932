"""A folder of delimited files as a source: any separator, names by header or position, declared date formats."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from safar.catalogue.fetching import Files
from safar.catalogue.source import DataType, Source, Table
from safar.connections import Connection
from safar.errors import ConfigurationError, SafarError
from safar.extraction.cursors import parse_instant

PAGE = 5_000
LEFT_OUT = "_"


def read_files(source: Source, table: Table, connection: Connection, now: datetime) -> Iterator[list[Any]]:
    """Yields the rows of the table's files, in the order of file names and lines, as records by column name.

    A line whose number of fields does not fit comes as a plain text, which no table takes: quarantine.

    Args:
        now: business time; where the files declare ``visible_from``, later rows are left for later loads.

    Raises:
        ConfigurationError: the connection names no folder, or a declared field is not in the file.
        SafarError: there is no such file, or it is not text in the declared encoding.
    """
    files = table.extract.files
    assert files is not None
    page: list[Any] = []
    for path in _find_files(source, table.name, connection, files):
        for record in _read_file(path, files, table):
            if isinstance(record, dict) and not _is_visible(record, files, now):
                continue
            page.append(record)
            if len(page) >= PAGE:
                yield page
                page = []
    if page:
        yield page


def _find_files(source: Source, table: str, connection: Connection, files: Files) -> list[Path]:
    folder = connection.extra.get("path") or connection.host
    if not folder:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} names no folder. Set its extra to "
            f'{{"path": "/folder/of/{source.name}"}}.'
        )
    found = sorted(path for path in Path(str(folder)).glob(files.pattern) if path.is_file())
    if not found:
        raise SafarError(
            f"{source.name}.{table}: no file matches {files.pattern!r} in {folder}. Nothing was landed. Put the files "
            f"there, or mend `pattern` in {source.file} or the path of connection {connection.conn_id!r}."
        )
    return found


def _read_file(path: Path, files: Files, table: Table) -> Iterator[dict[str, Any] | str]:
    types = table.types
    try:
        with path.open(encoding=files.encoding, newline="") as lines:
            rows = _split(lines, files.separator)
            names = list(files.fields)
            if files.has_header:
                header = next(rows, (1, []))[1]
                names = names or header
            _check_names(path, files, names)
            for number, fields in rows:
                if not fields:
                    continue
                if len(fields) != len(names):
                    yield f"{path.name}:{number}: {len(fields)} fields instead of {len(names)}"
                    continue
                named = dict(zip(names, fields, strict=True))
                named |= {"file_name": path.name, "line_number": str(number)}
                yield _map_columns(named, files, types)
    except UnicodeDecodeError as error:
        raise SafarError(
            f"{path} is not {files.encoding} (byte {error.start}). Nothing was landed. Declare its `encoding`."
        ) from None


def _split(lines: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    if separator == "whitespace" or separator.startswith("regex:"):
        pattern = re.compile(r"\s+" if separator == "whitespace" else separator.removeprefix("regex:"))
        for number, line in enumerate(lines, start=1):
            text = line.strip() if separator == "whitespace" else line.rstrip("\r\n")
            yield number, pattern.split(text) if text else []
        return
    reader = csv.reader(lines, delimiter=separator)
    for fields in reader:
        yield reader.line_num, fields


def _check_names(path: Path, files: Files, names: list[str]) -> None:
    known = {*names, "file_name", "line_number"}
    missing = [name for name in files.mapping if name not in known]
    if missing:
        raise ConfigurationError(
            f"{path} has no field {', '.join(missing)}; it has {', '.join(names)}. Mend `mapping` in the source's YAML."
        )


def _map_columns(named: dict[str, str], files: Files, types: dict[str, DataType]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, text in named.items():
        column = files.mapping.get(name, name)
        if name == LEFT_OUT or (column not in types and name in ("file_name", "line_number")):
            continue
        pattern = files.date_formats.get(column)
        record[column] = _read_date(text, pattern, types.get(column)) if pattern and text else text
    return record


def _read_date(text: str, pattern: str, data_type: DataType | None) -> str:
    """ISO 8601 of the text, or the text itself, which its column's type then rejects."""
    try:
        parsed = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007
    except ValueError:
        return f"not {pattern}"
    if data_type == "date":
        return parsed.date().isoformat()
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()


def _is_visible(record: dict[str, Any], files: Files, now: datetime) -> bool:
    if files.visible_from is None:
        return True
    try:
        return parse_instant(record.get(files.visible_from)) <= now
    except ValueError:
        return True
