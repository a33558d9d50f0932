"""Each send decision gets exactly one plan result, whatever runs twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.delivery.conftest import NOON, Company, OpenWorkspace, plan

from safar.delivery.audience import Approval
from safar.delivery.rules import AudienceLimit
from safar.errors import SafarError
from safar.workspace import Workspace


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


def test_a_decision_becomes_a_message_with_address_fields_and_expiry(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    assert plan(noon).results == {"planned": 1}
    row = company.connection.execute(
        "select state, address, fields, template, locale, priority, message.due_at, message.expires_at, "
        "message.planned_at, topic from ledger.message join ledger.action using (action_id, contact_id)"
    ).fetchone()
    assert row == (
        "planned",
        "anna@example.com",
        {"first_name": "Anna"},
        "reactivation_reminder",
        "en",
        50,
        NOON,
        NOON + timedelta(hours=48),
        NOON,
        "marketing",
    )


def test_planning_again_finds_nothing_and_a_second_run_is_already_planned(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    plan(noon)
    assert plan(noon).results == {}
    company.decide(company.add_run("night/2"), ["anna"])
    assert plan(noon).results == {"already_planned": 1}
    assert company.scalar("select count(*) from ledger.message") == 1
    assert company.scalar("select count(distinct action_id) from ledger.plan_result") == 1


def test_every_waiting_run_is_planned_oldest_first(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    for run_id in ("night/1", "night/2"):
        company.decide(company.add_run(run_id), ["anna", "bert"] if run_id == "night/2" else ["anna"])
    report = plan(noon)
    assert report.runs == ("night/1", "night/2")
    assert report.results == {"planned": 2, "already_planned": 1}
    assert company.scalar("select run_id from ledger.message where contact_id = 'anna'") == "night/1"


def test_the_language_that_somebody_chose_last_goes_before_what_a_vendor_says(
    noon: Workspace, company: Company
) -> None:
    company.add_people(["anna", "bert"])
    company.decide(company.add_run(), ["anna", "bert"], occurrence_key="first")
    plan(noon)
    company.connection.execute(
        "insert into ledger.language_choice (channel, address_hash, locale, message_id, occurred_at) "
        "select message.channel, message.address_hash, chosen.locale, message.message_id, %s from ledger.message, "
        "unnest(array['en', 'fa']) with ordinality as chosen (locale, number) where contact_id = 'anna' order by number",
        [NOON],
    )
    company.decide(company.add_run("night/2"), ["anna", "bert"], occurrence_key="second")
    plan(noon)
    rows = company.connection.execute(
        "select contact_id, locale from ledger.message where occurrence_key = 'second' order by contact_id"
    ).fetchall()
    assert rows == [("anna", "fa"), ("bert", "en")]


def test_two_people_at_one_address_get_one_message(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.connection.execute(
        "insert into ledger.address select 'twin', channel, address, address_hash, address_key_id, is_valid, locale, "
        "time_zone, from_sequence, until_sequence from ledger.address"
    )
    run_id = company.add_run()
    company.decide(run_id, ["anna", "twin"])
    assert plan(noon).results == {"planned": 1, "same_address": 1}
    company.decide(company.add_run("night/2"), ["twin"])
    assert plan(noon).results == {"same_address": 1}


def test_old_news_is_expired(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    run_id = company.add_run()
    company.decide(run_id, ["anna"], expires_at=NOON)
    company.decide(run_id, ["bert"], due_at=NOON + timedelta(hours=10), expires_at=NOON + timedelta(hours=20))
    assert plan(noon).results == {"expired": 2}, "bert's would leave at 09:00, an hour after it expires"


@pytest.mark.parametrize("decision", ["rejected", "timed_out"])
def test_a_rejected_audience_is_accounted_for(noon: Workspace, company: Company, decision: Any) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    assert plan(noon, approval=Approval(decision, "boss")).results == {"not_approved": 1}
    row = company.connection.execute("select candidate_count, decision, decided_by from ledger.approval").fetchone()
    assert row == (1, decision, "boss")


def test_a_large_audience_is_not_planned_without_a_word(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    company.decide(company.add_run(), ["anna", "bert"])
    small = AudienceLimit(people=1, growth=AudienceLimit(0, 0).growth)  # type: ignore[arg-type]
    with pytest.raises(SafarError, match="2 messages to plan, limit 1"):
        plan(noon, limit=small)
    assert company.scalar("select count(*) from ledger.plan_result") == 0
    assert plan(noon, limit=small, approval=Approval("approved", "boss")).results == {"planned": 2}


@pytest.mark.parametrize(
    ("decision", "result"), [("approved", "planned"), ("rejected", "not_approved"), ("timed_out", "not_approved")]
)
def test_an_answer_is_about_the_runs_that_were_asked_about(
    noon: Workspace, company: Company, decision: Any, result: str
) -> None:
    company.add_people(["anna", "bert", "cleo"])
    company.decide(company.add_run("night/1"), ["anna"])
    company.decide(company.add_run("night/2"), ["bert", "cleo"])
    small = AudienceLimit(people=0, growth=AudienceLimit(0, 0).growth)  # type: ignore[arg-type]
    answer = Approval(decision, "boss", run_ids=("night/1",), candidate_count=1)
    assert plan(noon, limit=small, approval=answer).results == {result: 1}
    assert plan(noon, limit=small, approval=answer).results == {}, "the task was cleared, days later"
    assert company.scalar("select count(*) from ledger.plan_result where run_id = 'night/2'") == 0


def test_a_yes_is_to_no_more_people_than_it_was_given_for(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    company.decide(company.add_run("night/1"), ["anna"])
    small = AudienceLimit(people=0, growth=AudienceLimit(0, 0).growth)  # type: ignore[arg-type]
    answer = Approval("approved", "boss", run_ids=("night/1",), candidate_count=1)
    company.decide("night/1", ["bert"])
    with pytest.raises(
        SafarError, match="2 messages to plan, limit 0.* The one given is for 1, so nothing was planned"
    ):
        plan(noon, limit=small, approval=answer)
    assert company.scalar("select count(*) from ledger.plan_result") == 0


def test_a_blocked_campaign_a_switch_and_a_missing_address_are_blocked(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    run_id = company.add_run()
    company.decide(run_id, ["anna", "nobody"])
    company.connection.execute("insert into ledger.campaign_gate values (%s, 'reactivation', true, 'red')", [run_id])
    assert plan(noon).results == {"blocked": 2}
    company.decide(company.add_run("night/2"), ["anna", "nobody"])
    assert plan(noon).results == {"planned": 1, "blocked": 1}
    company.connection.execute(
        "insert into ledger.stop (campaign, reason, created_by) values ('reactivation', 'x', 'y')"
    )
    company.decide(company.add_run("night/3"), ["anna"], occurrence_key="twice")
    assert plan(noon).results == {"blocked": 1}


def test_the_address_is_the_one_that_the_run_knew(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    first = company.add_run()
    company.decide(first, ["anna"])
    second = company.add_run("night/2")
    company.connection.execute("update ledger.address set until_sequence = %s", [company.sequences[second]])
    company.connection.execute(
        """
        insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid, from_sequence)
        select contact_id, channel, 'new@example.com', 'other', address_key_id, true, %s from ledger.address
        """,
        [company.sequences[second]],
    )
    company.decide(second, ["anna"], occurrence_key="second")
    plan(noon)
    rows = company.connection.execute("select run_id, address from ledger.message order by 1").fetchall()
    assert rows == [("night/1", "anna@example.com"), ("night/2", "new@example.com")]


def test_a_rehearsal_writes_nothing_that_could_be_sent(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    for _ in range(2):
        assert plan(noon, rehearse=True).results == {"planned": 1}
    assert company.scalar("select count(*) from ledger.rehearsal") == 1
    for table in ("action", "message", "plan_result", "approval"):
        assert company.scalar(f"select count(*) from ledger.{table}") == 0
    assert plan(noon).results == {"planned": 1}


def test_replays_are_never_planned(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    with company.connection.transaction():
        company.connection.execute("set local safar.rewriting = on")
        company.connection.execute("update ledger.run set cadence = 'replay'")
    assert plan(noon).runs == ()


def test_what_falls_into_quiet_hours_is_due_when_they_end(open_workspace: OpenWorkspace, company: Company) -> None:
    company.add_people(["anna", "bert", "carl"])
    run_id = company.add_run()
    night = NOON.replace(hour=2)
    company.decide(run_id, ["anna"], due_at=night)
    company.decide(run_id, ["bert"], due_at=night, **{"class": "transactional"})
    company.decide(run_id, ["carl"], due_at=night - timedelta(hours=8))
    plan(open_workspace(night))
    due = dict(company.connection.execute("select contact_id, due_at from ledger.message").fetchall())
    nine = NOON.replace(hour=9)
    assert due == {"anna": nine, "bert": night, "carl": nine}
