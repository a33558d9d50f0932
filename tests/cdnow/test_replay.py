"""The published figures of CDNOW, by the same road as every other night."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cdnow_file import Purchase, read_purchases, sum_days

NIGHTS = (date(1997, 3, 31), date(1997, 9, 30), date(1998, 6, 30))
CALIBRATION_END = date(1997, 9, 30)
LAST_NIGHT = date(1998, 6, 30)

# Distinct buyers per calendar month since the first purchase: size of the cohort, then month 1, 2, ...
COHORTS = {
    date(1997, 1, 1): (781, "124 95 70 65 77 65 53 52 45 62 59 45 47 63 37 37 33"),
    date(1997, 2, 1): (857, "134 110 75 77 75 61 61 74 70 59 57 59 70 56 59 60"),
    date(1997, 3, 1): (719, "87 84 78 63 64 55 57 73 65 47 51 78 32 38 45"),
}

SNAPSHOTS = {
    "orders": "select * from nightly_marts.fct_orders",
    "contacts": "select * from nightly_marts.dim_contacts",
    "summaries": """
        select summaries.*, contacts.shopify_customer_id as customer
        from nightly_marts.fct_purchase_summaries as summaries
        join nightly_marts.dim_contacts as contacts using (contact_id)
    """,
    "rfm": """
        select rfm.*, contacts.shopify_customer_id as customer
        from nightly_marts.fct_rfm as rfm
        join nightly_marts.dim_contacts as contacts using (contact_id)
    """,
    "cohorts": "select * from nightly_marts.fct_cohort_retention",
    "stages": """
        select contacts.shopify_customer_id as customer, days.stage
        from nightly_marts.dim_lifecycle_stage_days as days
        join nightly_marts.dim_contacts as contacts using (contact_id)
        where axis = 'customer' and stage_date = '{night}'
    """,
}


@dataclass(frozen=True)
class Night:
    """What the marts said after one night."""

    date: date
    tables: dict[str, list[dict[str, Any]]]

    def by_customer(self, table: str) -> dict[str, dict[str, Any]]:
        return {row["customer"]: row for row in self.tables[table]}


@pytest.fixture(scope="module")
def purchases() -> list[Purchase]:
    return read_purchases()


@pytest.fixture(scope="module")
def nights(replay: Any) -> dict[date, Night]:
    """Plays the nights in their order and keeps what each said."""
    played = {}
    for night in NIGHTS:
        replay.play(night, with_tests=night == LAST_NIGHT)
        tables = {name: replay.query(query.format(night=night)) for name, query in SNAPSHOTS.items()}
        played[night] = Night(night, tables)
    return played


@pytest.fixture(scope="module")
def stages_in_hindsight(nights: dict[date, Night], replay: Any) -> Callable[[date], dict[str, str]]:
    """The stages of an earlier night as the last one tells them."""

    def tell(night: date) -> dict[str, str]:
        rows = replay.query(SNAPSHOTS["stages"].format(night=night))
        return {row["customer"]: row["stage"] for row in rows}

    return tell


# Written without a look at the project's SQL: who has been silent for more than one and a half, and not yet for
# three, of their usual intervals. That is the mean of their own, at least a week, from three days of purchase on,
# and sixty days before. Multiplied out, so that nothing is rounded.
SILENT_BUYERS = """
with days as (
    select distinct customer_number as customer, purchased_at::date as day
    from raw_cdnow.purchases
    where _dlt_valid_to is null and purchased_at::date <= %(night)s
),

customers as (
    select customer, count(*) - 1 as intervals, max(day) - min(day) as span, %(night)s::date + 1 - max(day) as silence
    from days
    group by customer
),

rhythms as (
    select
        customer,
        silence,
        case when intervals < 2 then 60 when span < 7 * intervals then 7 else span end as usual_days,
        case when intervals < 2 or span < 7 * intervals then 1 else intervals end as usual_divisor
    from customers
)

