"""Refusals, bounces and complaints stop a channel by themselves, and only a person lets it go on."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
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
from tests.intake.conftest import Provider

from safar.catalogue import load_catalogue
from safar.delivery.channel import Answer, CallGroup, OutgoingMessage, Refused
from safar.delivery.circuit_breaker import watch_channel
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.rules import BreakerThresholds, DeliveryRules
from safar.delivery.stops import list_pauses, resume_sending
from safar.feedback.collecting import collect_feedback
from safar.intake import create_app
from safar.services.company import SENDGRID_KEY
from safar.services.company import Company as SandboxCompany
from safar.services.postgres import find_free_port
from safar.settings import Settings
from safar.workspace import Workspace

LIMITS = BreakerThresholds(
    last_messages=100,
    min_messages=20,
    refusals=Decimal("0.10"),
    bounces=Decimal("0.10"),
    complaints_warn=Decimal("0.05"),
    complaints=Decimal("0.15"),
)
WATCHED = replace(RULES, breaker=LIMITS)
AT_EACH_CLAIM = timedelta(0)


@contextmanager
def run_intake(workspace: Workspace, port: int = 0) -> Iterator[str]:
    """Serves the intake within the block; yields where the provider posts its events."""
    server = uvicorn.Server(uvicorn.Config(create_app(workspace), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/webhooks/sendgrid"
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass
class Inbox:
    """Twenty people who got a message, and the provider that tells what they made of it."""

    company: Company
    workspace: Workspace
    provider: Provider
    url: str
    sent: list[uuid.UUID] = field(default_factory=list)

    def tell(self, kind: str, count: int, **keys: Any) -> None:
        """Posts an event of this kind for each of the first people, each twice, as providers do."""
        events = [
            {
                "event": kind,
                "email": "somebody@example.com",
                "timestamp": int(NOON.timestamp()),
                "sg_event_id": f"{kind}-{message_id}-{keys.get('type', '')}",
                "message_id": str(message_id),
                **keys,
            }
            for message_id in self.sent[:count]
        ]
        body = json.dumps(events * 2).encode()
        answer = requests.post(self.url, data=body, headers=self.provider.sign(body, NOON), timeout=30)
        assert answer.status_code < 300, answer.text

    def watch(self, limits: BreakerThresholds = LIMITS) -> list[str]:
        """What stands in ledger.stop after a look at the channel."""
        with self.workspace.open_ledger() as connection:
            watch_channel(connection, "email", "sendgrid", limits)
        return [f"{pause.created_by}: {pause.reason}" for pause in list_pauses(self.workspace)]


class SendgridBox(Postbox):
    """A postbox with the name of the provider whose events come in."""

    provider = "sendgrid"


class Refusing(SendgridBox):
    """Knows that so many addresses of a call are wrong."""

    def __init__(self, wrong: int) -> None:
        super().__init__()
        self._wrong = wrong

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        if self._wrong and len(messages) > self._wrong:
            wrong, self._wrong = self._wrong, 0
            return Refused("no such address", dict.fromkeys(range(wrong), "no such address"), is_certain=True)
        return super().send(group, messages)


@pytest.fixture
def inbox(company: Company, connections: dict[str, Any], open_workspace: OpenWorkspace) -> Iterator[Inbox]:
    provider = Provider(generate_private_key(SECP256R1()))
    connections["sendgrid"] = describe_sendgrid("http://127.0.0.1:1", event_public_key=provider.public_key)
    workspace = open_workspace(NOON)
    with run_intake(workspace) as url:
        inbox = Inbox(company, workspace, provider, url)
        send_to(inbox, [f"breaker{number}" for number in range(20)])
        yield inbox


def send_to(inbox: Inbox, names: Sequence[str], channel: Postbox | None = None) -> Any:
    run_id = inbox.company.add_run(f"night/{uuid.uuid4().hex}")
    inbox.company.add_people(names)
    inbox.company.decide(run_id, names)
    plan(inbox.workspace)
    options = DispatchOptions(workers=1, watch_every=AT_EACH_CLAIM)
    report = dispatch(inbox.workspace, channel=channel or SendgridBox(), rules=WATCHED, options=options)
    rows = inbox.company.connection.execute("select message_id from ledger.message where run_id = %s", [run_id])
    inbox.sent = [row[0] for row in rows]
    return report


def test_bounces_open_the_breaker_with_their_figures(inbox: Inbox) -> None:
    inbox.tell("bounce", 1, type="bounce")
    assert inbox.watch() == []
    inbox.tell("bounce", 2, type="bounce")
    assert inbox.watch() == [
        "circuit breaker: 2 bounces among the latest 20 messages of sendgrid (10.00%), limit 10.00%."
    ]


def test_complaints_warn_first_and_then_open_the_breaker(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.tell("spamreport", 1)
    assert inbox.watch() == []
    assert "Channel email: 1 complaints among the latest 20 messages of sendgrid (5.00%)" in caplog.text
    inbox.tell("spamreport", 3)
    assert inbox.watch() == [
        "circuit breaker: 3 complaints among the latest 20 messages of sendgrid (15.00%), limit 15.00%."
    ]
    assert "safar resume --channel email" in caplog.text


@pytest.mark.parametrize(
    ("kind", "keys"), [("dropped", {"reason": "Bounced Address"}), ("bounce", {"type": "blocked"})]
)
def test_what_the_provider_drops_and_servers_block_is_refused(inbox: Inbox, kind: str, keys: dict[str, str]) -> None:
    inbox.tell(kind, 2, **keys)
    assert inbox.watch() == [
        "circuit breaker: 2 refusals among the latest 20 messages of sendgrid (10.00%), limit 10.00%."
    ]


def test_messages_refused_at_the_call_count_as_refusals(inbox: Inbox) -> None:
    report = send_to(inbox, [f"wrong{number}" for number in range(20)], Refusing(5))
    assert report.messages["failed"] == 5
    assert inbox.watch() == [
        "circuit breaker: 5 refusals among the latest 40 messages of sendgrid (12.50%), limit 10.00%."
    ]


def test_openings_by_machines_clicks_and_deferrals_do_not_count(inbox: Inbox) -> None:
    inbox.tell("open", 20, sg_machine_open=True)
    for kind in ("open", "click", "deferred", "delivered", "unsubscribe"):
        inbox.tell(kind, 20)
    assert inbox.watch() == []


def test_too_few_messages_say_nothing(inbox: Inbox) -> None:
    inbox.tell("bounce", 20, type="bounce")
    assert inbox.watch(replace(LIMITS, min_messages=21)) == []
    assert len(inbox.watch()) == 1


def test_only_the_latest_messages_are_looked_at(inbox: Inbox) -> None:
    inbox.company.connection.execute("update ledger.provider_call set recorded_at = recorded_at - interval '1 day'")
    send_to(inbox, [f"later{number}" for number in range(20)])
    with inbox.workspace.open_ledger() as connection:
        assert watch_channel(connection, "email", "sendgrid", LIMITS).attempted_count == 40
        assert watch_channel(connection, "email", "sendgrid", replace(LIMITS, last_messages=20)).attempted_count == 20


def test_the_open_breaker_holds_a_dispatch_until_a_person_resumes_and_counts_anew(inbox: Inbox) -> None:
    inbox.company.add_people(["waiting"])
    inbox.company.decide(inbox.company.add_run("night/waiting"), ["waiting"])
    plan(inbox.workspace)
    inbox.tell("bounce", 4, type="bounce")
    report = dispatch(inbox.workspace, channel=SendgridBox(), rules=WATCHED)
    assert (report.accepted_count, report.left) == (0, {"paused": 1})
    for _ in range(2):
        assert len(inbox.watch()) == 1, "it is opened once, however often somebody looks"
    lifted = resume_sending(inbox.workspace, channel="email", lifted_by="oncall")
    assert [pause.created_by for pause in lifted] == ["circuit breaker"]
    assert inbox.watch() == [], "the figures of before are forgiven"
    send_to(inbox, [f"again{number}" for number in range(20)])
    assert inbox.watch() == []
    inbox.tell("bounce", 4, type="bounce")
    assert len(inbox.watch()) == 1


def test_it_opens_in_the_middle_of_a_dispatch(inbox: Inbox) -> None:
    names = [f"middle{number}" for number in range(12)]
    inbox.company.add_people(names)
    inbox.company.decide(inbox.company.add_run("night/middle"), names)
    plan(inbox.workspace)
    calls = 0

    def bounce_after_the_second_call(point: str) -> None:
        nonlocal calls
        calls += point == "after the record is committed"
        if calls == 2 and point == "after the record is committed":
            inbox.tell("bounce", 4, type="bounce")

    report = dispatch(
        inbox.workspace,
        channel=SendgridBox(),
        rules=WATCHED,
        options=DispatchOptions(workers=1, batch_size=3, watch_every=AT_EACH_CLAIM),
        checkpoint=bounce_after_the_second_call,
    )
    assert (report.accepted_count, report.left) == (6, {"paused": 6})


def test_collecting_feedback_looks_at_the_channel(
    inbox: Inbox, running_sandbox: RunningSandbox, connections: dict[str, Any], open_workspace: OpenWorkspace
) -> None:
    inbox.tell("bounce", 2, type="bounce")
    connections["sendgrid"] = describe_sendgrid(f"{running_sandbox.root}/sendgrid")
    report = collect_feedback(open_workspace(NOON), LIMITS)
    assert "latest 20 messages of sendgrid: 0 refused, 2 bounced, 0 complaints" in report.describe()
    assert [pause.created_by for pause in list_pauses(inbox.workspace)] == ["circuit breaker"]


def test_the_company_s_own_bounces_open_it(
    company: Company, sandbox: RunningSandbox, connections: dict[str, Any], open_workspace: OpenWorkspace
) -> None:
    provider, port = SandboxCompany(sandbox.root), find_free_port()
    key = provider.register_webhook(f"http://127.0.0.1:{port}")
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid", event_public_key=key)
    now = provider.read_clock().astimezone(UTC).replace(hour=10) + timedelta(days=1)
    provider.move_clock(now)
    workspace = open_workspace(now)
    publish_by_hand(workspace)
    names = [f"nobody-{now:%d}-{number}" for number in range(20)]
    company.add_people(names)
    company.decide(company.add_run(), names, due_at=now, entry_occurred_at=now, expires_at=now + timedelta(days=2))
    plan(workspace)
    assert dispatch(workspace, rules=WATCHED).accepted_count == 20
    with run_intake(workspace, port):
        provider.move_clock(now + timedelta(hours=12))
    forget_webhook(sandbox, port)
    with workspace.open_ledger() as connection:
        assert watch_channel(connection, "email", "sendgrid", LIMITS).bounced_count == 20
    assert [pause.channel for pause in list_pauses(workspace)] == ["email"]


def forget_webhook(sandbox: RunningSandbox, port: int) -> None:
    root = f"{sandbox.root}/sendgrid/v3/user/webhooks/event/settings"
    headers = {"Authorization": f"Bearer {SENDGRID_KEY}"}
    for hook in requests.get(f"{root}/all", headers=headers, timeout=30).json()["webhooks"]:
        if f":{port}/" in hook["url"]:
            requests.delete(f"{root}/{hook['id']}", headers=headers, timeout=30).raise_for_status()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("last_messages", 10000),
        ("min_messages", 2000),
        ("refusals", Decimal("0.05")),
        ("bounces", Decimal("0.02")),
        ("complaints_warn", Decimal("0.001")),
        ("complaints", Decimal("0.003")),
    ],
)
def test_the_thresholds_are_those_of_the_project(setting: str, value: Any) -> None:
    breaker = DeliveryRules.from_catalogue(load_catalogue(Settings.from_environment())).breaker
    assert getattr(breaker, setting) == value
