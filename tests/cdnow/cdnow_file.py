"""A second, plain reading of the CDNOW file, which knows nothing of dbt."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import lifetimes

FILE = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"


@dataclass(frozen=True)
class Purchase:
    customer: str
    day: date
    amount: Decimal


def read_purchases() -> list[Purchase]:
    """Columns: master id, customer id, date, discs, amount; separated by blanks."""
    purchases = []
    for line in FILE.read_text().splitlines():
        _, customer, day, _, amount = line.split()
        purchases.append(Purchase(customer, date(int(day[:4]), int(day[4:6]), int(day[6:])), Decimal(amount)))
    return purchases


def sum_days(purchases: list[Purchase], until: date) -> dict[str, dict[date, Decimal]]:
    """What each customer spent on each day of purchase, up to and with a day."""
    days: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for purchase in purchases:
        if purchase.day <= until:
            days[purchase.customer][purchase.day] += purchase.amount
    return days
