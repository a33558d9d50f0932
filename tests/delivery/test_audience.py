"""When a human is asked about a campaign's size."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.delivery.conftest import NOON, RULES, Company, OpenWorkspace

from safar.catalogue import load_catalogue
from safar.delivery.audience import Approval, AudienceSize, judge_answer, weigh_audience
from safar.delivery.pending import PendingRun
from safar.delivery.planning import plan_pending
from safar.delivery.rules import AudienceLimit
from safar.settings import Settings
from safar.workspace import Workspace

CAMPAIGN = load_catalogue(Settings.from_environment()).campaigns["reactivation"]
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


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


def test_the_campaign_has_the_owner_of_its_exposure() -> None:
    assert (CAMPAIGN.owner.name, CAMPAIGN.owner.email) == ("Lifecycle team", "lifecycle@example.com")


@pytest.mark.parametrize(
    "identities",
    [
        ["lifecycle@example.com"],
        ["LifeCycle@Example.COM"],
        ["lifecycle"],
        ["Lifecycle Team"],
        [None, "lifecycle@example.com", "7"],
        ["somebody", "lifecycle@example.com"],
    ],
    ids=str,
)
def test_a_yes_of_the_owner_is_none_by_whatever_name(identities: list[str | None]) -> None:
    approval = judge_answer(CAMPAIGN, True, identities)
    assert approval.decision == "self_approved"
    assert approval.is_refused
    assert "only somebody else may approve it" in approval.describe()


def test_a_yes_of_somebody_else_and_a_no_of_anybody_count() -> None:
    assert judge_answer(CAMPAIGN, True, ["marketer", None, "1"]) == Approval("approved", "marketer")
    assert judge_answer(CAMPAIGN, False, ["lifecycle"]) == Approval("rejected", "lifecycle")


def test_a_yes_of_nobody_known_is_none() -> None:
    assert judge_answer(CAMPAIGN, True, [None, ""]).is_refused


def test_what_the_owner_approved_is_not_sent_and_the_ledger_says_who(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    approval = judge_answer(CAMPAIGN, True, ["lifecycle@example.com"])
    few = AudienceLimit(people=0, growth=Decimal(0))
    assert plan_pending(noon, "reactivation", RULES, few, approval=approval).results == {"not_approved": 1}
    row = company.connection.execute("select decision, decided_by from ledger.approval").fetchone()
    assert row == ("self_approved", "lifecycle@example.com")
    assert company.scalar("select count(*) from ledger.message") == 0


def test_a_huge_audience_is_planned_whole_or_not_at_all(noon: Workspace, company: Company) -> None:
    people = [f"crowd{number}" for number in range(3000)]
    company.add_people(people)
    company.decide(company.add_run(), people)
    few = AudienceLimit(people=1000, growth=Decimal(0))
    rejected = plan_pending(noon, "reactivation", RULES, few, approval=Approval("rejected", "boss"))
    assert rejected.results == {"not_approved": 3000}
    company.decide(company.add_run("night/2"), people)
    assert plan_pending(noon, "reactivation", RULES, few, approval=Approval("approved", "boss")).results == {
        "planned": 3000
    }
    assert company.count_states() == {"planned": 3000}
