"""Each threshold of the lifecycle stands in one place, and moving it moves somebody."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_company import Company, Order

AS_OF = datetime(2026, 1, 11, 23, tzinfo=UTC)
STAGES = [
    "fct_orders",
    "int_customer_stages",
    "int_acquisition_stages",
    "int_subscriber_stages",
    "fct_lifecycle_stages",
]


def buy(person: int, *days_ago: float, amount: int = 10) -> list[Order]:
    return [
        Order(1000 * person + index, person, AS_OF - timedelta(days=days), amount)
        for index, days in enumerate(days_ago)
    ]


@pytest.fixture(scope="module")
def company(warehouse: Any) -> Any:
    """People who stand just on one side of a threshold."""
    orders = [
        *buy(1, 80),  # one purchase: held against the company's interval
        *buy(2, 130, 110, 90, 60),  # loyal, at risk from their own interval
        *buy(3, 20, 18, 17, 16),  # a hurry: held against the shortest interval
        *buy(4, 40, 20, 4),  # three purchases, in rhythm
        *buy(5, 30, amount=0),  # a free sample
    ]
    Company(orders).land_in(warehouse)
    warehouse.land(
        "raw_hubspot.subscription_statuses",
        [
            {
                "subscriber_id_string": "person001@example.com",
                "subscription_id": 441,
                "channel": "EMAIL",
                "status": "SUBSCRIBED",
                "timestamp": AS_OF - timedelta(days=80),
            }
        ],
    )
    return warehouse


def tell_stages(company: Any, models: list[str], **variables: Any) -> set[tuple[str, str, str]]:
    company.build(models, AS_OF, with_tests=False, variables=variables)
    rows = company.query(
        """
        select contacts.shopify_customer_id as person, stages.axis, stages.stage
        from nightly_marts.fct_lifecycle_stages as stages
        join nightly_marts.dim_contacts as contacts using (contact_id)
        where stages.is_current
        """
    )
    return {(row["person"], row["axis"], row["stage"]) for row in rows}


@pytest.fixture(scope="module")
def usual(company: Any) -> set[tuple[str, str, str]]:
    return tell_stages(company, ["+fct_lifecycle_stages", "+dim_contacts"])


@pytest.mark.parametrize(
    ("threshold", "value", "becomes"),
    [
        ("expected_interval_days", 50, ("s-person001", "customer", "at_risk")),
        ("own_interval_purchases", 5, ("s-person002", "customer", "loyal")),
        ("shortest_interval_days", 20, ("s-person003", "customer", "loyal")),
        ("at_risk_after", 1.2, ("s-person001", "customer", "at_risk")),
        ("lapsed_after", 2, ("s-person002", "customer", "lapsed")),
        ("loyal_purchases", 3, ("s-person004", "customer", "loyal")),
        ("subscriber_inactive_after_days", 79, ("s-person001", "subscriber", "inactive")),
        ("count_free_orders", True, ("s-person005", "customer", "first_purchase")),
    ],
)
def test_moving_a_threshold_moves_somebody(
    company: Any, usual: set[tuple[str, str, str]], threshold: str, value: Any, becomes: tuple[str, str, str]
) -> None:
    assert becomes not in usual
    assert becomes in tell_stages(company, STAGES, **{threshold: value})


def test_the_company_moves_and_so_does_its_midnight(company: Any) -> None:
    days = []
    for time_zone in ("Europe/Berlin", "Pacific/Honolulu"):
        company.build(["fct_orders"], AS_OF, with_tests=False, variables={"time_zone": time_zone})
        days.append(company.query("select order_id, order_date from nightly_marts.fct_orders order by order_id"))
    berlin, honolulu = days
    assert [row["order_date"] - timedelta(days=1) for row in berlin] == [row["order_date"] for row in honolulu]
