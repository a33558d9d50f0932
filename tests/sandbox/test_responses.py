"""How people respond: always alike, and by the probabilities that the truth tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sandbox.company import Person
from sandbox.responses import APPEALS, Circumstances, react, true_uplift

READER = Person(
    person_id=1,
    first_name="Ann",
    last_name="Reader",
    email="ann@example.com",
    locale="en",
    country_code="GB",
    time_zone="Europe/London",
    birthday=None,
    joined_at=datetime(2025, 1, 1, tzinfo=UTC),
    open_rate=0.4,
    click_rate=0.2,
    persuadability=0.5,
    has_mailbox=True,
)
CART = Circumstances("cart_abandonment", "reminder", date(2026, 3, 2), None, True)
PEOPLE = [replace(READER, person_id=number) for number in range(20_000)]


def count(circumstances, people=PEOPLE):
    return Counter(
        kind for person in people for kind in {reaction.kind for reaction in react(person, 1, circumstances)}
    )


def test_the_same_person_campaign_step_and_day_answer_alike():
    assert react(READER, 1, CART) == react(READER, 1, CART)
    others = [
        (replace(READER, person_id=2), 1, CART),
        (READER, 2, CART),
        (READER, 1, replace(CART, campaign="loyalty")),
        (READER, 1, replace(CART, step="offer")),
        (READER, 1, replace(CART, day=date(2026, 3, 3))),
    ]
    assert all(react(*other) != react(READER, 1, CART) for other in others)


@pytest.mark.parametrize("campaign", ["cart_abandonment", "reactivation", "loyalty", "another"])
def test_orders_come_as_often_as_the_truth_says(campaign):
    circumstances = replace(CART, campaign=campaign)
    counts = count(circumstances)
    expected = true_uplift(READER, circumstances) * counts["delivered"]
    assert abs(counts["order"] - expected) <= 4 * max(1.0, expected) ** 0.5


def test_campaigns_differ_as_declared():
    uplifts = {campaign: true_uplift(READER, replace(CART, campaign=campaign)) for campaign in APPEALS}
    assert uplifts["cart_abandonment"] > uplifts["reactivation"] > uplifts["loyalty"] == 0


def test_the_tired_the_gone_and_the_unpersuadable_order_less():
    rested = true_uplift(READER, CART)
    assert true_uplift(READER, replace(CART, days_since_last_mail=1)) < rested
    assert true_uplift(READER, replace(CART, days_since_last_mail=10)) == rested
    assert true_uplift(READER, replace(CART, is_reader_active=False)) < rested
    assert true_uplift(replace(READER, persuadability=0), CART) == 0


def test_happenings_come_in_a_likely_order_within_about_a_day():
    for person in PEOPLE[:3000]:
        reactions = react(person, 1, CART)
        kinds = [reaction.kind for reaction in reactions]
        assert [reaction.after for reaction in reactions] == sorted(reaction.after for reaction in reactions)
        assert reactions[-1].after < 26 * 3600
        if "order" in kinds:
            assert kinds.index("delivered") < kinds.index("open") < kinds.index("click") < kinds.index("order")


def test_shares_are_plausible():
    counts = count(CART)
    assert counts["delivered"] + counts["blocked"] == len(PEOPLE)
    assert 0.5 < counts["open"] / len(PEOPLE) < 0.65
    assert counts["click"] < counts["open"]
    assert 0 < counts["one_click"] + counts["unsubscribe"] + counts["preference_page"] < 0.01 * len(PEOPLE)
    assert counts["one_click"] > counts["preference_page"]


def test_nobody_at_home():
    for person in (None, replace(READER, has_mailbox=False)):
        assert [reaction.kind for reaction in react(person, 1, CART)] == ["bounce"]
