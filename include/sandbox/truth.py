"""The truth about the company, for tests and for the last comparison; no vendor tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from fastapi import APIRouter, Response

from sandbox.answers import write_json
from sandbox.clock import write_moment, write_seconds
from sandbox.company import Company
from sandbox.company.ad_accounts import META
from sandbox.company.ads import list_ad_days, make_ads
from sandbox.company.columns import Array
from sandbox.company.course import PAST_DAYS
from sandbox.company.population import NEVER
from sandbox.company.products import PRODUCTS, SHELF
from sandbox.company.returns import choose_reason, split_refund
from sandbox.company.stock import LOCATIONS, count_stock
from sandbox.hubspot.truth import VIEWS as HUBSPOT_VIEWS
from sandbox.shopify.customers import customer_gid
from sandbox.shopify.purchases import CHECKOUT_BASE, ORDER_BASE, write_line_id


def create_router(company: Company) -> APIRouter:
    """Builds the routes below /truth. Ids are written as the vendors write them."""
    router = APIRouter()
    views: dict[str, Callable[[Company], Any]] = {
        "summary": summarise,
        "identity": list_identity,
        "people": list_people,
        "orders": list_orders,
        "order_lines": list_order_lines,
        "carts": list_carts,
        "stock": list_stock,
        "returns": list_returns,
        "contacts": list_contacts,
        "customers": list_customers,
        "ads": list_ads,
        **HUBSPOT_VIEWS,
    }

    @router.get("/{view}")
    def tell(view: str) -> Response:
        if view not in views:
            return write_json({"detail": f"there is no /truth/{view}; these exist: {', '.join(views)}"}, 404)
        with company.lock:
            return write_json(views[view](company))

    return router


def _moment(seconds: int) -> str | None:
    return None if seconds == NEVER else write_seconds(seconds)


def summarise(company: Company) -> dict[str, Any]:
    """Counts of what exists at the clock's moment."""
    shop, now = company.shop, company.seconds
    contacts = list_contacts(company)
    checkouts = shop.updated_checkouts(now)[0]
    orders = shop.orders
    causes = Counter(cause.split(":", 1)[0] for cause in shop.causes.values())
    return {
        "now": write_moment(company.now),
        "people": int((company.population.traits["joined_at"] <= now).sum()),
        "contacts": sum(not contact["archived"] for contact in contacts),
        "archived_contacts": sum(contact["archived"] for contact in contacts),
        "customers": int((shop.customers["at"] <= now).sum()),
        "orders": len(shop.updated_orders(now)[0]),
        "orders_by_cause": dict(causes),
        "refunded_orders": int((orders["refunded_at"] <= now).sum()),
        "cancelled_orders": int((orders["cancelled_at"] <= now).sum()),
        "abandoned_checkouts": len(checkouts),
        "completed_checkouts": int((shop.carts["completed_at"][checkouts] <= now).sum()),
        "visits": int(shop.state["visits_count"].sum()),
    }


def list_identity(company: Company) -> list[dict[str, Any]]:
    """Which records are one human: per person the ids of their records, those merged away included."""
    records: dict[int, dict[str, list[str]]] = {}
    for contact in company.crm.contacts:
        if contact.created_ms <= company.seconds * 1000:
            own = records.setdefault(contact.person, {"hubspot": [], "shopify": []})
            own["hubspot"].append(str(contact.contact_id))
    for number in _visible_customers(company).tolist():
        person = int(company.shop.customers["person"][number])
        records.setdefault(person, {"hubspot": [], "shopify": []})["shopify"].append(customer_gid(number))
    return [{"person_id": person, **own} for person, own in sorted(records.items())]


def list_people(company: Company) -> list[dict[str, Any]]:
    """Who people are and how they really behave: the inputs of every stage."""
    state, traits = company.shop.state, company.population.traits
    people = []
    for number in np.flatnonzero(traits["joined_at"] <= company.seconds).tolist():
        person = company.population.person(number)
        people.append(
            {
                "person_id": number,
                "email": person.email,
                "locale": person.locale,
                "country_code": person.country_code,
                "time_zone": person.time_zone,
                "joined_at": write_moment(person.joined_at),
                "interval_days": float(traits["interval_days"][number]),
                "is_active": bool(state["is_active"][number]),
                "orders_count": int(state["orders_count"][number]),
                "first_order_at": _moment(int(state["first_order_at"][number])),
                "last_order_at": _moment(int(state["last_order_at"][number])),
                "visits_count": int(state["visits_count"][number]),
                "open_rate": person.open_rate,
                "click_rate": person.click_rate,
                "persuadability": person.persuadability,
                "has_mailbox": person.has_mailbox,
            }
        )
    return people


def list_orders(company: Company) -> list[dict[str, Any]]:
    """All orders with what became of them by now, and why they came about."""
    shop, now = company.shop, company.seconds
    numbers = shop.updated_orders(now)[0]
    carts = shop.carts
    return [
        {
            "id": f"gid://shopify/Order/{ORDER_BASE + number}",
            "person_id": order["person"],
            "ordered_at": _moment(order["at"]),
            "total_cents": order["total_cents"],
            "refunded_cents": order["refund_cents"] if order["refunded_at"] <= now else 0,
            "is_cancelled": order["cancelled_at"] <= now,
            "fulfilled_at": _moment(order["fulfilled_at"]) if order["fulfilled_at"] <= now else None,
            "delivered_at": _tell_delivery(order, now),
            "is_test": bool(carts["is_test"][order["cart"]]),
            "checkout_id": _checkout_gid(order["cart"]) if carts["is_checkout"][order["cart"]] else None,
            "cause": shop.causes.get(number),
        }
        for number, order in zip(numbers.tolist(), shop.orders.take(numbers), strict=True)
    ]


