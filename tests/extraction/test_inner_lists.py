"""A list inside a record that comes in pages of its own is whole, or nothing is landed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tiny_vendor import Record, Vendor, answer, let_pass

from safar.catalogue.source import Source
from safar.errors import ConfigurationError, SafarError
from safar.extraction import land_source
from safar.extraction.session import Patience
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
LINES_AT_ONCE, PARTS_AT_ONCE = 20, 2


def cut_lines(lines: list[Record], start: int = 0) -> Record:
    end = start + LINES_AT_ONCE
    return {"nodes": lines[start:end], "pageInfo": {"hasNextPage": end < len(lines), "endCursor": str(end)}}


def cut_parts(parts: list[Record], start: int = 0) -> Record:
    end = start + PARTS_AT_ONCE
    return {"rows": parts[start:end], "page": {"more": end < len(parts), "end": end}}


def number(count: int) -> list[Record]:
    return [{"id": one} for one in range(count)]


def tell_orders(
    vendor: Vendor, lines: dict[str, int], parts: dict[str, dict[str, int]] | None = None, spoil: Any = None
) -> None:
    """Lets the vendor have orders with so many lines, and of some of them returns with so many parts."""
    sizes = lines | {name: count for returns in (parts or {}).values() for name, count in returns.items()}

    def tell_list(asked: Record) -> Record:
        cut = cut_lines if asked["list"] == "lines" else cut_parts
        page = cut(number(sizes[asked["id"]]), int(asked["after"]))
        if spoil is not None:
            spoil(page)
        return {asked["list"]: page}

    def tell_returns(order: str) -> list[Record]:
        returns = (parts or {}).get(order, {})
        return [{"number": name, "parts": cut_parts(number(count))} for name, count in returns.items()]

    vendor.tell_list = tell_list
    vendor.orders = [
        {"id": order, "lines": cut_lines(number(count)), "returns": tell_returns(order)}
        for order, count in lines.items()
    ]


def asked_lists(vendor: Vendor) -> list[tuple[Any, ...]]:
    asked = [body["variables"] for body in vendor.bodies("/graphql") if "list" in body["variables"]]
    return [(one["list"], one["id"], one["after"]) for one in asked]


@pytest.mark.parametrize("count", [0, 20, 21, 40, 61])
def test_a_list_of_many_pages_lands_whole(
    count: int, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    tell_orders(vendor, {"small": 3, "large": count, "last": 1})
    land_source(open_at(), declare("baskets"))
    rows = select("select id, lines from raw_baskets.orders order by id")
    assert rows == [("large", number(count)), ("last", number(1)), ("small", number(3))]
    assert asked_lists(vendor) == [("lines", "large", str(after)) for after in range(20, count, 20)]


def test_a_list_below_a_list_is_read_as_named(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    tell_orders(vendor, {"a": 0, "b": 0}, {"a": {"first": 1, "second": 5}})
    report = land_source(open_at(), declare("baskets"))
    told = [{"number": "first", "parts": {"rows": number(1)}}, {"number": "second", "parts": {"rows": number(5)}}]
    assert select("select id, returns from raw_baskets.orders order by id") == [("a", told), ("b", [])]
    assert asked_lists(vendor) == [("parts", "second", 2), ("parts", "second", 4)]
    assert report.undeclared == {}, "what only served for paging becomes no column"


def test_what_is_null_has_no_list(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    vendor.orders = [
        {"id": "a", "lines": None, "returns": None},
        {"id": "b", "lines": cut_lines([]), "returns": [None]},
    ]
    land_source(open_at(), declare("baskets"))
    assert select("select id, lines from raw_baskets.orders order by id") == [("a", None), ("b", [])]


def forget_the_end(page: Record) -> None:
    page["pageInfo"] = {"hasNextPage": True, "endCursor": None}


def stand_still(page: Record) -> None:
    page["pageInfo"] = {"hasNextPage": True, "endCursor": "20"}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (dict.clear, r"list 'lines' of a record came without 'nodes' or 'pageInfo\.hasNextPage'.*_baskets__sources"),
        (lambda page: page.pop("pageInfo"), r"came without 'nodes' or 'pageInfo\.hasNextPage'"),
        (forget_the_end, r"has more items, but 'pageInfo\.endCursor' does not say after which"),
        (stand_still, r"has more items, but 'pageInfo\.endCursor' does not say after which"),
    ],
    ids=["empty", "no page info", "no end", "the same end"],
)
def test_a_list_of_which_nobody_can_tell_whether_it_is_whole_lands_nothing(
    spoil: Callable[[Record], None], told: str, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    tell_orders(vendor, {"a": 21}, spoil=spoil)
    with pytest.raises(SafarError, match=told):
        land_source(open_at(), declare("baskets"))
    assert select("select to_regclass('raw_baskets.orders') is null") == [(True,)]


def test_a_query_that_does_not_ask_whether_a_list_is_whole_lands_nothing(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    tell_orders(vendor, {"a": 3})
    del vendor.orders[0]["lines"]["pageInfo"]
    with pytest.raises(SafarError, match="nobody can tell whether it is whole"):
        land_source(open_at(), declare("baskets"))


def test_a_throttled_or_refused_page_of_a_list_is_treated_as_any_other(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select, patience: Patience
) -> None:
    tell_orders(vendor, {"a": 21})
    throttled = answer(200, {"errors": [{"message": "later", "extensions": {"code": "THROTTLED"}}]})
    refused = answer(200, {"errors": [{"message": "no such node", "extensions": {"code": "GONE"}}]})
    vendor.faults = [let_pass, let_pass, throttled]  # the token, the page of orders, the page of the list
    land_source(open_at(), declare("baskets"), patience)
    assert select("select jsonb_array_length(lines) from raw_baskets.orders") == [(21,)]
    vendor.faults = [let_pass, let_pass, refused]
    with pytest.raises(SafarError, match="no such node"):
        land_source(open_at(), declare("baskets"), patience)


def test_a_file_has_no_inner_lists(declare: Declare) -> None:
    inner = 'inner: [{path: lines, json: {id: "{inner.id}"}, selector: lines}]'
    with pytest.raises(ConfigurationError, match="inner is for format json"):
        declare("exports", ("                format: csv", f"                {inner}\n                format: csv"))
