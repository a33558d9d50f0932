"""The roots of the shop's graph: pages of records, facts of the shop, and the two changes it accepts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sandbox.company import Company
from sandbox.company.columns import Array
from sandbox.company.population import REDACTED, UNKNOWN
from sandbox.company.products import CURRENCY, SHELF
from sandbox.company.stock import LOCATIONS
from sandbox.shopify.connection import Connection, Node
from sandbox.shopify.customers import CUSTOMER_BASE, STATES, Customer
from sandbox.shopify.execution import QueryFault
from sandbox.shopify.goods import make_locations, make_products, make_variants
from sandbox.shopify.money_back import REFUND_BASE, RETURN_BASE
from sandbox.shopify.pages import Page, Pages
from sandbox.shopify.purchases import CHECKOUT_BASE, ORDER_BASE, make_checkouts, make_orders

ERASURE_DELAY = timedelta(days=10)
NODE_TABLES = {
    "Customer": ("customers", CUSTOMER_BASE),
    "Order": ("orders", ORDER_BASE),
    "Refund": ("orders", REFUND_BASE),
    "Return": ("orders", RETURN_BASE),
    "AbandonedCheckout": ("abandonedCheckouts", CHECKOUT_BASE),
    "Product": ("products", SHELF[0].product_id),
    "ProductVariant": ("productVariants", SHELF[0].variant_id),
    "Location": ("locations", LOCATIONS[0].location_id),
}
"""Type -> its table, and what is added to a row's number to make its id."""
PARTS_OF_ORDERS = {"Refund": "refunds", "Return": "returns"}
"""Type -> the order's list that holds it; an order has at most one of each."""
Spoiler = Callable[[str, list[Node]], None]


NODE_MAKERS: dict[str, Callable[[Company, Array, list[int]], list[Node]]] = {
    "orders": make_orders,
    "abandonedCheckouts": make_checkouts,
    "products": make_products,
    "productVariants": make_variants,
    "locations": make_locations,
}


def choose_node_type(gid: str) -> str:
    """The type of the object with this id.

    Raises:
        QueryFault: no object of the shop has such ids.
    """
    kind = gid.removeprefix("gid://shopify/").partition("/")[0]
    if kind not in NODE_TABLES:
        raise QueryFault(f"Invalid global id '{gid}'", "argumentLiteralsIncompatible", ("node",))
    return kind


class Records:
    """Reads pages of nodes; ``spoil`` may damage one of a page on purpose."""

    def __init__(self, company: Company, spoil: Spoiler) -> None:
        self._company = company
        self._spoil = spoil
        self._pages = Pages(company)
        self.warnings: tuple[str, ...] = ()
        """Search terms of the last query that the shop does not know and left out."""

    def read_page(self, table: str, arguments: dict[str, Any]) -> Connection:
        """Reads one page of a table."""
        if self._company.faults.take(("access_denied",), "shopify", table):
            message = f"Access denied for {table} field. Required access: the scope that reads {table}."
            raise QueryFault(
                message, "ACCESS_DENIED", (table,), documentation="https://shopify.dev/api/usage/access-scopes"
            )
        page = self._pages.read(table, arguments)
        self.warnings = page.warnings
        nodes = self._make_nodes(table, page)
        self._spoil(table, nodes)
        places = list(zip(page.numbers.tolist(), page.values, strict=True))
        return Connection(nodes, places, page.has_next, page.has_previous)

    def read_node(self, gid: str) -> Node | None:
        """Reads one object by its id, None when there is none."""
        kind = choose_node_type(gid)
        table, base = NODE_TABLES[kind]
        digits = gid.rpartition("/")[2]
        page = self._pages.read_one(table, int(digits) - base) if digits.isdigit() else None
        if page is None:
            return None
        node = self._make_nodes(table, page)[0]
        if kind in PARTS_OF_ORDERS:
            return next(iter(node[PARTS_OF_ORDERS[kind]]), None)
        return node

    def shop_facts(self) -> Node:
        return {
            "name": "Safar Sandbox Shop",
            "currencyCode": CURRENCY,
            "ianaTimezone": "Europe/Berlin",
            "myshopifyDomain": "safar-sandbox.myshopify.com",
        }

    def update_consent(self, wanted: dict[str, Any]) -> Node:
        """Changes a customer's consent; what is wrong with the input comes back as user errors."""
        number = self._find_customer(str(wanted.get("customerId")))
        state = str((wanted.get("emailMarketingConsent") or {}).get("marketingState"))
        consent = {name: code for code, name in STATES.items()}.get(state, UNKNOWN)
        if number is None:
            return _user_error("customerId", "Customer not found", "INVALID")
        if consent in (UNKNOWN, REDACTED):
            return _user_error("emailMarketingConsent", f"Marketing state {state} is not allowed", "INCLUSION")
        self._company.set_shop_consent(int(self._company.shop.customers["person"][number]), consent)
        return {"customer": Customer(self._company, number), "userErrors": []}

    def request_erasure(self, customer_id: Any) -> Node:
        """Enqueues the erasure of a customer's data, which the shop carries out ten days later."""
        number = self._find_customer(str(customer_id))
        if number is None:
            error = {"field": ["customerId"], "message": "Customer does not exist.", "code": "DOES_NOT_EXIST"}
            return {"customerId": None, "userErrors": [error]}
        person = int(self._company.shop.customers["person"][number])
        self._company.redact_customer(person, self._company.now + ERASURE_DELAY)
        return {"customerId": str(customer_id), "userErrors": []}

    def _find_customer(self, gid: str) -> int | None:
        prefix, _, digits = gid.rpartition("/")
        number = int(digits) - CUSTOMER_BASE if digits.isdigit() else -1
        is_known = prefix == "gid://shopify/Customer" and 0 <= number < len(self._company.shop.customers)
        return number if is_known else None

    def _make_nodes(self, table: str, page: Page) -> list[Node]:
        if table == "customers":
            return [Customer(self._company, number) for number in page.numbers.tolist()]
        return NODE_MAKERS[table](self._company, page.numbers, page.updated)


def _user_error(field: str, message: str, code: str) -> Node:
    return {"customer": None, "userErrors": [{"field": ["input", field], "message": message, "code": code}]}