def _tell_delivery(order: dict[str, Any], now: int) -> str | None:
    """When the last parcel arrived, if all have by now."""
    last = max(order["arrived_at"], order["second_arrived_at"])
    return _moment(last) if last <= now else None


def list_order_lines(company: Company) -> list[dict[str, Any]]:
    """All lines of all orders: what was bought, and what the buyer was charged for it."""
    shop = company.shop
    lines = []
    numbers = shop.updated_orders(company.seconds)[0]
    for number, cart in zip(numbers.tolist(), shop.carts.take(shop.orders["cart"][numbers]), strict=True):
        full_price = cart["total_cents"] + cart["discount_cents"]
        for place in (1, 2, 3):
            product, quantity = PRODUCTS[cart[f"product_{place}"]], cart[f"quantity_{place}"]
            if quantity:
                line = {
                    "id": write_line_id("LineItem", int(shop.orders["cart"][number]), place),
                    "order_id": f"gid://shopify/Order/{ORDER_BASE + number}",
                    "sku": product.sku,
                    "quantity": quantity,
                    "list_cents": product.price_cents * quantity,
                    "charged_cents": product.price_cents * quantity * cart["total_cents"] // full_price,
                }
                lines.append(line)
    return lines


def list_carts(company: Company) -> list[dict[str, Any]]:
    """All abandoned checkouts with the moment of their completion, if they were completed by now."""
    shop, now = company.shop, company.seconds
    numbers: Array = shop.updated_checkouts(now)[0]
    return [
        {
            "id": _checkout_gid(number),
            "person_id": cart["person"],
            "abandoned_at": _moment(cart["at"]),
            "completed_at": _moment(cart["completed_at"]) if cart["completed_at"] <= now else None,
            "total_cents": cart["total_cents"],
        }
        for number, cart in zip(numbers.tolist(), shop.carts.take(numbers), strict=True)
    ]


def list_returns(company: Company) -> list[dict[str, Any]]:
    """The lines of orders of which something was paid back by now, or is to come back."""
    shop, now = company.shop, company.seconds
    numbers = np.flatnonzero(np.minimum(shop.orders["refunded_at"], shop.orders["return_asked_at"]) <= now)
    rows = zip(numbers.tolist(), shop.orders.take(numbers), strict=True)
    return [
        {
            "line_id": write_line_id("LineItem", order["cart"], line.place),
            "order_id": f"gid://shopify/Order/{ORDER_BASE + number}",
            "quantity": line.quantity,
            "is_refunded": order["refunded_at"] <= now,
            "refunded_cents": line.cents if order["refunded_at"] <= now else 0,
            "reason": choose_reason(number, line.place)[0] if order["return_asked_at"] <= now else None,
        }
        for number, order in rows
        for line in split_refund(shop.carts.take(np.array([order["cart"]]))[0], order["refund_cents"])
    ]


def list_stock(company: Company) -> list[dict[str, Any]]:
    """How many of each variant there are in each place."""
    return [
        {"variant_id": f"gid://shopify/ProductVariant/{product.variant_id}", "location": place.name, "available": count}
        for place in LOCATIONS
        for product, count in zip(
            SHELF,
            count_stock(company.shop, place, company.seed, company.config.people, company.now).available.tolist(),
            strict=True,
        )
    ]


def list_contacts(company: Company) -> list[dict[str, Any]]:
    """All CRM records, with their person."""
    return [
        {
            "id": str(contact.contact_id),
            "person_id": contact.person,
            "email": contact.properties["email"],
            "archived": bool(contact.archived_ms),
            "is_duplicate": contact.is_twin,
        }
        for contact in company.crm.contacts
        if contact.created_ms <= company.seconds * 1000
    ]


def list_customers(company: Company) -> list[dict[str, Any]]:
    """All shop records, with their person."""
    people = company.shop.customers["person"]
    return [
        {"id": customer_gid(number), "person_id": int(people[number])}
        for number in _visible_customers(company).tolist()
    ]


def list_ads(company: Company) -> list[dict[str, Any]]:
    """What each ad has done by now over all its days, as the platform tells it today."""
    today = company.now.astimezone(META.zone).date()
    first_day = company.config.start.date() - timedelta(days=PAST_DAYS)
    ads = make_ads(company.seed, first_day)
    sums = {ad.ad_id: Counter(days=0) for ad in ads}
    for one in list_ad_days(company.seed, ads, first_day, today, company.now):
        sums[one.ad.ad_id].update(
            days=1, impressions=one.impressions, clicks=one.clicks, spend_cents=one.spend_cents, purchases=one.purchases
        )
    return [{"ad_id": ad_id, **total} for ad_id, total in sums.items()]


def _visible_customers(company: Company) -> Array:
    return company.shop.updated_customers(company.seconds)[0]


def _checkout_gid(number: int) -> str:
    return f"gid://shopify/AbandonedCheckout/{CHECKOUT_BASE + number}"
