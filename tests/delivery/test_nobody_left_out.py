"""The complaints most often made about other senders, as tests: sent twice, and finished with people left out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.delivery.conftest import NOON, QUICK, Company, OpenWorkspace, RunningSandbox, dispatch, plan, publish_by_hand
from tests.delivery.test_first_live import FIRST, RealPeople
from tests.delivery.test_last_look import Postbox

from safar.delivery.channel import Answer, CallGroup, OutgoingMessage, TryLater
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.pacing import Patience
from safar.delivery.stops import pause_sending
from safar.workspace import Workspace

SMALL = DispatchOptions(workers=2, batch_size=7, patience=QUICK)


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


def prepare(company: Company, workspace: Workspace, count: int, name: str = "person", **values: Any) -> list[str]:
    people = [f"{name}{number}" for number in range(count)]
    company.add_people(people)
    company.decide(company.add_run(f"night/{name}"), people, **values)
    plan(workspace, values.get("campaign", "reactivation"))
    return people


def count_due(company: Company) -> int:
    count: int = company.scalar(
        "select count(*) from ledger.message where state in ('planned', 'claimed', 'attempting') and due_at <= %s", NOON
    )
    return count


class Hesitant(Postbox):
    """Says at its second call that the caller must wait for ten minutes."""

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        if len(self.call_sizes) == 1:
            self.call_sizes.append(0)
            return TryLater("429", retry_after=600.0)
        return super().send(group, messages)


def test_overlapping_jobs_send_each_message_once(
    company: Company, sandbox: RunningSandbox, open_workspace: OpenWorkspace
) -> None:
    """mautic 2215, 13070 and listmonk 2070, 2313: a cron job that starts while the last one still sends."""
    publish_by_hand(open_workspace(NOON))
    prepare(company, open_workspace(NOON), 60, name="overlap")
    before = sandbox.read_truth()
    jobs = [threading.Thread(target=dispatch, args=(open_workspace(NOON),), kwargs={"options": SMALL}) for _ in "four"]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    after = sandbox.read_truth()
    assert after["mail_count"] - before["mail_count"] == after["message_count"] - before["message_count"] == 60
    assert company.count_states() == {"accepted": 60}


def test_a_job_that_is_retried_after_a_lost_answer_sends_nothing_again(
    company: Company, sandbox: RunningSandbox, open_workspace: OpenWorkspace
) -> None:
    """mautic 3669: the provider had taken the mails, the job saw an error, and its retry sent them all again."""
    publish_by_hand(open_workspace(NOON))
    prepare(company, open_workspace(NOON), 20, name="retried")
    before = sandbox.read_truth()["mail_count"]
    sandbox.break_with("reset_after_accept", count=1, path="mail/send")
    for _ in range(3):
        dispatch(open_workspace(NOON), options=SMALL)
        plan(open_workspace(NOON))
    truth = sandbox.read_truth()
    assert truth["mail_count"] - before == 20
    assert {mail["accepted_count"] for mail in truth["mails"]} == {1}
    states = dict(company.connection.execute("select state, count(*) from ledger.message group by 1").fetchall())
    assert states["unknown"] + states["accepted"] == 20


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_dispatch_that_says_it_is_done_has_left_nobody_out(noon: Workspace, company: Company, workers: int) -> None:
    """listmonk 2278, 2168 and Notifuse 157: finished, with people whose turn never came."""
    for campaign in ("loyalty", "reactivation", "welcome"):
        prepare(company, noon, 40, name=campaign, campaign=campaign)
        # The same people once more: two messages to one person never share a claim, and both must leave.
        again = [f"loyalty{number}" for number in range(40)]
        company.decide(company.add_run(f"again/{campaign}"), again, campaign=campaign, occurrence_key="again")
        plan(noon, campaign)
    planned = company.scalar("select count(*) from ledger.message")
    report = dispatch(noon, channel=Postbox(), options=DispatchOptions(workers=workers, batch_size=7))
    assert (report.left, report.stopped_because) == ({}, None)
    assert count_due(company) == 0
    assert report.messages.total() == planned


def test_a_paused_campaign_keeps_nobody_of_another_back(noon: Workspace, company: Company) -> None:
    people = prepare(company, noon, 30)
    company.decide(company.add_run("night/loyalty"), people, campaign="loyalty", priority=90)
    plan(noon, "loyalty")
    pause_sending(noon, campaign="loyalty", reason="wrong price", created_by="oncall")
    report = dispatch(noon, channel=Postbox(), options=SMALL)
    assert (report.accepted_count, report.left) == (30, {"paused": 30})


@pytest.mark.parametrize("why", ["paused", "held", "put off", "stopped early"])
def test_whoever_is_left_is_in_the_report_with_the_reason(noon: Workspace, company: Company, why: str) -> None:
    prepare(company, noon, 30)
    options = DispatchOptions(workers=1, batch_size=10, patience=Patience(first_pause=0.01, longest_pause=0.02))
    if why == "paused":
        pause_sending(noon, reason="wrong price", created_by="oncall")
        report = dispatch(noon, channel=Postbox(), options=options)
    elif why == "held":
        report = dispatch(noon, channel=RealPeople(), rules=FIRST, options=options)
    elif why == "put off":
        company.connection.execute("update ledger.message set lease_until = now() + interval '10 minutes'")
        report = dispatch(noon, channel=Postbox(), options=options)
    else:
        report = dispatch(noon, channel=Hesitant(), options=options)
    assert report.left[why] > 0
    assert report.left.total() == count_due(company)
    assert f"{report.left[why]} {why}" in report.describe()


def test_what_another_dispatcher_has_in_hand_is_in_the_report(noon: Workspace, company: Company) -> None:
    prepare(company, noon, 10)
    company.connection.execute(
        "with taken as (update ledger.message set state = 'claimed', claimed_by = 'other', claimed_at = %s "
        "returning message_id) insert into ledger.claim (claim_id, lease_until, message_ids) "
        "select 'other', now() + interval '5 minutes', array_agg(message_id) from taken",
        [NOON],
    )
    assert dispatch(noon, channel=Postbox()).left == {"in other hands": 10}


def test_what_falls_due_later_is_not_left_out(noon: Workspace, company: Company) -> None:
    prepare(company, noon, 5, due_at=NOON + timedelta(hours=1))
    assert dispatch(noon, channel=Postbox()).left == {}
