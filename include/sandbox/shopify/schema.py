"""The part of the shop's GraphQL schema that the sandbox serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.shopify.connection import Connection
from sandbox.shopify.execution import Spec
from sandbox.shopify.goods_schema import GOODS
from sandbox.shopify.money_back_schema import MONEY_BACK
from sandbox.shopify.records import Records, choose_node_type
from sandbox.shopify.specs import MONEY, PAGE_ARGUMENTS, read, read_all, read_moneys, read_pages, read_part

CONSENT = {
    "CustomerEmailMarketingConsentState": read_all("marketingState", "marketingOptInLevel", "consentUpdatedAt"),
    "CustomerEmailAddress": read_all("emailAddress", "marketingState", "marketingOptInLevel", "marketingUpdatedAt"),
    "MailingAddress": read_all("country", "countryCodeV2", "city", "zip", "province", "provinceCode"),
}


def _connection_types(name: str) -> dict[str, dict[str, Spec]]:
    return {
        f"{name}Connection": {
            "nodes": Spec(lambda page, arguments: page.nodes, name),
            "edges": Spec(lambda page, arguments: page.edges(), f"{name}Edge"),
            "pageInfo": Spec(lambda page, arguments: page, "PageInfo"),
        },
        f"{name}Edge": {"cursor": read("cursor"), "node": read_part("node", name)},
    }


def _take(name: str) -> Callable[[dict[str, Any], dict[str, Any]], list[dict[str, Any]]]:
    """Reads a list that is no connection: whole, or its first."""

    def take(node: dict[str, Any], arguments: dict[str, Any]) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = node[name]
        return nodes[: arguments.get("first")]

    return take


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
        **read_all(
            "id", "legacyResourceId", "firstName", "lastName", "displayName", "email", "phone", "locale", "state"
        ),
        **read_all("tags", "note", "numberOfOrders", "createdAt", "updatedAt", "verifiedEmail", "taxExempt"),
        "amountSpent": Spec(lambda node, arguments: node["amountSpent"], "MoneyV2"),
        "emailMarketingConsent": read_part("emailMarketingConsent", "CustomerEmailMarketingConsentState"),
        "defaultEmailAddress": read_part("defaultEmailAddress", "CustomerEmailAddress"),
        "defaultAddress": read_part("defaultAddress", "MailingAddress"),
    }
}
ORDER = {
    "Order": {
        **read_all("id", "legacyResourceId", "name", "email", "phone", "createdAt", "processedAt", "updatedAt"),
        **read_all("cancelledAt", "cancelReason", "test", "currencyCode", "displayFinancialStatus"),
        **read_all("displayFulfillmentStatus", "sourceName", "tags", "note"),
        **read_moneys("totalPriceSet", "subtotalPriceSet", "totalDiscountsSet", "totalTaxSet", "totalShippingPriceSet"),
        **read_moneys("currentTotalPriceSet", "totalRefundedSet"),
        "customer": Spec(lambda node, arguments: node["customer"](), "Customer", cost=1),
        "lineItems": read_pages("lineItems", "LineItem"),
        "fulfillments": Spec(_take("fulfillments"), "Fulfillment", cost=1, arguments=frozenset({"first"})),
        **read_all("returnStatus"),
        "returns": read_pages("returns", "Return"),
        "refunds": Spec(_take("refunds"), "Refund", cost=1, arguments=frozenset({"first"})),
    },
    "Fulfillment": {
        **read_all("id", "name", "status", "displayStatus", "createdAt", "updatedAt"),
        **read_all("inTransitAt", "deliveredAt", "estimatedDeliveryAt"),
    },
    **MONEY_BACK,
    "LineItem": {
        **read_all("id", "title", "name", "quantity", "currentQuantity", "sku", "variantTitle", "vendor"),
        "product": read_part("product", "Product", cost=1),
        "variant": read_part("variant", "ProductVariant", cost=1),
        **read_moneys("originalUnitPriceSet", "discountedUnitPriceSet", "originalTotalSet"),
        # Here all discounts of a line are its own; the real shop leaves out those of a code unless it is asked.
        "discountedTotalSet": Spec(
            lambda node, arguments: node["discountedTotalSet"], "MoneyBag", arguments=frozenset({"withCodeDiscounts"})
        ),
    },
}
CHECKOUT = {
    "AbandonedCheckout": {
        **read_all("id", "name", "abandonedCheckoutUrl", "createdAt", "updatedAt", "completedAt", "note"),
        **read_moneys("totalPriceSet", "subtotalPriceSet", "totalDiscountsSet"),
        "customer": Spec(lambda node, arguments: node["customer"](), "Customer", cost=1),
        "lineItems": read_pages("lineItems", "AbandonedCheckoutLineItem"),
    },
    "AbandonedCheckoutLineItem": {
        **read_all("id", "title", "quantity", "sku", "variantTitle"),
        "product": read_part("product", "Product", cost=1),
        "variant": read_part("variant", "ProductVariant", cost=1),
        **read_moneys("originalUnitPriceSet", "discountedTotalPriceSet", "originalTotalPriceSet"),
    },
}
CONSENT_UPDATE = {
    "CustomerEmailMarketingConsentUpdatePayload": {
        "customer": read_part("customer", "Customer", cost=1),
        "userErrors": read_part("userErrors", "UserError"),
    },
    "UserError": read_all("field", "message", "code"),
}
ERASURE = {
    "CustomerRequestDataErasurePayload": {
        **read_all("customerId"),
        "userErrors": read_part("userErrors", "CustomerRequestDataErasureUserError"),
    },
    "CustomerRequestDataErasureUserError": read_all("field", "message", "code"),
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
    names = ["Customer", "Order", "AbandonedCheckout", "LineItem", "AbandonedCheckoutLineItem"]
    names += ("RefundLineItem", "Return", "ReturnLineItem")
    names += ("Product", "ProductVariant", "Location", "InventoryLevel")
    connections = {key: value for name in names for key, value in _connection_types(name).items()}
    return {
        "QueryRoot": {
            "customers": field("customers", "Customer"),
            "orders": field("orders", "Order"),
            "abandonedCheckouts": field("abandonedCheckouts", "AbandonedCheckout"),
            "products": field("products", "Product"),
            "productVariants": field("productVariants", "ProductVariant"),
            "locations": field("locations", "Location"),
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
        "Shop": read_all("name", "currencyCode", "ianaTimezone", "myshopifyDomain"),
        **MONEY,
        **CONSENT,
        **GOODS,
        **PAGE_INFO,
        **CUSTOMER,
        **ORDER,
        **CHECKOUT,
        **CONSENT_UPDATE,
        **ERASURE,
        **connections,
    }