select customer
from rhythms
where 2 * silence * usual_divisor > 3 * usual_days and silence * usual_divisor <= 3 * usual_days
"""


def months_since(first: date, later: date) -> int:
    return 12 * (later.year - first.year) + later.month - first.month


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_orders_and_customers_are_those_of_the_file(
    nights: dict[date, Night], purchases: list[Purchase], night: date
) -> None:
    visible = [purchase for purchase in purchases if purchase.day <= night]
    orders = nights[night].tables["orders"]
    assert len(orders) == len(visible)
    assert sum(row["net_amount"] for row in orders) == sum(purchase.amount for purchase in visible)
    assert len(nights[night].tables["contacts"]) == len({purchase.customer for purchase in visible})


def test_in_the_end_there_are_2357_customers_and_6919_transactions(nights: dict[date, Night]) -> None:
    last = nights[LAST_NIGHT].tables
    assert (len(last["contacts"]), len(last["orders"])) == (2357, 6919)
    assert sum(row["purchase_days_count"] for row in last["summaries"]) == 6696


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_rfm_inputs_equal_a_plain_reading_person_by_person(
    nights: dict[date, Night], purchases: list[Purchase], night: date
) -> None:
    expected = {
        customer: (
            len(days) - 1,
            round(Decimal((max(days) - min(days)).days) / 7, 10),
            round(Decimal((night - min(days)).days) / 7, 10),
            sum(days.values()),
        )
        for customer, days in sum_days(purchases, night).items()
    }
    told = {
        customer: (row["repeat_purchases_count"], row["recency_weeks"], row["age_weeks"], row["net_amount"])
        for customer, row in nights[night].by_customer("summaries").items()
    }
    assert told == expected
    recency = {customer: row["recency_days"] for customer, row in nights[night].by_customer("rfm").items()}
    assert recency == {customer: (night - max(days)).days for customer, days in sum_days(purchases, night).items()}


def test_the_published_calibration_figures(nights: dict[date, Night]) -> None:
    rows = nights[CALIBRATION_END].tables["summaries"]
    repeats = [row["repeat_purchases_count"] for row in rows]
    assert sum(repeats) == 2457
    assert (sum(x > 0 for x in repeats), sum(x == 0 for x in repeats)) == (946, 1411)
    assert round(mean(map(float, repeats)), 6) == 1.042427
    assert round(mean(float(row["recency_weeks"]) for row in rows), 6) == 6.845809
    assert round(mean(float(row["age_weeks"]) for row in rows), 6) == 32.715862
    spent = [float(row["mean_repeat_amount"]) for row in rows if row["repeat_purchases_count"]]
    assert round(mean(spent), 4) == 35.0778


def test_the_published_holdout_purchases(nights: dict[date, Night]) -> None:
    later = sum(row["repeat_purchases_count"] for row in nights[LAST_NIGHT].tables["summaries"])
    assert later - 2457 == 1882


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_cohorts_are_the_published_ones_and_unknown_where_they_cannot_be_observed(
    nights: dict[date, Night], night: date
) -> None:
    told = {(row["cohort_month"], row["months_since_first"]): row for row in nights[night].tables["cohorts"]}
    horizon = months_since(date(1997, 1, 1), night)
    assert {months for _, months in told} == set(range(horizon + 1))
    for cohort, (size, published) in COHORTS.items():
        buyers = [size, *map(int, published.split())]
        observable = months_since(cohort, night)
        for months in range(horizon + 1):
            row = told[cohort, months]
            assert row["contacts_count"] == size
            assert row["buyers_count"] == (buyers[months] if months <= observable else None), (cohort, months)


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_later_nights_do_not_change_what_was_true_on_an_earlier_one(
    nights: dict[date, Night], stages_in_hindsight: Callable[[date], dict[str, str]], night: date
) -> None:
    then = {row["customer"]: row["stage"] for row in nights[night].tables["stages"]}
    assert len(then) == len(nights[night].tables["contacts"])
    assert stages_in_hindsight(night) == then


def test_reactivation_would_write_to_exactly_those_whom_a_plain_query_finds(
    nights: dict[date, Night], replay: Any
) -> None:
    silent = [row["customer"] for row in replay.query(SILENT_BUYERS, {"night": LAST_NIGHT})]
    audience = [
        row["shopify_customer_id"]
        for row in replay.query(
            """
            select contacts.shopify_customer_id
            from nightly_audiences.audience_reactivation as audience
            join nightly_marts.dim_contacts as contacts using (contact_id)
            """
        )
    ]
    assert len(silent) > 50
    assert sorted(audience) == sorted(silent)
