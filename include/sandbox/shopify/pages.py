"""Pages of the shop's tables: filtered, sorted, and continued after a cursor whatever happened in between."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.company import Company
from sandbox.company.columns import Array, Columns
from sandbox.company.stock import list_location_moments, list_product_moments
from sandbox.shopify.execution import QueryFault
from sandbox.shopify.search import filter_rows


@dataclass(frozen=True)
class Page:
    """Rows of one table, with what is needed to go on."""

    numbers: Array
    values: list[int]
    """What the rows are sorted by, for their cursors."""
    updated: list[int]
    """When each row was last changed, in seconds."""
    has_next: bool
    has_previous: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Index:
    numbers: Array
    values: Array
    updated: Array
    warnings: tuple[str, ...]


class Pages:
    """Indexes over the shop's tables, made anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._indexes: dict[tuple[str, str, str, bool], _Index] = {}

    def read(self, table: str, arguments: dict[str, Any]) -> Page:
        """Reads the page that a connection's arguments ask for.

        Raises:
            QueryFault: a sort key or a cursor that the shop does not know.
        """
        sort_key, is_reversed = str(arguments.get("sortKey") or "ID"), bool(arguments.get("reverse"))
        index = self._index(table, sort_key, str(arguments.get("query") or ""), is_reversed)
        start = 0
        if arguments.get("after"):
            start = _find_place(index, *read_cursor(str(arguments["after"])), is_reversed)
        end = start + int(arguments["first"])
        return Page(
            numbers=index.numbers[start:end],
            values=index.values[start:end].tolist(),
            updated=index.updated[start:end].tolist(),
            has_next=end < len(index.numbers),
            has_previous=start > 0,
            warnings=index.warnings,
        )

    def read_one(self, table: str, number: int) -> Page | None:
        """Reads the row with this number, None when it does not exist yet or any more."""
        columns = self._columns(table)
        place = np.flatnonzero(columns["id"] == number)
        if len(place) == 0:
            return None
        return Page(columns["id"][place], [number], columns["updated_at"][place].tolist(), False, False)

    def _index(self, table: str, sort_key: str, query: str, is_reversed: bool) -> _Index:
        if self._version != self._company.version:
            self._version = self._company.version
            self._indexes.clear()
        key = (table, sort_key, query, is_reversed)
        if key not in self._indexes:
            self._indexes[key] = self._build(table, sort_key, query, is_reversed)
        return self._indexes[key]

    def _build(self, table: str, sort_key: str, query: str, is_reversed: bool) -> _Index:
        columns = self._columns(table)
        sort_columns = {
            "ID": "id",
            "UPDATED_AT": "updated_at",
            "CREATED_AT": "created_at",
            "PROCESSED_AT": "created_at",
        }
        if sort_key not in sort_columns:
            raise QueryFault(f"Argument 'sortKey' has an invalid value ({sort_key})", "argumentLiteralsIncompatible")
        keep, warnings = filter_rows(query, columns)
        numbers, values = columns["id"][keep], columns[sort_columns[sort_key]][keep]
        order = np.lexsort((numbers, values))
        if is_reversed:
            order = order[::-1]
        return _Index(numbers[order], values[order], columns["updated_at"][keep][order], warnings)

    def _columns(self, table: str) -> dict[str, Array]:
        shop, now = self._company.shop, self._company.seconds
        if table == "orders":
            numbers, updated = shop.updated_orders(now)
            created = shop.orders["at"][numbers]
            tests = shop.carts["is_test"][shop.orders["cart"][numbers]].astype(np.int64)
            columns = {"id": numbers, "updated_at": updated, "created_at": created, "processed_at": created}
            return {**columns, "test": tests, **_tell_states(shop.orders, numbers, now)}
        if table == "customers":
            numbers, updated = shop.updated_customers(now)
            return {"id": numbers, "updated_at": updated, "created_at": shop.customers["at"][numbers]}
        if table in ("products", "productVariants", "locations"):
            list_moments = list_location_moments if table == "locations" else list_product_moments
            created, updated = list_moments(self._company.config.start, self._company.now)
            return {"id": np.arange(len(created)), "updated_at": updated, "created_at": created}
        numbers, updated = shop.updated_checkouts(now)
        recovered = (shop.carts["completed_at"][numbers] <= now).astype(np.int64)
        created = shop.carts["at"][numbers]
        columns = {"id": numbers, "updated_at": updated, "created_at": created}
        return {**columns, "recovery_state": recovered, "status": recovered}


def _tell_states(orders: Columns, numbers: Array, now: int) -> dict[str, Array]:
    """How far refund and return of each order are, as the search's words are numbered."""
    is_refunded = orders["refunded_at"][numbers] <= now
    refunded = np.where(is_refunded, orders["refund_cents"][numbers], 0)
    is_whole = refunded >= orders["total_cents"][numbers]
    is_asked = orders["return_asked_at"][numbers] <= now
    return {
        "financial_status": np.where(refunded == 0, 0, np.where(is_whole, 2, 1)),
        "return_status": np.where(is_asked, np.where(is_refunded, 2, 1), 0),
    }


def write_cursor(number: int, value: int) -> str:
    return base64.b64encode(json.dumps({"last_id": number, "last_value": value}).encode()).decode()


def read_cursor(text: str) -> tuple[int, int]:
    """Raises:
    QueryFault: nobody has written this cursor.
    """
    try:
        cursor = json.loads(base64.b64decode(text, validate=True))
        return int(cursor["last_id"]), int(cursor["last_value"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise QueryFault("Invalid cursor for current pagination sort.", "BAD_REQUEST") from error


def _find_place(index: _Index, number: int, value: int, is_reversed: bool) -> int:
    beyond = np.less if is_reversed else np.greater
    after = beyond(index.values, value) | ((index.values == value) & beyond(index.numbers, number))
    return int(np.argmax(after)) if after.any() else len(index.numbers)
