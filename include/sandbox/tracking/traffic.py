"""What happens on the company's site and in its app within an hour: whose carts, whose orders, which strangers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.clock import SLICE_SECONDS, write_seconds
from sandbox.company import Company
from sandbox.company.columns import Array
from sandbox.company.products import CURRENCY
from sandbox.shopify.customers import spell_email
from sandbox.tracking.visits import Call, Visit, name, visit_of_stranger, visit_with_cart

STRANGERS_PER_PERSON = 0.02
"""Visits a day of people who say no name, for each person whom the company knows."""
MOST_PER_HOUR = 120
"""Carts, orders and strangers that are told of, of each: a large company's night takes no longer for them."""


@dataclass
class Told:
    """The calls of an hour, by who tells them."""

    by_pages: list[Call] = field(default_factory=list)
    by_server: list[Call] = field(default_factory=list)


def user_id(person: int) -> str:
    """The app's own id of a user."""
    return f"u{person:07d}"


def draw_hour(company: Company, start: int, stop: int) -> Told:
    """Tells what happened after one moment up to another, and what was ordered in the hour before it."""
    told = Told()
    carts, shop = company.shop.carts, company.shop
    for cart in _find(carts["at"], start, stop):
        person, at = int(carts["person"][cart]), int(carts["at"][cart])
        product, is_checkout = int(carts["product_1"][cart]), bool(carts["is_checkout"][cart])
        visit = visit_with_cart(company.seed, cart, person, at, product, is_checkout)
        _log_in(company, told, visit, cart, person)
        told.by_pages += visit.calls
    # What is ordered in this piece happens after it was asked for.
    for order in _find(shop.orders["at"], start - SLICE_SECONDS, start):
        _tell_order(company, told, order)
    _visit_as_strangers(company, told, start, stop)
    return told


def _find(moments: Array, start: int, stop: int) -> list[int]:
    found: list[int] = np.flatnonzero((moments > start) & (moments <= stop))[:MOST_PER_HOUR].tolist()
    return found


def _log_in(company: Company, told: Told, visit: Visit, cart: int, person: int) -> None:
    """Who has an account and an address in the shop logs in: the server tells who that is, the page the user's id."""
    email = _read_address(company, person)
    if email is None:
        return
    visit.tell("identify", 1, userId=user_id(person))
    told.by_server.append(
        {
            "type": "identify",
            "messageId": name(company.seed, "login", cart),
            "userId": user_id(person),
            "timestamp": write_seconds(visit.at + 1),
            "traits": {"email": email},
        }
    )


def _tell_order(company: Company, told: Told, order: int) -> None:
    orders = company.shop.orders
    person = int(orders["person"][order])
    if _read_address(company, person) is None:
        return
    told.by_server.append(
        {
            "type": "track",
            "messageId": name(company.seed, "order", order),
            "event": "Order Completed",
            "userId": user_id(person),
            "timestamp": write_seconds(int(orders["at"][order])),
            "properties": {"total": int(orders["total_cents"][order]) / 100, "currency": CURRENCY},
        }
    )


def _visit_as_strangers(company: Company, told: Told, start: int, stop: int) -> None:
    hour, people = start // SLICE_SECONDS, len(company.population)
    expected = min(people * STRANGERS_PER_PERSON / 24, MOST_PER_HOUR)
    count = int(np.random.default_rng([company.seed, 44, hour]).poisson(expected))
    for number in range(count):
        visit = visit_of_stranger(company.seed, hour, number, max(people // 2, 1))
        if start < visit.at <= stop:
            told.by_pages += visit.calls


def _read_address(company: Company, person: int) -> str | None:
    """As the shop has it: the app knows nobody better."""
    return spell_email(company, person) if int(company.shop.state["customer"][person]) >= 0 else None
