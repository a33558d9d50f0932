"""The customer axis against a plain reading of the orders, person by person and day by day."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_company import BERLIN, Company, Order, imagine_orders, tell_stage

# Midnight in Berlin, in winter and in summer.
EARLIER = datetime(2025, 7, 14, 22, tzinfo=UTC)
LATER = datetime(2026, 1, 11, 23, tzinfo=UTC)
MODELS = ("+dim_lifecycle_stage_days", "+fct_rfm", "+dim_contacts")
STAGE_DAYS = """
    select contacts.shopify_customer_id as person, days.stage_date, days.stage
    from nightly_marts.dim_lifecycle_stage_days as days
    join nightly_marts.dim_contacts as contacts using (contact_id)
    where days.axis = 'customer'
"""
FACTS = """
    select
        contacts.shopify_customer_id as person, summaries.orders_count, summaries.purchase_days_count,
        summaries.net_amount, summaries.expected_interval_days
    from nightly_marts.fct_purchase_summaries as summaries
    join nightly_marts.dim_contacts as contacts using (contact_id)
"""
SCORES = """
    select contacts.shopify_customer_id as person, rfm.r_score, rfm.f_score, rfm.m_score, rfm.segment
    from nightly_marts.fct_rfm as rfm
    join nightly_marts.dim_contacts as contacts using (contact_id)
"""

StageDays = dict[tuple[str, date], str]


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return imagine_orders(people=40, seed=7, until=LATER + timedelta(days=30))


def read_days(warehouse: Any) -> StageDays:
    return {(row["person"], row["stage_date"]): row["stage"] for row in warehouse.query(STAGE_DAYS)}


def read_rows(warehouse: Any, statement: str) -> dict[str, dict[str, Any]]:
    return {row.pop("person"): row for row in warehouse.query(statement)}


def build(warehouse: Any, as_of: datetime, *, with_tests: bool = False) -> None:
    warehouse.build(MODELS, as_of, known_at=LATER + timedelta(days=60), with_tests=with_tests)


@pytest.fixture(scope="module")
def landed(warehouse: Any, orders: list[Order]) -> Any:
    Company(orders).land_in(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def earlier_days(landed: Any) -> StageDays:
    """What a night in July said, although its tables hold all that came after."""
    build(landed, EARLIER)
    return read_days(landed)


@pytest.fixture(scope="module")
def later(landed: Any, earlier_days: StageDays) -> dict[str, Any]:
    """What a night half a year later said, with every data test green."""
    build(landed, LATER, with_tests=True)
    return {"days": read_days(landed), "facts": read_rows(landed, FACTS), "scores": read_rows(landed, SCORES)}


def each_day(until: datetime) -> Iterator[date]:
    day = date(2025, 1, 1)
    while day < until.astimezone(BERLIN).date():
        yield day
        day += timedelta(days=1)


def test_stages_equal_a_plain_reading_on_every_day(later: dict[str, Any], orders: list[Order]) -> None:
    expected: StageDays = {}
    for person in {order.person for order in orders}:
        own = [order for order in orders if order.person == person]
        for day in each_day(LATER):
            midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN) + timedelta(days=1)
            stage = tell_stage(own, midnight)
            if stage is not None:
                expected[f"s-person{person:03}", day] = stage
    assert set(expected.values()) == {"first_purchase", "repeat", "loyal", "at_risk", "lapsed", "won_back"}
    assert later["days"] == expected


def test_what_comes_later_does_not_change_an_earlier_night(later: dict[str, Any], earlier_days: StageDays) -> None:
    last_day = max(day for _, day in earlier_days)
    assert last_day == date(2025, 7, 14)
    assert {key: stage for key, stage in later["days"].items() if key[1] <= last_day} == earlier_days


def test_one_more_person_changes_nobody_else(landed: Any, later: dict[str, Any]) -> None:
    stranger = [Order(99_999, 998, LATER - timedelta(days=200), 70), Order(99_998, 998, LATER - timedelta(days=9), 70)]
    Company(stranger).land_in(landed)
    build(landed, LATER)
    days, facts = read_days(landed), read_rows(landed, FACTS)
    assert {key: stage for key, stage in days.items() if key[0] != "s-person998"} == later["days"]
    assert {who: row for who, row in facts.items() if who != "s-person998"} == later["facts"]
    assert "s-person998" in facts


def test_order_of_rows_names_of_people_and_time_zone_of_the_machine_do_not_matter(
    warehouse: Any, orders: list[Order], later: dict[str, Any]
) -> None:
    database = psycopg.conninfo.conninfo_to_dict(warehouse.dsn)["dbname"]
    with psycopg.connect(warehouse.dsn, autocommit=True) as connection:
        connection.execute(f"alter database {database} set timezone = 'Pacific/Apia'")
        try:
            warehouse.empty()
            Company(orders, name="zz{:03}".format).land_in(warehouse, order_of_rows=random.Random(3))
            build(warehouse, LATER)
        finally:
            connection.execute(f"alter database {database} reset timezone")

    def rename(person: str) -> str:
        return person.replace("s-zz", "s-person")

    assert {(rename(who), day): stage for (who, day), stage in read_days(warehouse).items()} == later["days"]
    assert {rename(who): row for who, row in read_rows(warehouse, FACTS).items()} == later["facts"]
    assert {rename(who): row for who, row in read_rows(warehouse, SCORES).items()} == later["scores"]
