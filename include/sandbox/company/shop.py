"""Carts and orders: what was put into a cart, what became of it, and what is therefore true at a moment."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sandbox.company.columns import Array, Columns
from sandbox.company.deliveries import plan_parcels
from sandbox.company.population import NEVER
from sandbox.company.returns import plan_returns

CART_LIFE_SECONDS = 14 * 86_400
"""How long a left cart counts as open: a later order is a new cart."""
LISTED_AFTER_SECONDS = 600
"""A checkout is listed as abandoned ten minutes after the last step."""
KEPT_SECONDS = 90 * 86_400
"""The shop forgets abandoned checkouts after three months."""
NO_ORDER = -1
CHANGES_OF_AN_ORDER = tuple(
    f"{what}_at" for what in ("cancelled", "fulfilled", "arrived", "second_arrived", "return_asked", "refunded")
)


def _cart_columns() -> Columns:
    return Columns(
        person=np.int32,
        at=np.int64,
        is_checkout=bool,
        order=np.int32,
        completed_at=np.int64,
        total_cents=np.int32,
        discount_cents=np.int32,
        product_1=np.int16,
        product_2=np.int16,
        product_3=np.int16,
        quantity_1=np.int8,
        quantity_2=np.int8,
        quantity_3=np.int8,
        # What will become of the order that this cart may become; seconds after the order, or NEVER.
        cancelled_after=np.int64,
        fulfilled_after=np.int64,
        refunded_after=np.int64,
        refund_cents=np.int32,
        is_test=bool,
        drop_draw=np.float64,
    )


def _order_columns() -> Columns:
    return Columns(
        cart=np.int32,
        person=np.int32,
        at=np.int64,
        cancelled_at=np.int64,
        fulfilled_at=np.int64,
        refunded_at=np.int64,
        refund_cents=np.int32,
        total_cents=np.int32,
        is_split=bool,
        arrived_at=np.int64,
        second_arrived_at=np.int64,
        return_asked_at=np.int64,
    )


def _state_columns() -> Columns:
    return Columns(
        orders_count=np.int32,
        spent_cents=np.int64,
        first_order_at=np.int64,
        last_order_at=np.int64,
        is_active=bool,
        customer=np.int32,
        visits_count=np.int32,
        consent=np.int8,
        consent_at=np.int64,
    )


def add_delay(moments: Array, delays: Array) -> Array:
    """Adds seconds to moments; NEVER stays NEVER."""
    never = delays == NEVER
    return np.where(never, NEVER, moments + np.where(never, 0, delays))


@dataclass
class Shop:
    """The shop's tables. Rows may lie in the future of the clock; a reader asks for what is visible."""

    carts: Columns = field(default_factory=_cart_columns)
    orders: Columns = field(default_factory=_order_columns)
    state: Columns = field(default_factory=_state_columns)
    """One row per person, in the population's order."""
    customers: Columns = field(default_factory=lambda: Columns(person=np.int32, at=np.int64))
    causes: dict[int, str] = field(default_factory=dict)
    """Why an order came about, where it was not the person's own idea."""
    version: int = 0
    """Grows with each change, so that readers know when their index is stale."""
    _carts_of: dict[int, list[int]] = field(default_factory=dict)

    def add_people(self, numbers: Array, shop_at: Array, consent: Array) -> None:
        """Gives new people a state, and those who have an account a customer record."""
        start = len(self.customers)
        has_account = shop_at != NEVER
        customers = np.full(len(numbers), -1)
        opened = np.flatnonzero(has_account)
        opened = opened[np.argsort(shop_at[opened], kind="stable")]
        customers[opened] = start + np.arange(len(opened))
        self.state.append(
            orders_count=0,
            spent_cents=0,
            first_order_at=NEVER,
            last_order_at=NEVER,
            is_active=np.ones(len(numbers), dtype=bool),
            customer=customers,
            visits_count=0,
            consent=consent,
            consent_at=np.where(has_account, shop_at, NEVER),
        )
        if len(opened):
            self.customers.append(person=numbers[opened], at=shop_at[opened])

    def remember_carts(self, numbers: Array) -> None:
        """Lets ``open_cart`` find these carts."""
        carts = self.carts
        for number in numbers.tolist():
            if carts["is_checkout"][number]:
                self._carts_of.setdefault(int(carts["person"][number]), []).append(number)

    def open_cart(self, person: int, at: int) -> int | None:
        """The newest cart a person has left and not bought at a moment."""
        carts = self.carts
        for number in reversed(self._carts_of.get(person, [])):
            left_at = int(carts["at"][number])
            if left_at <= at - LISTED_AFTER_SECONDS and carts["order"][number] == NO_ORDER:
                return number if left_at > at - CART_LIFE_SECONDS else None
        return None

    def buy(self, numbers: Array, at: Array, drop_chance: Array) -> Array:
        """Turns carts into orders at given moments, in that order; carts already bought are left out.

        ``drop_chance`` is that of each cart's person; returns the new orders' numbers.
        """
        carts = self.carts
        is_open = carts["order"][numbers] == NO_ORDER
        numbers, at, drop_chance = numbers[is_open], at[is_open], drop_chance[is_open]
        if len(numbers) == 0:
            return numbers
        people = carts["person"][numbers]
        fulfilled_at = add_delay(at, carts["fulfilled_after"][numbers])
        lines = 1 + (carts["quantity_2"][numbers] > 0) + (carts["quantity_3"][numbers] > 0)
        new = np.arange(len(numbers)) + len(self.orders)
        parcels = plan_parcels(new, fulfilled_at, lines)
        refunded_at = add_delay(at, carts["refunded_after"][numbers])
        delivered_at = np.maximum(parcels.arrived_at, parcels.second_arrived_at)
        orders = self.orders.append(
            cart=numbers,
            person=people,
            at=at,
            cancelled_at=add_delay(at, carts["cancelled_after"][numbers]),
            fulfilled_at=fulfilled_at,
            refunded_at=refunded_at,
            refund_cents=carts["refund_cents"][numbers],
            total_cents=carts["total_cents"][numbers],
            is_split=parcels.is_split,
            arrived_at=parcels.arrived_at,
            second_arrived_at=parcels.second_arrived_at,
            return_asked_at=plan_returns(carts, new, numbers, delivered_at, refunded_at),
        )
        carts["order"][numbers] = orders
        carts["completed_at"][numbers] = at
        self._note_orders(people, at, carts["total_cents"][numbers])
        drops = carts["drop_draw"][numbers] < drop_chance
        self.state["is_active"][people[drops]] = False
        self.version += 1
        return orders

    def _note_orders(self, people: Array, at: Array, cents: Array) -> None:
        state = self.state
        np.add.at(state["orders_count"], people, 1)
        np.add.at(state["spent_cents"], people, cents)
        np.minimum.at(state["first_order_at"], people, at)
        state["last_order_at"][people] = at
        for person, moment in zip(people.tolist(), at.tolist(), strict=True):
            if state["customer"][person] < 0:
                state["customer"][person] = self.customers.append(person=person, at=moment)[0]

    def updated_orders(self, now: int) -> tuple[Array, Array]:
        """The orders that exist at a moment, and when each was last changed by then."""
        orders = self.orders
        numbers = np.flatnonzero(orders["at"] <= now)
        updated = orders["at"][numbers].copy()
        for name in CHANGES_OF_AN_ORDER:
            moments = orders[name][numbers]
            np.maximum(updated, np.where(moments <= now, moments, 0), out=updated)
        return numbers, updated

    def updated_checkouts(self, now: int) -> tuple[Array, Array]:
        """The abandoned checkouts listed at a moment, and when each was last changed by then."""
        carts = self.carts
        is_listed = (carts["at"] + LISTED_AFTER_SECONDS <= now) & (carts["at"] + KEPT_SECONDS > now)
        numbers = np.flatnonzero(carts["is_checkout"] & is_listed)
        completed = carts["completed_at"][numbers]
        return numbers, np.where(completed <= now, completed, carts["at"][numbers] + LISTED_AFTER_SECONDS)

    def updated_customers(self, now: int) -> tuple[Array, Array]:
        """The customers that exist at a moment, and when each was last changed by then."""
        numbers = np.flatnonzero(self.customers["at"] <= now)
        people = self.customers["person"][numbers]
        updated = self.customers["at"][numbers].copy()
        for name in ("last_order_at", "consent_at"):
            moments = self.state[name][people]
            np.maximum(updated, np.where(moments <= now, moments, 0), out=updated)
        return numbers, updated
