"""The part of the shop's GraphQL schema that the sandbox serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.company.products import CURRENCY
from sandbox.shopify.connection import Connection
from sandbox.shopify.execution import Spec
from sandbox.shopify.records import Records, choose_node_type

PAGE_ARGUMENTS = frozenset({"first", "after", "sortKey", "query", "reverse"})


def _read(name: str) -> Spec:
    return Spec(lambda node, arguments: node[name])


def _reads(*names: str) -> dict[str, Spec]:
    return {name: _read(name) for name in names}


def _money(name: str) -> Spec:
    """A money bag from a field that holds cents."""
    return Spec(lambda node, arguments: node[name], "MoneyBag")


def _moneys(*names: str) -> dict[str, Spec]:
    return {name: _money(name) for name in names}


def _part(name: str, type_name: str, cost: int = 0) -> Spec:
    return Spec(lambda node, arguments: node[name], type_name, cost=cost)


def write_amount(cents: int) -> str:
    """Writes cents as the shop does: at least one decimal, no needless zero."""
    text = f"{cents / 100:.2f}"
    return text[:-1] if text.endswith("0") else text


MONEY: Mapping[str, Mapping[str, Spec]] = {
    "MoneyV2": {
        "amount": Spec(lambda cents, arguments: write_amount(cents)),
        "currencyCode": Spec(lambda cents, arguments: CURRENCY),
    },
    "MoneyBag": {
        "shopMoney": Spec(lambda cents, arguments: cents, "MoneyV2"),
        "presentmentMoney": Spec(lambda cents, arguments: cents, "MoneyV2"),
    },
}
CONSENT = {
    "CustomerEmailMarketingConsentState": _reads("marketingState", "marketingOptInLevel", "consentUpdatedAt"),
    "CustomerEmailAddress": _reads("emailAddress", "marketingState", "marketingOptInLevel", "marketingUpdatedAt"),
    "MailingAddress": _reads("country", "countryCodeV2", "city", "zip", "province", "provinceCode"),
}
PRODUCT = {"Product": _reads("id", "title"), "ProductVariant": _reads("id", "sku")}


def _connection_types(name: str) -> dict[str, dict[str, Spec]]:
    return {
        f"{name}Connection": {
            "nodes": Spec(lambda page, arguments: page.nodes, name),
            "edges": Spec(lambda page, arguments: page.edges(), f"{name}Edge"),
            "pageInfo": Spec(lambda page, arguments: page, "PageInfo"),
        },
        f"{name}Edge": {"cursor": _read("cursor"), "node": _part("node", name)},
    }


def _line_items(name: str) -> Spec:
    def take(node: dict[str, Any], arguments: dict[str, Any]) -> Connection:
        return Connection.of_list(node["lineItems"], arguments)

    return Spec(take, f"{name}Connection", is_connection=True, arguments=PAGE_ARGUMENTS)


def _refunds(node: dict[str, Any], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    refunds: list[dict[str, Any]] = node["refunds"]
    return refunds[: arguments.get("first")]


PAGE_INFO = {
    "PageInfo": {
        "hasNextPage": Spec(lambda page, arguments: page.has_next),
        "hasPreviousPage": Spec(lambda page, arguments: page.has_previous),
        "startCursor": Spec(lambda page, arguments: page.cursor_at(0)),
        "endCursor": Spec(lambda page, arguments: page.cursor_at(-1)),
    }
}
CUSTOMER = {
    "Customer": {
        **_reads("id", "legacyResourceId", "firstName", "lastName", "displayName", "email", "phone", "locale", "state"),
        **_reads("tags", "note", "numberOfOrders", "createdAt", "updatedAt", "verifiedEmail", "taxExempt"),
        "amountSpent": Spec(lambda node, arguments: node["amountSpent"], "MoneyV2"),
        "emailMarketingConsent": _part("emailMarketingConsent", "CustomerEmailMarketingConsentState"),
        "defaultEmailAddress": _part("defaultEmailAddress", "CustomerEmailAddress"),
        "defaultAddress": _part("defaultAddress", "MailingAddress"),
    }
}
ORDER = {
    "Order": {
        **_reads("id", "legacyResourceId", "name", "email", "phone", "createdAt", "processedAt", "updatedAt"),
        **_reads("cancelledAt", "cancelReason", "test", "currencyCode", "displayFinancialStatus"),
        **_reads("displayFulfillmentStatus", "sourceName", "tags", "note"),
        **_moneys("totalPriceSet", "subtotalPriceSet", "totalDiscountsSet", "totalTaxSet", "totalShippingPriceSet"),
        **_moneys("currentTotalPriceSet", "totalRefundedSet"),
        "customer": Spec(lambda node, arguments: node["customer"](), "Customer", cost=1),
        "lineItems": _line_items("LineItem"),
        "refunds": Spec(_refunds, "Refund", cost=1, arguments=frozenset({"first"})),
    },
    "Refund": {**_reads("id", "createdAt", "updatedAt", "note"), "totalRefundedSet": _money("totalRefundedSet")},
    "LineItem": {
        **_reads("id", "title", "name", "quantity", "currentQuantity", "sku", "variantTitle", "vendor"),
        "product": _part("product", "Product", cost=1),
        "variant": _part("variant", "ProductVariant", cost=1),
        **_moneys("originalUnitPriceSet", "discountedUnitPriceSet", "originalTotalSet"),
        # Here all discounts of a line are its own; the real shop leaves out those of a code unless it is asked.
        "discountedTotalSet": Spec(
            lambda node, arguments: node["discountedTotalSet"], "MoneyBag", arguments=frozenset({"withCodeDiscounts"})
        ),
    },
}
CHECKOUT = {
    "AbandonedCheckout": {
        **_reads("id", "name", "abandonedCheckoutUrl", "createdAt", "updatedAt", "completedAt", "note"),
        **_moneys("totalPriceSet", "subtotalPriceSet", "totalDiscountsSet"),
        "customer": Spec(lambda node, arguments: node["customer"](), "Customer", cost=1),
        "lineItems": _line_items("AbandonedCheckoutLineItem"),
    },
    "AbandonedCheckoutLineItem": {
        **_reads("id", "title", "quantity", "sku", "variantTitle"),
        "product": _part("product", "Product", cost=1),
        "variant": _part("variant", "ProductVariant", cost=1),
        **_moneys("originalUnitPriceSet", "discountedTotalPriceSet", "originalTotalPriceSet"),
    },
}
CONSENT_UPDATE = {
    "CustomerEmailMarketingConsentUpdatePayload": {
        "customer": _part("customer", "Customer", cost=1),
        "userErrors": _part("userErrors", "UserError"),
    },
    "UserError": _reads("field", "message", "code"),
}
ERASURE = {
    "CustomerRequestDataErasurePayload": {
        **_reads("customerId"),
        "userErrors": _part("userErrors", "CustomerRequestDataErasureUserError"),
    },
    "CustomerRequestDataErasureUserError": _reads("field", "message", "code"),
}


def build_schema(records: Records) -> Mapping[str, Mapping[str, Spec]]:
    """Joins the types, with the roots that read from these records."""

    def connect(table: str) -> Callable[[Any, dict[str, Any]], Connection]:
        return lambda root, arguments: records.read_page(table, arguments)

    def field(table: str, name: str) -> Spec:
        return Spec(connect(table), f"{name}Connection", is_connection=True, arguments=PAGE_ARGUMENTS)

    update = Spec(
        lambda root, arguments: records.update_consent(arguments.get("input") or {}),
        "CustomerEmailMarketingConsentUpdatePayload",
        cost=10,
        arguments=frozenset({"input"}),
    )
    erase = Spec(
        lambda root, arguments: records.request_erasure(arguments.get("customerId")),
        "CustomerRequestDataErasurePayload",
        cost=10,
        arguments=frozenset({"customerId"}),
    )
    names = ("Customer", "Order", "AbandonedCheckout", "LineItem", "AbandonedCheckoutLineItem")
    connections = {key: value for name in names for key, value in _connection_types(name).items()}
    return {
        "QueryRoot": {
            "customers": field("customers", "Customer"),
            "orders": field("orders", "Order"),
            "abandonedCheckouts": field("abandonedCheckouts", "AbandonedCheckout"),
            "shop": Spec(lambda root, arguments: records.shop_facts(), "Shop", cost=1),
            "node": Spec(
                lambda root, arguments: records.read_node(str(arguments.get("id"))),
                "Node",
                cost=1,
                arguments=frozenset({"id"}),
                choose_type=lambda arguments: choose_node_type(str(arguments.get("id"))),
            ),
        },
        "Mutation": {"customerEmailMarketingConsentUpdate": update, "customerRequestDataErasure": erase},
        "Shop": _reads("name", "currencyCode", "ianaTimezone", "myshopifyDomain"),
        **MONEY,
        **CONSENT,
        **PRODUCT,
        **PAGE_INFO,
        **CUSTOMER,
        **ORDER,
        **CHECKOUT,
        **CONSENT_UPDATE,
        **ERASURE,
        **connections,
    }
