"""What of an order is paid back and what comes back, and why. Draws nothing: cart, amount and number say it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array, Columns
from sandbox.company.deliveries import mix
from sandbox.company.population import NEVER
from sandbox.company.products import PRODUCTS

REASONS = (
    ("unwanted", "Changed my mind"),
    ("size-too-small", "Too small"),
    ("size-too-large", "Too large"),
    ("not-as-described", "Not as described"),
    ("defective", "Defective"),
    ("wrong-item", "Wrong item received"),
    ("other", "Other"),
)
"""Handle and name, as buyers choose among them."""
KEPT_AT_LEAST = DAY_SECONDS
"""Who is paid back sooner after the delivery than this has sent nothing back: it was a favour."""


class RefundLine(NamedTuple):
    place: int
    """The line's place in the cart, from 1."""
    quantity: int
    cents: int


def split_refund(cart: Mapping[str, Any], refund_cents: int) -> list[RefundLine]:
    """Which things a refund pays for: all of them, or as many whole ones as the amount covers, from the first line on.

    What is left of the amount belongs to no line: a favour, or a part of a price.
    """
    full_price, is_whole = cart["total_cents"] + cart["discount_cents"], refund_cents >= cart["total_cents"]
    lines, rest = [], refund_cents
    for place in (1, 2, 3):
        quantity = cart[f"quantity_{place}"]
        if not quantity:
            continue
        charged = PRODUCTS[cart[f"product_{place}"]].price_cents * quantity * cart["total_cents"] // full_price
        count = quantity if is_whole else min(quantity, rest // max(1, charged // quantity))
        cents = charged if count == quantity else charged // quantity * count
        if count:
            lines.append(RefundLine(place, count, cents))
            rest -= cents
    return lines


def plan_returns(carts: Columns, numbers: Array, cart_numbers: Array, delivered_at: Array, refunded_at: Array) -> Array:
    """When the buyers of orders ask to send something back: between delivery and refund, or NEVER."""
    asked_at = np.full(len(numbers), NEVER, dtype=np.int64)
    may = (delivered_at != NEVER) & (refunded_at != NEVER)
    may[may] = refunded_at[may] > delivered_at[may] + KEPT_AT_LEAST
    places = np.flatnonzero(may)
    for place, cart in zip(places.tolist(), carts.take(cart_numbers[places]), strict=True):
        if split_refund(cart, cart["refund_cents"]):
            share = 10 + int(mix(numbers[place : place + 1])[0]) % 60
            kept = int(refunded_at[place] - delivered_at[place])
            asked_at[place] = delivered_at[place] + kept * share // 100
    return asked_at


def choose_reason(order: int, place: int) -> tuple[str, str]:
    """Why a line came back: handle and name."""
    return REASONS[int(mix(np.array([10 * order + place]))[0]) % len(REASONS)]
