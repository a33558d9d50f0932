"""Joins to a record what its page left out of the lists inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safar.catalogue.fetching import Endpoint
from safar.catalogue.inner_lists import InnerList
from safar.errors import SafarError
from safar.extraction.client import VendorClient
from safar.extraction.paths import look_up
from safar.extraction.placeholders import fill_placeholders


class InnerLists:
    """The declared lists of one endpoint's records."""

    def __init__(self, client: VendorClient, table: str, endpoint: Endpoint, known: Mapping[str, Any]) -> None:
        self._client = client
        self._table = table
        self._endpoint = endpoint
        self._filled = {**client.known, **known}

    def complete(self, records: list[Any]) -> None:
        """Makes the lists inside these records whole.

        Raises:
            SafarError: a page of a list did not come, or does not say whether it is the last.
        """
        for rule in self._endpoint.inner:
            *above, name = rule.path.split(".")
            for holder in _find_holders(records, above):
                if holder.get(name) is not None or name not in holder:
                    holder[name] = {rule.items: self._read_whole(rule, holder, holder.get(name))}

    def _read_whole(self, rule: InnerList, holder: dict[str, Any], page: Any) -> list[Any]:
        items: list[Any] = []
        reached = None
        while True:
            items += self._read_items(rule, page)
            if not look_up(page, rule.has_more):
                return items
            after = look_up(page, rule.cursor)
            if after is None or after == reached:
                raise self._fail(rule, f"has more items, but {rule.cursor!r} does not say after which")
            reached = after
            page = self._ask(rule, holder, after)

    def _read_items(self, rule: InnerList, page: Any) -> list[Any]:
        items = look_up(page, rule.items)
        if not isinstance(items, list) or not isinstance(look_up(page, rule.has_more), bool):
            raise self._fail(
                rule, f"came without {rule.items!r} or {rule.has_more!r}, so nobody can tell whether it is whole"
            )
        return items

    def _ask(self, rule: InnerList, holder: dict[str, Any], after: Any) -> Any:
        endpoint, filled = self._endpoint, {**self._filled, "inner.id": holder.get(rule.id), "inner.after": after}
        self._client.pace(endpoint)
        response = self._client.rest.request(
            path=fill_placeholders(endpoint.path, filled),
            method=endpoint.method,
            params=fill_placeholders(endpoint.params, filled) or None,
            json=fill_placeholders(rule.json_, filled),
            headers=fill_placeholders(endpoint.headers, filled) or None,
        )
        return look_up(response.json(), rule.selector)

    def _fail(self, rule: InnerList, what: str) -> SafarError:
        source = self._client.source
        return SafarError(
            f"{source.name}.{self._table}: the list {rule.path!r} of a record {what}. Nothing was landed. Run the "
            f"load again; if it stays so, compare `endpoint.inner` and the query in {source.file} with what comes."
        )


def _find_holders(values: list[Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """The objects at a path of names below each of these values."""
    for value in values:
        if not isinstance(value, dict):
            continue
        if not names:
            yield value
            continue
        inner = value.get(names[0])
        yield from _find_holders(inner if isinstance(inner, list) else [inner], names[1:])
