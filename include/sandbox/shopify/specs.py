"""How the fields of the shop's types are read from nodes."""

from __future__ import annotations

from typing import Any

from sandbox.company.products import CURRENCY
from sandbox.shopify.connection import Connection
from sandbox.shopify.execution import Spec

PAGE_ARGUMENTS = frozenset({"first", "after", "sortKey", "query", "reverse"})


def read(name: str) -> Spec:
    return Spec(lambda node, arguments: node[name])


def read_all(*names: str) -> dict[str, Spec]:
    return {name: read(name) for name in names}


def read_money(name: str) -> Spec:
    """A money bag from a field that holds cents."""
    return Spec(lambda node, arguments: node[name], "MoneyBag")


def read_moneys(*names: str) -> dict[str, Spec]:
    return {name: read_money(name) for name in names}


def read_part(name: str, type_name: str, cost: int = 0) -> Spec:
    return Spec(lambda node, arguments: node[name], type_name, cost=cost)


def write_amount(cents: int) -> str:
    """Writes cents as the shop does: at least one decimal, no needless zero."""
    text = f"{cents / 100:.2f}"
    return text[:-1] if text.endswith("0") else text


def read_pages(name: str, type_name: str) -> Spec:
    """A connection over a list of the node that is all at hand, or that a function of no arguments makes."""

    def take(node: dict[str, Any], arguments: dict[str, Any]) -> Connection:
        nodes = node[name]
        return Connection.of_list(nodes() if callable(nodes) else nodes, arguments)

    return Spec(take, f"{type_name}Connection", is_connection=True, arguments=PAGE_ARGUMENTS)


MONEY: dict[str, dict[str, Spec]] = {
    "MoneyV2": {
        "amount": Spec(lambda cents, arguments: write_amount(cents)),
        "currencyCode": Spec(lambda cents, arguments: CURRENCY),
    },
    "MoneyBag": {
        "shopMoney": Spec(lambda cents, arguments: cents, "MoneyV2"),
        "presentmentMoney": Spec(lambda cents, arguments: cents, "MoneyV2"),
    },
}
