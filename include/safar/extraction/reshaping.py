"""Makes rows of records whose shape is not a table's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safar.catalogue.fetching import Endpoint
from safar.catalogue.reshaping import Unnest
from safar.catalogue.source import Source
from safar.errors import SafarError
from safar.extraction.cursors import read_day
from safar.extraction.paths import look_up


def reshape(page: list[Any], endpoint: Endpoint, source: Source, table: str, added: Mapping[str, Any]) -> list[Any]:
    """The rows of a page, as the endpoint declares them.

    Args:
        added: what stands in every row, by column.

    Raises:
        SafarError: a list inside a record is not whole.
    """
    if endpoint.unnest is not None:
        page = [row for record in page for row in _unnest(record, endpoint.unnest, source, table)]
    for record in page:
        if isinstance(record, dict):
            for column, path in endpoint.dates.items():
                record[column] = read_day(look_up(record, path))
            for name in endpoint.omit:
                record.pop(name, None)
            for name, (key, value) in endpoint.pairs.items():
                record[name] = _fold(record.get(name), key, value)
            record.update(added)
    return page


def _unnest(record: Any, unnest: Unnest, source: Source, table: str) -> list[Any]:
    if unnest.more is not None and look_up(record, unnest.more) is not None:
        raise SafarError(
            f"{source.name}.{table}: the vendor cut the list {unnest.list_!r} of a record and tells at {unnest.more!r} "
            f"where it goes on. Nothing was landed. Read the list from its other side, or in larger pages: see the "
            f"table's `endpoint` in {source.file}."
        )
    elements = look_up(record, unnest.list_)
    if not isinstance(elements, list):
        return [record]
    kept = {field: look_up(record, path) for path, field in unnest.keep.items()}
    return [{**element, **kept} if isinstance(element, dict) else element for element in elements]


def _fold(pairs: Any, key: str, value: str) -> Any:
    """What is no list of pairs stays as it is, and lands where somebody sees it."""
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) and key in pair for pair in pairs):
        return pairs
    folded: dict[str, Any] = {}
    for pair in pairs:
        name, told = str(pair[key]), pair.get(value)
        folded[name] = f"{folded[name]};{told}" if name in folded else told
    return folded
