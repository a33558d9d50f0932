"""The parcels of an order as GraphQL nodes."""

from __future__ import annotations

from typing import Any

from sandbox.clock import DAY_SECONDS, write_seconds
from sandbox.shopify.connection import Node

FULFILLMENT_BASE = 6_000_000_000
TRANSIT_AFTER = 6 * 3600
"""When the carrier first tells of a parcel, after it was handed over."""
PROMISED_DAYS = 4


def make_fulfillments(number: int, order: dict[str, Any], now: int) -> list[Node]:
    """Describes the parcels of an order that have left by a moment."""
    if order["fulfilled_at"] > now:
        return []
    arrivals = [order["arrived_at"], order["second_arrived_at"]] if order["is_split"] else [order["arrived_at"]]
    return [_make_fulfillment(number, place, order, arrived_at, now) for place, arrived_at in enumerate(arrivals, 1)]


def _make_fulfillment(number: int, place: int, order: dict[str, Any], arrived_at: int, now: int) -> Node:
    left_at = order["fulfilled_at"]
    moved_at, has_arrived = left_at + TRANSIT_AFTER, arrived_at <= now
    status = "DELIVERED" if has_arrived else "IN_TRANSIT" if moved_at <= now else "FULFILLED"
    return {
        "id": f"gid://shopify/Fulfillment/{FULFILLMENT_BASE + 10 * number + place}",
        "name": f"#{number + 1001}-F{place}",
        "status": "SUCCESS",
        "displayStatus": status,
        "createdAt": write_seconds(left_at),
        "updatedAt": write_seconds(arrived_at if has_arrived else left_at),
        "inTransitAt": write_seconds(moved_at) if moved_at <= now else None,
        "deliveredAt": write_seconds(arrived_at) if has_arrived else None,
        "estimatedDeliveryAt": write_seconds(left_at + PROMISED_DAYS * DAY_SECONDS),
    }
