"""When a human is asked about a campaign's size."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.delivery.conftest import Company

from safar.delivery.audience import AudienceSize, weigh_audience
from safar.delivery.pending import PendingRun
from safar.delivery.rules import AudienceLimit

LIMIT = AudienceLimit(people=1000, growth=Decimal("0.5"))


def weigh(company: Company, count: int) -> AudienceSize:
    return weigh_audience(company.connection, "reactivation", [PendingRun("now", 99, count)], LIMIT)


def remember(company: Company, *counts: int, decision: str = "not_needed") -> None:
    for count in counts:
        run_id = company.add_run(f"night/{len(company.sequences)}")
        company.connection.execute(
            "insert into ledger.approval (run_id, campaign, candidate_count, limit_count, decision) "
            "values (%s, 'reactivation', %s, 1000, %s)",
            [run_id, count, decision],
        )


@pytest.mark.parametrize(("count", "asks"), [(1000, False), (1001, True)])
def test_a_new_campaign_is_asked_about_above_its_limit(company: Company, count: int, asks: bool) -> None:
    remember(company, *[10] * 6)
    assert weigh(company, count).needs_approval is asks


@pytest.mark.parametrize(
    ("usual", "count", "asks"), [(400, 600, False), (400, 601, True), (20, 120, False), (20, 121, True)]
)
def test_after_seven_runs_growth_counts_but_never_a_hundred_people(
    company: Company, usual: int, count: int, asks: bool
) -> None:
    remember(company, *[usual] * 7)
    assert weigh(company, count).needs_approval is asks


def test_the_limit_still_counts_when_the_usual_is_larger(company: Company) -> None:
    remember(company, *[900] * 7)
    assert weigh(company, 1001).needs_approval


def test_rejected_runs_are_not_usual(company: Company) -> None:
    remember(company, *[10] * 6)
    remember(company, 50_000, decision="rejected")
    assert weigh(company, 900).median_count is None


def test_far_fewer_than_usual_only_alerts(company: Company) -> None:
    remember(company, *[400] * 7)
    size = weigh(company, 199)
    assert not size.needs_approval
    assert size.is_low
    assert "Far fewer than usual" in size.describe()
