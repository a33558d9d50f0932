"""Orders and abandoned checkouts as GraphQL nodes."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from sandbox.clock import write_seconds
from sandbox.company import Company
from sandbox.company.columns import Array
from sandbox.company.products import CURRENCY, PRODUCTS
from sandbox.company.returns import split_refund
from sandbox.shopify.connection import Node
from sandbox.shopify.customers import Customer, spell_email
from sandbox.shopify.fulfillments import make_fulfillments
from sandbox.shopify.goods import name_product, name_variant
from sandbox.shopify.money_back import FIRST_ORDER_NAME, make_refunds, make_returns, tell_return_status

ORDER_BASE, CHECKOUT_BASE = 5_000_000_000, 3_000_000_000


def make_orders(company: Company, numbers: Array, updated: list[int]) -> list[Node]:
    """Describes orders at the clock's moment."""
    orders = company.shop.orders.take(numbers)
    carts = company.shop.carts.take(company.shop.orders["cart"][numbers])
    rows = zip(numbers.tolist(), orders, carts, updated, strict=True)
    return [_make_order(company, number, order, cart, moment) for number, order, cart, moment in rows]


def make_checkouts(company: Company, numbers: Array, updated: list[int]) -> list[Node]:
    """Describes abandoned checkouts at the clock's moment."""
    rows = zip(numbers.tolist(), company.shop.carts.take(numbers), updated, strict=True)
    return [_make_checkout(company, number, cart, moment) for number, cart, moment in rows]


def _make_order(company: Company, number: int, order: dict[str, Any], cart: dict[str, Any], updated: int) -> Node:
    now, person = company.seconds, order["person"]
    is_cancelled, is_fulfilled = order["cancelled_at"] <= now, order["fulfilled_at"] <= now
    refunded = order["refund_cents"] if order["refunded_at"] <= now else 0
    total = order["total_cents"]
    placed = write_seconds(order["at"])
    lines = _make_items(company, "LineItem", order["cart"], cart)
    if order["refunded_at"] <= now:
        for line in split_refund(cart, order["refund_cents"]):
            lines[line.place]["currentQuantity"] -= line.quantity
    return {
        "id": f"gid://shopify/Order/{ORDER_BASE + number}",
        "legacyResourceId": str(ORDER_BASE + number),
        "name": f"#{FIRST_ORDER_NAME + number}",
        "email": spell_email(company, person),
        "phone": None,
        "createdAt": placed,
        "processedAt": placed,
        "updatedAt": write_seconds(updated),
        "cancelledAt": write_seconds(order["cancelled_at"]) if is_cancelled else None,
        "cancelReason": "CUSTOMER" if is_cancelled else None,
        "test": cart["is_test"],
        "currencyCode": CURRENCY,
        "displayFinancialStatus": _financial_status(total, refunded),
        "displayFulfillmentStatus": "FULFILLED" if is_fulfilled else "UNFULFILLED",
        "sourceName": "web",
        "tags": [],
        "note": None,
        "totalPriceSet": total,
        "subtotalPriceSet": total,
        "totalDiscountsSet": cart["discount_cents"],
        "totalTaxSet": 0,
        "totalShippingPriceSet": 0,
        "currentTotalPriceSet": total - refunded,
        "totalRefundedSet": refunded,
        "customer": partial(Customer, company, int(company.shop.state["customer"][person])),
        "lineItems": list(lines.values()),
        "fulfillments": make_fulfillments(number, order, now),
        "refunds": make_refunds(number, order, cart, lines, now),
        "returnStatus": tell_return_status(order, now),
        "returns": make_returns(number, order, cart, lines, now),
    }


def write_line_id(kind: str, cart_number: int, place: int) -> str:
    """The id of a cart's line (places count from 1), as the cart or as the order tells it."""
    return f"gid://shopify/{kind}/{cart_number * 10 + place + 10_000_000_000}"


def _financial_status(total: int, refunded: int) -> str:
    if refunded == 0:
        return "PAID"
    return "REFUNDED" if refunded >= total else "PARTIALLY_REFUNDED"


def _make_checkout(company: Company, number: int, cart: dict[str, Any], updated: int) -> Node:
    now = company.seconds
    key = hashlib.sha256(f"{company.seed}:{number}".encode()).hexdigest()
    return {
        "id": f"gid://shopify/AbandonedCheckout/{CHECKOUT_BASE + number}",
        "name": f"#{CHECKOUT_BASE + number}",
        "abandonedCheckoutUrl": f"https://shop.example.com/checkouts/ac/{key[:32]}/recover?key={key[32:]}&locale=en",
        "createdAt": write_seconds(cart["at"]),
        "updatedAt": write_seconds(updated),
        "completedAt": write_seconds(cart["completed_at"]) if cart["completed_at"] <= now else None,
        "note": "",
        "totalPriceSet": cart["total_cents"],
        "subtotalPriceSet": cart["total_cents"],
        "totalDiscountsSet": cart["discount_cents"],
        "customer": partial(Customer, company, int(company.shop.state["customer"][cart["person"]])),
        "lineItems": list(_make_items(company, "AbandonedCheckoutLineItem", number, cart).values()),
    }


def _make_items(company: Company, kind: str, cart_number: int, cart: dict[str, Any]) -> dict[int, Node]:
    """The cart's lines by place."""
    gross = cart["total_cents"] + cart["discount_cents"]
    items = {}
    for place in (1, 2, 3):
        quantity, product = cart[f"quantity_{place}"], PRODUCTS[cart[f"product_{place}"]]
        if not quantity:
            continue
        original = product.price_cents * quantity
        discounted = original * cart["total_cents"] // gross
        items[place] = {
            "id": write_line_id(kind, cart_number, place),
            "title": product.title,
            "name": product.title,
            "quantity": quantity,
            "currentQuantity": quantity,
            "sku": product.sku,
            "variantTitle": None,
            "vendor": "Safar",
            "product": name_product(company, cart[f"product_{place}"]),
            "variant": name_variant(company, cart[f"product_{place}"]),
            "originalUnitPriceSet": product.price_cents,
            "discountedUnitPriceSet": discounted // quantity,
            "originalTotalSet": original,
            "originalTotalPriceSet": original,
            "discountedTotalSet": discounted,
            "discountedTotalPriceSet": discounted,
        }
    return items
