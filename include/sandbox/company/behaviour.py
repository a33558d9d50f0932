"""What people do on a day of their own accord. From the seed and the state at midnight alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.clock import DAY_SECONDS
from sandbox.company.columns import Array
from sandbox.company.places import PLACES
from sandbox.company.population import NEVER, Population
from sandbox.company.products import DEMAND, PRICES
from sandbox.company.shop import NO_ORDER, Shop

DAY_STREAM = 2
MAIL_ORDER_STREAM = 3
FINISH_CHANCE = 0.5
"""Of the carts that are begun, those bought within minutes."""
RECOVERY_CHANCE = 0.14
"""Of the carts that are left, those completed within days without anybody's help."""
OFFSETS = np.array([int(place.utc_offset_hours * 3600) for place in PLACES], dtype=np.int64)


@dataclass(frozen=True)
class DayPlan:
    """Carts begun on a day, and when those that are bought will be bought."""

    carts: Array
    buy_at: Array
    """Per cart: seconds since 1970, or NEVER."""


def plan_day(population: Population, shop: Shop, day: int) -> DayPlan:
    """Draws who begins a cart on a day (number of days since 1970) and what will become of it."""
    random = np.random.default_rng([population.seed, DAY_STREAM, day])
    midnight = day * DAY_SECONDS
    draws = random.random((2, len(population)))
    people = np.flatnonzero(draws[0] < _cart_chances(population, shop, midnight))
    shop.state["visits_count"][draws[1] < 4 * population.traits["browse_chance"]] += 1
    at = _draw_moments(random, population, people, midnight)
    finishes = random.random(len(people)) < FINISH_CHANCE
    recovers = ~finishes & (random.random(len(people)) < RECOVERY_CHANCE)
    minutes = random.integers(120, 1500, len(people))
    hours = np.clip(random.lognormal(np.log(6 * 3600), 1.1, len(people)), 1200, 6 * DAY_SECONDS).astype(np.int64)
    buy_at = np.where(finishes, at + minutes, np.where(recovers, at + hours, NEVER))
    numbers = append_carts(random, shop, people, at, is_checkout=~finishes)
    return DayPlan(numbers, buy_at)


def _cart_chances(population: Population, shop: Shop, midnight: int) -> Array:
    """Chance per person to begin a cart on the day: rising with the time since the last order while active."""
    traits, state = population.traits, shop.state
    last = state["last_order_at"]
    has_ordered = last != NEVER
    since = np.where(has_ordered, midnight - last, 0) / DAY_SECONDS
    scale = traits["interval_days"] / 0.886  # the mean of a Weibull of shape 2
    again = 2 * np.maximum(since, 0.2) / scale**2
    wishes = np.where(has_ordered, again, 1 / traits["first_days"]) * (1.0 / FINISH_CHANCE)
    chances = np.where(state["is_active"], np.minimum(wishes, 0.6), 0.0) + traits["browse_chance"]
    return np.where(traits["shop_at"] <= midnight, chances, 0.0)


def _draw_moments(random: np.random.Generator, population: Population, people: Array, midnight: int) -> Array:
    local = random.normal(15.5 * 3600, 4.2 * 3600, len(people)).astype(np.int64)
    shifted = local - OFFSETS[population.traits["place"][people]]
    return midnight + shifted % DAY_SECONDS


def append_carts(random: np.random.Generator, shop: Shop, people: Array, at: Array, is_checkout: Array) -> Array:
    """Fills carts and draws the fate of the orders they may become."""
    count = len(people)
    products = np.searchsorted(DEMAND, random.random((count, 3)))
    quantities = 1 + np.searchsorted([0.8, 0.95], random.random((count, 3)))
    kinds = 1 + np.searchsorted([0.55, 0.85], random.random(count))
    quantities[kinds < 2, 1] = 0
    quantities[kinds < 3, 2] = 0
    gross = (PRICES[products] * quantities).sum(axis=1)
    draws = random.random((6, count))
    discount = np.where(draws[0] < 0.006, gross, np.where(draws[0] < 0.12, gross // 10, 0))
    total = gross - discount
    cancels, whole, part = draws[1] < 0.02, draws[2] < 0.03, draws[2] > 0.955
    refunds = cancels | ((whole | part) & (total > 0))
    delay = random.integers(2 * DAY_SECONDS, 26 * DAY_SECONDS, count)
    cancel_delay = random.integers(1800, 20 * 3600, count)
    share = np.where(part & ~cancels, (draws[3] * 0.6 + 0.2), 1.0)
    return shop.carts.append(
        person=people,
        at=at,
        is_checkout=is_checkout,
        order=NO_ORDER,
        completed_at=NEVER,
        total_cents=total,
        discount_cents=discount,
        **{f"product_{place + 1}": products[:, place] for place in range(3)},
        **{f"quantity_{place + 1}": quantities[:, place] for place in range(3)},
        cancelled_after=np.where(cancels, cancel_delay, NEVER),
        fulfilled_after=np.where(cancels, NEVER, random.integers(20 * 3600, 70 * 3600, count)),
        refunded_after=np.where(refunds, np.where(cancels, cancel_delay, delay), NEVER),
        refund_cents=np.where(refunds, (total * share).astype(np.int64), 0),
        is_test=draws[4] < 0.003,
        drop_draw=draws[5],
    )


def draw_mail_cart(seed: int, shop: Shop, person: int, at: int) -> int:
    """Fills the cart of somebody who orders because of a mail."""
    random = np.random.default_rng([seed, MAIL_ORDER_STREAM, person, at])
    numbers = append_carts(random, shop, np.array([person]), np.array([at]), is_checkout=np.array([False]))
    return int(numbers[0])
