"""Parcels: in how many an order leaves, and when each arrives. Draws nothing: the order's number says it all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.population import NEVER

SHORTEST, LONGEST = 18 * 3600, 5 * DAY_SECONDS
"""How long a parcel is on its way."""
SPLIT_EVERY = 6
"""Of the orders with two lines or more, one in so many leaves in two parcels."""
LOST_EVERY = 70
"""One parcel in so many never arrives."""


def mix(numbers: Array) -> Array:
    """Scatters numbers evenly over 32 bits, the same way on every machine."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(2_654_435_761) & np.uint64(0xFFFF_FFFF)
    mixed ^= mixed >> np.uint64(15)
    mixed = mixed * np.uint64(2_246_822_519) & np.uint64(0xFFFF_FFFF)
    mixed ^= mixed >> np.uint64(13)
    return mixed.astype(np.int64)


@dataclass(frozen=True)
class Parcels:
    """Per order in how many it leaves and when they arrive: NEVER when one is lost."""

    is_split: Array
    arrived_at: Array
    second_arrived_at: Array
    """That of the first where there is no second one."""


def plan_parcels(numbers: Array, fulfilled_at: Array, lines: Array) -> Parcels:
    """Plans the parcels of orders, by their numbers and how many lines each has."""
    first = _arrive(2 * numbers, fulfilled_at)
    is_split = (lines > 1) & (mix(7 * numbers + 3) % SPLIT_EVERY == 0)
    return Parcels(is_split, first, np.where(is_split, _arrive(2 * numbers + 1, fulfilled_at), first))


def _arrive(parcels: Array, fulfilled_at: Array) -> Array:
    draws = mix(parcels)
    is_lost = (draws % LOST_EVERY == 0) | (fulfilled_at == NEVER)
    on_the_way = SHORTEST + draws // LOST_EVERY % (LONGEST - SHORTEST)
    return np.where(is_lost, NEVER, np.where(is_lost, 0, fulfilled_at) + on_the_way)
