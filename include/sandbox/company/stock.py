"""What the shop has to sell, where it lies and how much of it: filled up on the first of each month, less what was
ordered online since.

Draws nothing: seed, calendar and orders say it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from sandbox.clock import DAY_SECONDS, to_seconds
from sandbox.company.columns import Array
from sandbox.company.products import DEMAND, PRODUCTS, SHELF
from sandbox.company.shop import Shop

UNITS_PER_PERSON = 0.37
"""What the shop sells in a month."""
OPENED_DAYS = 800
"""How long before the simulation's start the shop opened."""
LEAST_MONTHS, MORE_MONTHS = 0.7, 1.5
"""For how long the stock of a month lasts, at least, and what some products have beyond that."""


@dataclass(frozen=True)
class Location:
    location_id: int
    name: str
    serves_online: bool


WAREHOUSE = Location(61_000_000_001, "Warehouse Leipzig", serves_online=True)
COUNTER = Location(61_000_000_002, "Counter Berlin", serves_online=False)
LOCATIONS = (WAREHOUSE, COUNTER)


@dataclass(frozen=True)
class Stock:
    """Per product how many there are and when that was last changed, in seconds."""

    available: Array
    updated: Array


def find_month(moment: datetime) -> int:
    """When the month of a moment began, in seconds."""
    return to_seconds(datetime(moment.year, moment.month, 1, tzinfo=UTC))


def fill_shelves(seed: int, people: int) -> Array:
    """How many of each product the warehouse has on the first of a month."""
    shares = np.diff(DEMAND, prepend=0.0)
    spread = (np.arange(len(PRODUCTS)) * 7919 + seed * 104_729) % 101 / 100
    units: Array = np.ceil(shares * people * UNITS_PER_PERSON * (LEAST_MONTHS + MORE_MONTHS * spread))
    return units.astype(np.int64)


def count_stock(shop: Shop, location: Location, seed: int, people: int, now: datetime) -> Stock:
    """What a place has at a moment. More can be ordered than there is: the rest is sent when it comes."""
    month = find_month(now)
    full = np.zeros(len(SHELF), dtype=np.int64)
    full[: len(PRODUCTS)] = fill_shelves(seed, people)
    updated = np.full(len(full), month, dtype=np.int64)
    if not location.serves_online:
        return Stock(np.where(full > 0, 5 + np.arange(len(full)) % 20, 0), updated)
    sold = np.zeros(len(full), dtype=np.int64)
    orders, seconds = shop.orders, to_seconds(now)
    numbers = np.flatnonzero((orders["at"] >= month) & (orders["at"] <= seconds))
    is_cancelled = orders["cancelled_at"][numbers] <= seconds
    touched = np.where(is_cancelled, orders["cancelled_at"][numbers], orders["at"][numbers])
    carts = orders["cart"][numbers]
    for place in (1, 2, 3):
        products, quantities = shop.carts[f"product_{place}"][carts], shop.carts[f"quantity_{place}"][carts]
        np.add.at(sold, products, np.where(is_cancelled, 0, quantities))
        is_bought = quantities > 0
        np.maximum.at(updated, products[is_bought], touched[is_bought])
    return Stock(np.maximum(full - sold, 0), updated)


def find_praised(now: datetime, back: int = 0) -> int:
    """Which product of the shelf is that of the month, or was it some months ago."""
    return (now.year * 12 + now.month - back) % len(SHELF)


def list_product_moments(start: datetime, now: datetime) -> tuple[Array, Array]:
    """When each product of the shelf was created, and when it was last changed by now, in seconds."""
    numbers = np.arange(len(SHELF))
    created = to_seconds(start) - OPENED_DAYS * DAY_SECONDS + numbers * 3600
    is_praised = np.isin(numbers, [find_praised(now), find_praised(now, back=1)])
    return created, np.where(is_praised, find_month(now), created)


def list_location_moments(start: datetime, now: datetime) -> tuple[Array, Array]:
    """The same of the places; nothing about them ever changes."""
    created = list_product_moments(start, now)[0][: len(LOCATIONS)]
    return created, created
