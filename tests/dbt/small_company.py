"""A few dozen people with everything that goes wrong: refunds, cancellations, duplicates, midnights, free orders.

Beside the raw rows stands a second reading of the customer axis, which knows nothing of SQL.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    number: int
    person: int
    ordered_at: datetime
    amount: int
    is_test: bool = False
    cancelled_at: datetime | None = None
    refunds: tuple[tuple[datetime, int], ...] = ()

    def counts_at(self, moment: datetime) -> bool:
        """Whether the order is a purchase, as one could know just after ``moment``."""
        if self.is_test or self.amount <= 0 or self.ordered_at > moment:
            return False
        if self.cancelled_at is not None and self.cancelled_at <= moment:
            return False
        return sum(amount for at, amount in self.refunds if at <= moment) < self.amount


@dataclass
class Company:
    orders: list[Order] = field(default_factory=list)
    name: Callable[[int], str] = "person{:03}".format

    def land_in(self, warehouse: Any, order_of_rows: random.Random | None = None) -> None:
        """Writes the company as the CRM and the shop would tell it, in their order or in any other."""
        people = sorted({order.person for order in self.orders})
        contacts = [self._contact(person) for person in people if person % 3]
        customers = [self._customer(person) for person in people]
        orders = [self._order(order) for order in self.orders]
        for rows in (contacts, customers, orders):
            if order_of_rows is not None:
                order_of_rows.shuffle(rows)
        warehouse.land("raw_hubspot.contacts", contacts)
        warehouse.land("raw_shopify.customers", customers)
        warehouse.land("raw_shopify.orders", orders)

    def _contact(self, person: int) -> dict[str, Any]:
        created_at = START - timedelta(days=person)
        return {
            "id": f"h-{self.name(person)}",
            "properties__email": f" {self.name(person)}@Example.com",
            "properties__lifecyclestage": "lead",
            "properties__country": "US",
            "created_at": created_at,
            "updated_at": created_at,
        }

    def _customer(self, person: int) -> dict[str, Any]:
        return {
            "id": f"s-{self.name(person)}",
            "email": f"{self.name(person)}@example.com" if person % 5 else None,
            "created_at": START,
            "updated_at": START,
        }

    def _order(self, order: Order) -> dict[str, Any]:
        return {
            "id": f"o-{order.number:05}",
            "customer__id": f"s-{self.name(order.person)}",
            "created_at": order.ordered_at,
            "updated_at": order.ordered_at,
            "test": order.is_test,
            "cancelled_at": order.cancelled_at,
            "currency_code": "EUR",
            "total_price_set__shop_money__amount": f"{order.amount}.00",
            "refunds": [
                {
                    "id": f"r-{index}",
                    "createdAt": at.isoformat(),
                    "totalRefundedSet": {"shopMoney": {"amount": f"{amount}.00", "currencyCode": "EUR"}},
                }
                for index, (at, amount) in enumerate(order.refunds)
            ],
        }


def imagine_orders(people: int, seed: int, until: datetime) -> list[Order]:
    """Invents orders: each person has a rhythm, sometimes loses it, and sometimes sends things back."""
    chance = random.Random(seed)
    orders: list[Order] = []
    for person in range(1, people + 1):
        rhythm = chance.choice([2, 10, 30, 60, 120])
        at = START + timedelta(days=chance.randrange(60), seconds=chance.randrange(86_400))
        while at < until:
            orders.append(_imagine_order(chance, len(orders), person, at))
            if chance.random() < 0.15:  # one more in the same second
                orders.append(_imagine_order(chance, len(orders), person, at))
            pause = rhythm * chance.choice([0, 0.5, 1, 1, 1, 1.5, 2, 4, 7])
            at += timedelta(days=pause, seconds=chance.randrange(7200))
    return orders


def _imagine_order(chance: random.Random, number: int, person: int, at: datetime) -> Order:
    amount = chance.choice([0, 10, 20, 50, 100])
    later = at + timedelta(days=chance.randrange(40), seconds=1 + chance.randrange(86_400))
    fate = chance.random()
    if fate < 0.05:
        return Order(number, person, at, amount, is_test=True)
    if fate < 0.12:
        return Order(number, person, at, amount, cancelled_at=later)
    if fate < 0.2:
        return Order(number, person, at, amount, refunds=((later, amount // 2), (later + timedelta(days=3), amount)))
    if fate < 0.25:
        return Order(number, person, at, amount, refunds=((later, amount // 2),))
    return Order(number, person, at, amount)


def tell_stage(orders: Iterable[Order], moment: datetime) -> str | None:
    """The customer stage of the person with these orders just before ``moment``; thresholds are the defaults."""
    before = moment - timedelta(microseconds=1)
    days: dict[date, datetime] = {}
    for order in orders:
        if order.counts_at(before):
            day = order.ordered_at.astimezone(BERLIN).date()
            days[day] = min(days.get(day, order.ordered_at), order.ordered_at)
    purchases = sorted(days.values())
    if not purchases:
        return None
    silence = moment - purchases[-1]
    interval = _usual_interval(purchases)
    if silence > 3 * interval:
        return "lapsed"
    if silence > 1.5 * interval:
        return "at_risk"
    if len(purchases) > 1 and purchases[-1] - purchases[-2] > 3 * _usual_interval(purchases[:-1]):
        return "won_back"
    return "loyal" if len(purchases) >= 4 else "repeat" if len(purchases) > 1 else "first_purchase"


def _usual_interval(purchases: list[datetime]) -> timedelta:
    if len(purchases) < 3:
        return timedelta(days=60)
    return max((purchases[-1] - purchases[0]) / (len(purchases) - 1), timedelta(days=7))
