"""The declared campaigns go the whole way: guard, plan, publish, dispatch."""

from __future__ import annotations

from tests.delivery.conftest import NOON, Company, OpenWorkspace, RunningSandbox

from safar.catalogue import load_catalogue
from safar.delivery import DeliveryRules, dispatch_messages, measure_audience, plan_campaign


def test_the_rules_are_those_of_the_catalogue(open_workspace: OpenWorkspace) -> None:
    catalogue = load_catalogue(open_workspace(NOON).settings)
    rules = DeliveryRules.from_catalogue(catalogue)
    assert rules.zone.key == catalogue.defaults.time_zone
    assert rules.quiet_hours.start == catalogue.defaults.quiet_hours.from_
    assert [(cap.messages, cap.within) for cap in rules.caps] == [
        (cap.messages, cap.within) for cap in catalogue.defaults.frequency_caps
    ]


def test_a_declared_campaign_is_measured_planned_published_and_sent(
    open_workspace: OpenWorkspace, company: Company, sandbox: RunningSandbox
) -> None:
    workspace = open_workspace(NOON)
    catalogue = load_catalogue(workspace.settings)
    company.add_people(["declared-anna", "declared-bert"])
    run_id = company.add_run()
    company.decide(run_id, ["declared-anna"])
    company.decide(run_id, ["declared-bert"], locale="fa-IR")
    size = measure_audience(workspace, "reactivation", catalogue)
    assert (size.candidate_count, size.needs_approval) == (2, False)
    assert plan_campaign(workspace, "reactivation", catalogue).results == {"planned": 2}
    assert dispatch_messages(workspace, catalogue, campaign="reactivation").messages == {"accepted": 2}
    assert dispatch_messages(workspace, catalogue).messages == {}
