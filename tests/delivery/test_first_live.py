"""The first time a campaign reaches real people, a few get its messages; the others wait for a person's word."""

from __future__ import annotations

import os
import pwd
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.delivery.conftest import (
    NOON,
    RULES,
    Company,
    OpenWorkspace,
    RunningSandbox,
    describe_sendgrid,
    dispatch,
    plan,
    publish_by_hand,
)
from tests.delivery.test_last_look import Postbox

from safar.catalogue import Catalogue, load_catalogue
from safar.cli import list_own_names
from safar.delivery.channel import Answer, CallGroup, OutgoingMessage, TryLater
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.first_live import approve_first_live
from safar.delivery.rules import DeliveryRules
from safar.errors import SafarError
from safar.feedback.housekeeping import close_overdue
from safar.settings import Settings
from safar.workspace import Workspace

PEOPLE = [f"live{number}" for number in range(10)]
FIRST = replace(RULES, first_live_messages={"reactivation": 4})


class RealPeople(Postbox):
    """A postbox of real people."""

    is_live = True


class BusyProvider(RealPeople):
    """Asks to be left alone at the first call."""

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        self.call_sizes.append(len(messages))
        if len(self.call_sizes) == 1:
            return TryLater("429", retry_after=0.0)
        return super().send(group, messages)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(Settings.from_environment())


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


@pytest.fixture
def planned(noon: Workspace, company: Company) -> Company:
    company.add_people(PEOPLE)
    company.decide(company.add_run(), PEOPLE)
    plan(noon)
    return company


def send(workspace: Workspace, **options: Any) -> Any:
    return dispatch(
        workspace, rules=options.pop("rules", FIRST), channel=options.pop("channel", RealPeople()), **options
    )


def test_only_the_first_messages_leave_and_the_others_are_held(
    noon: Workspace, planned: Company, catalogue: Catalogue
) -> None:
    report = send(noon)
    assert report.accepted_count == 4
    assert report.left == {"held": 6}
    assert "6 held" in report.describe()
    assert send(noon).accepted_count == 0, "a second dispatch of the same night sends nobody more"
    approval = approve_first_live(noon, "reactivation", catalogue, ["marketer"])
    assert (approval.sent_count, approval.planned_count) == (4, 6)
    assert send(noon).accepted_count == 6
    assert planned.count_states() == {"accepted": 10}


def test_held_messages_expire_when_nobody_answers(
    noon: Workspace, planned: Company, open_workspace: OpenWorkspace
) -> None:
    send(noon)
    assert close_overdue(open_workspace(NOON + timedelta(hours=49))) == 6
    assert planned.count_states() == {"accepted": 4, "expired: past its last moment": 6}


def test_the_next_run_waits_too_until_somebody_approves(noon: Workspace, planned: Company) -> None:
    send(noon)
    planned.decide(planned.add_run("night/2"), PEOPLE[:1], occurrence_key="again")
    plan(noon)
    assert send(noon).left == {"held": 7}


def test_a_connection_that_is_not_live_holds_nobody(noon: Workspace, planned: Company) -> None:
    assert send(noon, channel=Postbox()).accepted_count == 10
    assert planned.scalar("select count(*) from ledger.first_live") == 0


def test_a_campaign_without_a_setting_reaches_nobody_before_it_is_approved(noon: Workspace, planned: Company) -> None:
    assert send(noon, rules=RULES).left == {"held": 10}


def test_a_message_that_has_to_be_sent_again_keeps_its_place(noon: Workspace, planned: Company) -> None:
    report = send(noon, channel=BusyProvider(), options=DispatchOptions(workers=1))
    assert report.left == {"held": 6}
    assert planned.count_states()["accepted"] == 4
    assert planned.scalar("select count(*) from ledger.first_live_message") == 4


def test_one_campaign_s_approval_is_not_another_s(noon: Workspace, planned: Company, catalogue: Catalogue) -> None:
    planned.decide(planned.add_run("night/2"), PEOPLE, campaign="loyalty")
    plan(noon, "loyalty")
    rules = replace(FIRST, first_live_messages={"reactivation": 4, "loyalty": 2}, caps=())
    send(noon, rules=rules)
    approve_first_live(noon, "reactivation", catalogue, ["marketer"])
    assert send(noon, rules=rules).left == {"held": 8}
    accepted = planned.connection.execute("select campaign from ledger.message where state = 'accepted'").fetchall()
    assert Counter(row[0] for row in accepted) == {"reactivation": 10, "loyalty": 2}


def test_four_dispatchers_at_once_share_the_same_few_places(
    noon: Workspace, planned: Company, open_workspace: OpenWorkspace
) -> None:
    options = DispatchOptions(workers=2, batch_size=2)
    threads = [threading.Thread(target=send, args=(open_workspace(NOON),), kwargs={"options": options}) for _ in "four"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert planned.count_states() == {"accepted": 4, "planned": 6}


def test_the_owner_may_not_approve_and_nobody_approves_what_was_never_sent(
    noon: Workspace, planned: Company, catalogue: Catalogue
) -> None:
    with pytest.raises(SafarError, match="has not written to real people yet"):
        approve_first_live(noon, "reactivation", catalogue, ["marketer"])
    send(noon)
    owner = catalogue.campaigns["reactivation"].owner.email
    assert owner is not None
    with pytest.raises(SafarError, match="owns the campaign 'reactivation' and may not approve it"):
        approve_first_live(noon, "reactivation", catalogue, [owner.upper()])
    with pytest.raises(SafarError, match="There is no campaign 'reactivaton'"):
        approve_first_live(noon, "reactivaton", catalogue, ["marketer"])
    assert send(noon).left == {"held": 6}


def test_who_approves_at_the_command_line_is_whom_the_system_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "boss")
    assert list_own_names() == [pwd.getpwuid(os.getuid()).pw_name, "boss"]


def test_the_first_approval_stands(noon: Workspace, planned: Company, catalogue: Catalogue) -> None:
    send(noon)
    approve_first_live(noon, "reactivation", catalogue, ["marketer"])
    assert approve_first_live(noon, "reactivation", catalogue, ["somebody"]).approved_by == "marketer"


def test_the_setting_of_a_campaign_wins_over_the_default(catalogue: Catalogue) -> None:
    assert DeliveryRules.from_catalogue(catalogue).first_live_messages["reactivation"] == 50
    own = catalogue.campaigns["reactivation"].model_copy(update={"first_live_messages": 7})
    changed = catalogue.model_copy(update={"campaigns": {"reactivation": own}})
    assert DeliveryRules.from_catalogue(changed).first_live_messages == {"reactivation": 7}


def test_the_provider_sees_only_the_first_over_a_connection_that_is_live(
    company: Company, sandbox: RunningSandbox, connections: dict[str, Any], open_workspace: OpenWorkspace
) -> None:
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid", live=True, allow_hosts=["127.0.0.1"])
    workspace = open_workspace(NOON, environment="production")
    publish_by_hand(workspace)
    names = [f"seen{number}" for number in range(6)]
    company.add_people(names)
    company.decide(company.add_run(), names)
    plan(workspace)
    before = sandbox.read_truth()["mail_count"]
    assert dispatch(workspace, rules=FIRST).left == {"held": 2}
    assert sandbox.read_truth()["mail_count"] - before == 4
