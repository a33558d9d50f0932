"""The stop switch holds what is planned from the next claim on, for one campaign, one channel or everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.conftest import NOON, Company, OpenWorkspace, RunningSandbox, dispatch, plan, publish_by_hand
from tests.delivery.test_last_look import Postbox

from safar.delivery.dispatching import DispatchOptions
from safar.delivery.stops import list_pauses, pause_sending, resume_sending
from safar.errors import ConfigurationError
from safar.ledger.epochs import GUARD
from safar.workspace import Workspace

CAMPAIGNS = ("loyalty", "reactivation")


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


@pytest.fixture
def planned(noon: Workspace, company: Company) -> Company:
    """Anna is about to be written to by two campaigns."""
    company.add_people(["anna"])
    run_id = company.add_run()
    for campaign in CAMPAIGNS:
        company.decide(run_id, ["anna"], campaign=campaign)
        plan(noon, campaign)
    return company


def run_safar(connections: dict[str, Any], home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command `safar` as somebody on call does."""
    variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    environment = {**os.environ, **variables, "SAFAR_HOME": str(home), "LOGNAME": "oncall"}
    command = [Path(sys.executable).with_name("safar"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("scope", "sent"),
    [
        ({}, []),
        ({"channel": "email"}, []),
        ({"channel": "sms"}, ["loyalty", "reactivation"]),
        ({"campaign": "loyalty"}, ["reactivation"]),
        ({"campaign": "loyalty", "channel": "email"}, ["reactivation"]),
        ({"campaign": "loyalty", "channel": "sms"}, ["loyalty", "reactivation"]),
    ],
    ids=str,
)
def test_a_pause_holds_its_scope_and_nothing_else(
    noon: Workspace, planned: Company, scope: dict[str, str], sent: list[str]
) -> None:
    pause_sending(noon, reason="wrong price", created_by="oncall", **scope)
    report = dispatch(noon, channel=Postbox())
    accepted = planned.connection.execute("select campaign from ledger.message where state = 'accepted' order by 1")
    assert [row[0] for row in accepted] == sent
    assert report.left == {"paused": 2 - len(sent)} if len(sent) < 2 else not report.left
    assert [pause.reason for pause in list_pauses(noon)] == ["wrong price"]
    resume_sending(noon, lifted_by="oncall", **scope)
    assert dispatch(noon, channel=Postbox()).accepted_count == 2 - len(sent)
    assert list_pauses(noon) == []


def test_resuming_lifts_exactly_its_scope(noon: Workspace, planned: Company) -> None:
    pause_sending(noon, reason="everything is wrong", created_by="oncall")
    pause_sending(noon, reason="wrong price", created_by="oncall", campaign="loyalty")
    assert resume_sending(noon, lifted_by="boss", channel="email") == []
    assert [pause.campaign for pause in resume_sending(noon, lifted_by="boss", campaign="loyalty")] == ["loyalty"]
    assert [pause.reason for pause in list_pauses(noon)] == ["everything is wrong"]
    assert planned.scalar("select lifted_by from ledger.stop where campaign = 'loyalty'") == "boss"


def test_a_stop_of_one_person_is_no_switch(noon: Workspace, planned: Company) -> None:
    planned.connection.execute("insert into ledger.stop (contact_id, reason, created_by) values ('anna', 'x', 'y')")
    assert list_pauses(noon) == []
    assert resume_sending(noon, lifted_by="oncall") == []
    assert planned.scalar("select count(*) from ledger.stop where lifted_at is null") == 1


def test_what_holds_a_restored_ledger_is_not_lifted_by_hand(noon: Workspace, planned: Company) -> None:
    planned.connection.execute("insert into ledger.stop (reason, created_by) values ('restored', %s)", [GUARD])
    assert resume_sending(noon, lifted_by="oncall") == []
    assert [pause.reason for pause in list_pauses(noon)] == ["restored"]


def test_an_order_that_is_repeated_does_nothing_new(noon: Workspace, planned: Company) -> None:
    for _ in range(2):
        pause_sending(noon, reason="wrong price", created_by="oncall", request_id="pause_sending/monday")
    assert len(list_pauses(noon)) == 1
    asked_at: datetime = planned.scalar("select clock_timestamp()")
    resume_sending(noon, lifted_by="oncall", before=asked_at)
    # Monday's pause, cleared after it was lifted, stops nothing; Monday's resume, cleared on Tuesday, lifts nothing.
    pause_sending(noon, reason="wrong price", created_by="oncall", request_id="pause_sending/monday")
    assert list_pauses(noon) == []
    pause_sending(noon, reason="wrong link", created_by="oncall", request_id="pause_sending/tuesday")
    assert resume_sending(noon, lifted_by="oncall", before=asked_at) == []
    assert [pause.reason for pause in list_pauses(noon)] == ["wrong link"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"campaign": "loyality"}, "No build has pinned a campaign 'loyality'. Campaigns: loyalty, reactivation"),
        ({"channel": "e-mail"}, "There is no channel 'e-mail'. Channels: email, push"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_an_order_that_names_nothing_is_refused(
    noon: Workspace, planned: Company, order: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        pause_sending(noon, **{"reason": "wrong price", "created_by": "oncall", **order})
    assert list_pauses(noon) == []


def test_the_command_line_pauses_lists_and_resumes(
    noon: Workspace, planned: Company, connections: dict[str, Any], tmp_path: Path
) -> None:
    done = run_safar(connections, tmp_path, "pause", "--campaign", "loyalty", "--reason", "wrong price")
    assert "Paused: campaign loyalty." in done.stdout, done.stderr
    assert "campaign loyalty: wrong price (oncall, " in run_safar(connections, tmp_path, "pauses").stdout
    assert dispatch(noon, channel=Postbox()).left == {"paused": 1}
    still = run_safar(connections, tmp_path, "resume")
    assert "No pause of exactly this scope stands." in still.stdout
    assert "Still paused: campaign loyalty" in still.stdout
    assert "Lifted: campaign loyalty" in run_safar(connections, tmp_path, "resume", "--campaign", "loyalty").stdout
    assert dispatch(noon, channel=Postbox()).accepted_count == 1


def test_a_pause_takes_effect_at_the_next_claim_of_a_running_dispatch(
    noon: Workspace,
    company: Company,
    sandbox: RunningSandbox,
    connections: dict[str, Any],
    open_workspace: OpenWorkspace,
    tmp_path: Path,
) -> None:
    workspace = open_workspace(NOON)
    publish_by_hand(workspace)
    names = [f"stop{number}" for number in range(12)]
    company.add_people(names)
    company.decide(company.add_run(), names)
    plan(workspace)
    before = sandbox.read_truth()["mail_count"]
    calls = 0

    def pause_after_the_second_call(point: str) -> None:
        nonlocal calls
        calls += point == "after the record is committed"
        if calls == 2 and point == "after the record is committed":
            done = run_safar(connections, tmp_path, "pause", "--channel", "email", "--reason", "wrong price")
            assert done.returncode == 0, done.stderr

    report = dispatch(
        workspace, options=DispatchOptions(workers=1, batch_size=3), checkpoint=pause_after_the_second_call
    )
    assert (report.accepted_count, report.left) == (6, {"paused": 6})
    assert sandbox.read_truth()["mail_count"] - before == 6
    run_safar(connections, tmp_path, "resume", "--channel", "email")
    assert dispatch(workspace).accepted_count == 6
    assert sandbox.read_truth()["mail_count"] - before == 12
