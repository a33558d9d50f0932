"""What is committed at the second of claiming decides; only the ledger is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.delivery.conftest import KEY, NOON, QUICK, RULES, Company, OpenWorkspace, dispatch, plan

from safar.delivery.addresses import hash_address
from safar.delivery.channel import Accepted, Answer, CallGroup, OutgoingMessage
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.rules import DeliveryRules, FrequencyCap
from safar.workspace import Workspace

Change = Callable[[Company], object]


class Postbox:
    """Keeps what it is given, so that a test of the claim needs no provider."""

    name = "email"
    provider = "postbox"
    call_limit = 1000
    is_live = False

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.call_sizes: list[int] = []

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        self.sent += [message.address for message in messages]
        self.call_sizes.append(len(messages))
        return Accepted("call-1")


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


@pytest.fixture
def planned(noon: Workspace, company: Company) -> Company:
    """Anna and Bert are about to be written to."""
    company.add_people(["anna", "bert"])
    company.decide(company.add_run(), ["anna", "bert"])
    plan(noon)
    return company


def _revoke(topic: str) -> Change:
    return lambda company: company.permit("anna", "revoked", NOON, topic=topic)


def _suppress(company: Company) -> None:
    company.connection.execute(
        "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at) "
        "values ('email', %s, 'bounce', 'sendgrid', 'x', %s)",
        [hash_address(KEY, "email", "anna@example.com"), NOON],
    )


def _stop(company: Company) -> None:
    company.connection.execute("insert into ledger.stop (contact_id, reason, created_by) values ('anna', 'error', 'x')")


def _reach_goal(company: Company) -> None:
    company.connection.execute(
        "insert into ledger.goal_seen (campaign, contact_id, goal_at) values ('reactivation', 'anna', %s)",
        [NOON - timedelta(minutes=59)],
    )


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (_revoke("marketing"), "cancelled: opted_out"),
        (_revoke("all"), "cancelled: opted_out"),
        (_suppress, "cancelled: suppressed"),
        (_stop, "cancelled: stopped"),
        (_reach_goal, "cancelled: goal_reached"),
    ],
    ids=["opt-out of the topic", "opt-out of everything", "suppression", "stop", "goal"],
)
def test_what_happened_after_planning_cancels(noon: Workspace, planned: Company, change: Change, state: str) -> None:
    change(planned)
    postbox = Postbox()
    report = dispatch(noon, channel=postbox)
    assert postbox.sent == ["bert@example.com"]
    assert planned.count_states() == {state: 1, "accepted": 1}
    assert report.messages == {state: 1, "accepted": 1}


def _reach_goal_as(name: str) -> Change:
    return lambda company: company.connection.execute(
        "insert into ledger.goal_seen (campaign, contact_id, goal_at) values ('reactivation', %s, %s)", [name, NOON]
    )


def _stop_as(name: str) -> Change:
    return lambda company: company.connection.execute(
        "insert into ledger.stop (contact_id, reason, created_by) values (%s, 'error', 'x')", [name]
    )


@pytest.mark.parametrize("name", ["annabel", "ann"], ids=["the person's name", "another former name"])
@pytest.mark.parametrize(
    ("change", "state"), [(_stop_as, "cancelled: stopped"), (_reach_goal_as, "cancelled: goal_reached")]
)
def test_what_holds_for_somebody_holds_under_every_name_that_they_have_had(
    noon: Workspace, planned: Company, change: Callable[[str], Change], state: str, name: str
) -> None:
    planned.merge("anna", "annabel")
    planned.merge("ann", "annabel")
    change(name)(planned)
    dispatch(noon, channel=Postbox())
    assert planned.count_states() == {state: 1, "accepted": 1}


def test_a_goal_before_the_entry_and_an_opt_out_of_another_topic_change_nothing(
    noon: Workspace, planned: Company
) -> None:
    planned.connection.execute(
        "insert into ledger.goal_seen (campaign, contact_id, goal_at) values ('reactivation', 'anna', %s)",
        [NOON - timedelta(hours=1)],
    )
    planned.permit("anna", "revoked", NOON, topic="newsletter")
    assert dispatch(noon, channel=Postbox()).accepted_count == 2


def test_the_latest_permission_counts_and_a_withdrawal_wins_a_tie(noon: Workspace, planned: Company) -> None:
    for name in ("anna", "bert"):
        planned.permit(name, "revoked", NOON - timedelta(days=2))
    planned.permit("anna", "granted", NOON - timedelta(days=2))
    planned.permit("bert", "granted", NOON - timedelta(days=1))
    postbox = Postbox()
    dispatch(noon, channel=postbox)
    assert postbox.sent == ["bert@example.com"]


def test_transactional_needs_no_permission_but_respects_suppression(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"], state=None)
    _suppress(company)
    company.decide(company.add_run(), ["anna", "bert"], **{"class": "transactional"})
    plan(noon)
    postbox = Postbox()
    dispatch(noon, channel=postbox)
    assert postbox.sent == ["bert@example.com"]


def test_nobody_is_written_to_without_a_known_permission(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"], state=None)
    company.decide(company.add_run(), ["anna"])
    plan(noon)
    dispatch(noon, channel=Postbox())
    assert company.count_states() == {"cancelled: opted_out": 1}


@pytest.mark.parametrize(
    ("point", "patience"),
    [
        ("after the claim is committed", "dispatching.FRESH_SECONDS"),
        ("before the call", "calling.LONGEST_MARKING_SECONDS"),
    ],
)
def test_a_dispatcher_that_was_suspended_looks_again(
    noon: Workspace, planned: Company, monkeypatch: pytest.MonkeyPatch, point: str, patience: str
) -> None:
    monkeypatch.setattr(f"safar.delivery.{patience}", 0.3)
    naps: list[str] = []

    def suspend(reached: str) -> None:
        if reached == point and not naps:
            naps.append(reached)
            planned.permit("anna", "revoked", NOON)
            time.sleep(0.5)

    postbox = Postbox()
    options = DispatchOptions(workers=1, patience=QUICK)
    dispatch(noon, channel=postbox, options=options, checkpoint=suspend)
    assert naps == [point]
    assert postbox.sent == ["bert@example.com"]
    assert planned.count_states() == {"cancelled: opted_out": 1, "accepted": 1}


def test_a_switch_holds_messages_until_it_is_lifted(noon: Workspace, planned: Company) -> None:
    planned.connection.execute("insert into ledger.stop (reason, created_by) values ('pause', 'on call')")
    assert dispatch(noon, channel=Postbox()).messages == {}
    assert planned.count_states() == {"planned": 2}
    planned.connection.execute("update ledger.stop set lifted_at = now()")
    assert dispatch(noon, channel=Postbox()).accepted_count == 2


def test_caps_count_every_campaign_and_roll(open_workspace: OpenWorkspace, company: Company) -> None:
    company.add_people(["anna"])
    run_id = company.add_run()
    for number in range(5):
        company.decide(
            run_id,
            ["anna"],
            campaign=f"c{number}",
            due_at=NOON + timedelta(days=2 * number),
            expires_at=NOON + timedelta(days=2 * number + 1),
        )
        plan(open_workspace(NOON), f"c{number}")
    rules = DeliveryRules(zone=RULES.zone, caps=(FrequencyCap("email", "marketing", 2, timedelta(days=4)),))
    outcomes = []
    for number in range(5):
        now = NOON + timedelta(days=2 * number)
        dispatch(open_workspace(now), channel=Postbox(), rules=rules)
        outcomes.append(
            company.scalar("select coalesce(reason, state) from ledger.message where campaign = %s", f"c{number}")
        )
    assert outcomes == ["accepted", "accepted", "accepted", "accepted", "accepted"], (
        "four days ago is out of the window"
    )
    rules = DeliveryRules(zone=RULES.zone, caps=(FrequencyCap("email", "marketing", 2, timedelta(days=4, seconds=1)),))
    company.decide(
        run_id := company.add_run("night/2"),
        ["anna"],
        campaign="more",
        due_at=NOON + timedelta(days=8),
        expires_at=NOON + timedelta(days=9),
    )
    assert run_id
    plan(open_workspace(NOON), "more")
    dispatch(open_workspace(NOON + timedelta(days=8)), channel=Postbox(), rules=rules)
    assert company.scalar("select reason from ledger.message where campaign = 'more'") == "capped"


def test_two_messages_to_one_person_cannot_pass_the_cap_in_one_claim(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    run_id = company.add_run()
    for cart in range(4):
        company.decide(run_id, ["anna"], occurrence_key=f"cart-{cart}")
    plan(noon)
    postbox = Postbox()
    report = dispatch(noon, channel=postbox)
    assert report.messages == {"accepted": 3, "cancelled: capped": 1}
    assert postbox.call_sizes == [1, 1, 1]


def test_quiet_hours_and_expiry_are_looked_at_again(open_workspace: OpenWorkspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    run_id = company.add_run()
    company.decide(run_id, ["anna"], expires_at=NOON + timedelta(hours=48))
    company.decide(run_id, ["bert"], expires_at=NOON + timedelta(hours=12))
    plan(open_workspace(NOON))
    evening = open_workspace(NOON.replace(hour=21))
    assert dispatch(evening, channel=Postbox()).messages == {"delayed": 1, "expired": 1}
    nine = NOON.replace(hour=9) + timedelta(days=1)
    assert company.scalar("select due_at from ledger.message where state = 'planned'") == nine
    assert dispatch(open_workspace(nine), channel=Postbox()).accepted_count == 1


def test_one_campaign_or_run_alone_can_be_sent(noon: Workspace, company: Company) -> None:
    company.add_people(["anna", "bert"])
    for number, name in enumerate(("anna", "bert")):
        company.decide(company.add_run(f"night/{number}"), [name], campaign=f"c{number}")
        plan(noon, f"c{number}")
    assert dispatch(noon, channel=Postbox(), campaign="c1").accepted_count == 1
    assert dispatch(noon, channel=Postbox(), run_id="night/1").accepted_count == 0
    assert dispatch(noon, channel=Postbox(), run_id="night/0").accepted_count == 1


def test_each_address_comes_once_in_a_call(noon: Workspace, company: Company) -> None:
    company.add_people(["anna"])
    company.connection.execute(
        "insert into ledger.address select 'twin', channel, address, address_hash, address_key_id, is_valid, locale, "
        "time_zone, from_sequence, until_sequence from ledger.address"
    )
    run_id = company.add_run()
    company.decide(run_id, ["anna"], occurrence_key="a", **{"class": "transactional"})
    company.decide(run_id, ["twin"], occurrence_key="b", **{"class": "transactional"})
    plan(noon)
    postbox = Postbox()
    assert dispatch(noon, channel=postbox).accepted_count == 2
    assert postbox.call_sizes == [1, 1]


def test_what_is_recorded_tells_when_and_by_whom(noon: Workspace, planned: Company) -> None:
    dispatch(noon, channel=Postbox())
    row: Any = planned.connection.execute(
        "select claimed_at, attempted_at, accepted_at, attempt_count, provider, provider_message_id "
        "from ledger.message where contact_id = 'anna'"
    ).fetchone()
    assert row == (NOON, NOON, NOON, 1, "postbox", "call-1")
    assert planned.scalar("select count(*) from ledger.claim") == 0
    history = planned.connection.execute(
        "select from_state, to_state from ledger.message_transition join ledger.message using (message_id) "
        "where contact_id = 'anna' order by transition_id"
    ).fetchall()
    assert history == [("planned", "claimed"), ("claimed", "attempting"), ("attempting", "accepted")]
