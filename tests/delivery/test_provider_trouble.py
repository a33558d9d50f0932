"""Whatever the provider answers, each message is accounted for and nobody gets it twice."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.delivery.conftest import (
    NOON,
    QUICK,
    Company,
    OpenWorkspace,
    RunningSandbox,
    describe_sendgrid,
    dispatch,
    plan,
    publish_by_hand,
)

from safar.delivery.dispatching import DispatchOptions
from safar.delivery.pacing import Patience
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.errors import ConfigurationError
from safar.services.postgres import find_free_port
from safar.workspace import Workspace

# Two workers may share what is due between them: what one holds while the other is refused goes back without a reason.
# Calls are as large as the provider takes them.
ONE_WORKER = DispatchOptions(workers=1, batch_size=1000, patience=QUICK)


@pytest.fixture
def noon(sandbox: RunningSandbox, open_workspace: OpenWorkspace, company: Company) -> Workspace:
    workspace = open_workspace(NOON)
    publish_by_hand(workspace)
    return workspace


@pytest.fixture
def plan_people(noon: Workspace, company: Company, request: pytest.FixtureRequest) -> Any:
    """Plans one message to each of so many people, none of whom another test knows."""

    def plan_for(count: int, **decision: Any) -> list[str]:
        names = [f"{request.node.name[:40].replace('[', '-').rstrip(']')}-{number}" for number in range(count)]
        company.add_people(names)
        company.decide(company.add_run(), names, **decision)
        plan(noon)
        return names

    return plan_for


def list_arrived(company: Company, sandbox: RunningSandbox) -> dict[str, int]:
    """How often each message of this test's ledger arrived, by the provider's truth."""
    ours = {str(row[0]) for row in company.connection.execute("select message_id from ledger.message")}
    return {
        mail["message_id"]: mail["accepted_count"]
        for mail in sandbox.read_truth()["mails"]
        if mail["message_id"] in ours
    }


def test_messages_arrive_and_the_ledger_agrees_with_the_provider(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(1200)
    report = dispatch(noon, options=ONE_WORKER)
    assert (report.messages, report.calls) == ({"accepted": 1200}, {"accepted": 2})
    arrived = list_arrived(company, sandbox)
    assert len(arrived) == 1200
    assert set(arrived.values()) == {1}
    assert company.scalar("select count(distinct provider_message_id) from ledger.message") == 2
    assert dispatch(noon).messages == {}


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
def test_one_bad_address_among_a_thousand_costs_one_message_and_at_most_22_calls(
    noon: Workspace,
    company: Company,
    sandbox: RunningSandbox,
    plan_people: Any,
    is_named: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = plan_people(1000)
    if not is_named:
        monkeypatch.setattr("safar.delivery.sendgrid_answers.POSITION", __import__("re").compile("never"))
        monkeypatch.setattr("safar.delivery.sendgrid_answers._list_shared_fields", lambda fields: [])
    sandbox.break_with("bad_request_for_one", count=None, email=f"{names[637]}@example.com")
    report = dispatch(noon, options=ONE_WORKER)
    assert report.messages == {"accepted": 999, "failed": 1}
    assert report.calls.total() <= (2 if is_named else 22)
    arrived = list_arrived(company, sandbox)
    assert len(arrived) == 999
    assert set(arrived.values()) == {1}
    row: Any = company.connection.execute(
        "select contact_id, reason from ledger.message where state = 'failed'"
    ).fetchone()
    assert row[0] == names[637]
    assert row[1].startswith("http 400")
    assert "@" not in row[1]


def test_a_wrong_key_puts_everything_back_and_says_so(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(20)
    sandbox.break_with("unauthorized", count=1, path="mail/send")
    with pytest.raises(ConfigurationError, match=r"401 to connection 'sendgrid'.*API key"):
        dispatch(noon, options=ONE_WORKER)
    assert set(company.count_states()) == {"planned: the provider refuses us"}
    assert company.scalar("select count(*) from ledger.claim") == 0
    assert dispatch(noon).accepted_count == 20


@pytest.mark.parametrize("retry_after", [None, 1])
def test_too_many_requests_are_waited_for(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any, retry_after: int | None
) -> None:
    plan_people(20)
    options = {} if retry_after is None else {"retry_after": retry_after}
    sandbox.break_with("throttle", count=2, path="mail/send", **options)
    began = time.monotonic()
    report = dispatch(noon, options=ONE_WORKER)
    assert report.messages == {"put_back": 40, "accepted": 20}
    assert report.calls == {"try_later": 2, "accepted": 1}
    assert time.monotonic() - began > (retry_after or 0.01) * 2
    assert set(list_arrived(company, sandbox).values()) == {1}


def test_a_provider_that_stays_busy_ends_the_dispatch(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(20)
    sandbox.break_with("throttle", count=None, path="mail/send")
    report = dispatch(noon, options=ONE_WORKER)
    assert report.stopped_because == "429 too many requests"
    assert report.calls == {"try_later": QUICK.tries}
    assert set(company.count_states()) == {"planned: 429 too many requests"}


def test_a_provider_that_asks_for_an_hour_is_left_alone_for_an_hour(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(20)
    sandbox.break_with("throttle", count=1, path="mail/send", retry_after=3600)
    assert dispatch(noon).calls == {"try_later": 1}
    before = sandbox.count_requests()
    assert dispatch(noon).messages == {}
    assert sandbox.count_requests() == before
    company.connection.execute("update ledger.message set lease_until = now()")
    assert dispatch(noon).accepted_count == 20


class _Stranger(BaseHTTPRequestHandler):
    """Answers every post alike."""

    status = 200
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is its own."""


@pytest.mark.parametrize(
    ("status", "body", "states"),
    [
        (200, b"<html>Log in to the guest network</html>", {"unknown: http 200 is no acceptance": 2}),
        (202, b'{"errors": [{"message": "queue is read only"}]}', {"unknown: http 202 is no acceptance": 2}),
        (
            400,
            b'{"errors": [{"message": "bad", "field": "personalizations.7.to"}]}',
            {"failed: http 400 personalization.to bad": 2},
        ),
    ],
    ids=["a portal in between", "accepted with errors", "blames a message that is not in the call"],
)
def test_an_answer_that_is_no_acceptance_is_none(
    open_workspace: OpenWorkspace,
    company: Company,
    connections: dict[str, Any],
    plan_people: Any,
    status: int,
    body: bytes,
    states: dict[str, int],
) -> None:
    plan_people(2)
    stranger = type("Stranger", (_Stranger,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", 0), stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connections["sendgrid"] = describe_sendgrid(f"http://127.0.0.1:{server.server_port}")
        dispatch(open_workspace(NOON), options=ONE_WORKER)
        server.shutdown()
    assert company.count_states() == states


@pytest.mark.parametrize(
    "fault", ["timeout_after_accept", "reset_after_accept", "server_error_after_accept", "server_error"]
)
def test_a_lost_answer_is_unknown_and_never_sent_again(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any, fault: str
) -> None:
    plan_people(30)
    sandbox.break_with(fault, count=1, path="mail/send")
    report = dispatch(noon, options=DispatchOptions(workers=1, batch_size=10, patience=QUICK))
    assert report.messages == {"unknown": 10, "accepted": 20}
    arrived = list_arrived(company, sandbox)
    assert len(arrived) == (20 if fault == "server_error" else 30)
    assert set(arrived.values()) == {1}
    assert dispatch(noon).messages == {}


def test_a_provider_in_trouble_is_risked_few_messages(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(300)
    sandbox.break_with("server_error", count=None, path="mail/send")
    patience = Patience(first_pause=0.01, tries=4, probe_size=5)
    report = dispatch(noon, options=DispatchOptions(workers=1, batch_size=100, patience=patience))
    assert report.messages == {"unknown": 100 + 3 * 5}
    assert report.stopped_because == "a call got no answer (http 500)"


def test_a_call_that_is_too_large_is_halved(
    noon: Workspace, company: Company, sandbox: RunningSandbox, plan_people: Any
) -> None:
    plan_people(100)
    sandbox.break_with("payload_too_large", count=1, path="mail/send")
    report = dispatch(noon, options=ONE_WORKER)
    assert report.messages == {"accepted": 100}
    assert report.calls == {"too_large": 1, "accepted": 2}


def test_nobody_listening_is_definite(
    open_workspace: OpenWorkspace, company: Company, noon: Workspace, connections: dict[str, Any], plan_people: Any
) -> None:
    plan_people(20)
    connections["sendgrid"] = describe_sendgrid(f"http://127.0.0.1:{find_free_port()}")
    # One worker: what a second one had claimed meanwhile would go back without a call, and without a reason.
    report = dispatch(open_workspace(NOON), options=ONE_WORKER)
    assert report.stopped_because == "nobody listens there"
    assert set(company.count_states()) == {"planned: nobody listens there"}


def test_a_sender_that_is_refused_fails_nobody(
    open_workspace: OpenWorkspace,
    company: Company,
    sandbox: RunningSandbox,
    connections: dict[str, Any],
    plan_people: Any,
) -> None:
    plan_people(20)
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid", from_email="not an address")
    with pytest.raises(ConfigurationError, match=r"because of from\.email"):
        dispatch(open_workspace(NOON))
    assert set(company.count_states()) == {"planned: the provider refuses us"}


def test_a_template_that_is_not_published_keeps_its_messages(
    noon: Workspace, company: Company, plan_people: Any
) -> None:
    plan_people(5, template="cart_offer")
    with pytest.raises(ConfigurationError, match=r"'cart_offer' is not published"):
        dispatch(noon)
    assert set(company.count_states()) == {"planned: the provider refuses us"}


def test_a_mail_carries_what_it_must_and_nothing_personal(noon: Workspace, company: Company, plan_people: Any) -> None:
    plan_people(1)
    channel = SendGridChannel.open(noon, default_locale="en")
    bodies = []
    write = channel.write_body
    channel.write_body = lambda *given: bodies.append(write(*given)) or bodies[-1]  # type: ignore[method-assign, func-returns-value]
    dispatch(noon, channel=channel)
    [body] = bodies
    message_id = str(company.scalar("select message_id from ledger.message"))
    [person] = body["personalizations"]
    link = person["dynamic_template_data"]["unsubscribe_url"]
    assert link.startswith("http://127.0.0.1:1/unsubscribe/")
    assert person["headers"] == {
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert person["custom_args"] == {"message_id": message_id}
    assert body["categories"] == ["reactivation", "reminder"]
    assert "@" not in link


def test_what_a_dead_dispatcher_left_is_settled_by_the_next(
    noon: Workspace, company: Company, plan_people: Any
) -> None:
    names = plan_people(4)
    company.connection.execute(
        "insert into ledger.claim select 'dead', now() + interval '1 minute', array_agg(message_id) from ledger.message"
    )
    company.connection.execute(
        "update ledger.message set state = 'claimed', claimed_by = 'dead', claimed_at = %s", [NOON]
    )
    company.connection.execute(
        "update ledger.message set state = 'attempting', attempt_count = 1, attempted_at = %s where contact_id = any(%s)",
        [NOON, names[:2]],
    )
    assert dispatch(noon).messages == {}
    company.connection.execute("update ledger.claim set lease_until = now() - interval '1 second'")
    report = dispatch(noon)
    assert report.recovered == {"released": 2, "unknown": 2}
    assert company.count_states() == {"accepted": 2, "unknown: lease over": 2}


def test_a_claim_whose_lease_is_over_does_not_call(noon: Workspace, company: Company, plan_people: Any) -> None:
    plan_people(3)

    def take_away(point: str) -> None:
        if point == "after the claim is committed" and company.scalar("select count(*) from ledger.claim") == 1:
            company.connection.execute("delete from ledger.claim")
            company.connection.execute("update ledger.message set state = 'planned', lease_until = 'infinity'")

    report = dispatch(noon, checkpoint=take_away, options=DispatchOptions(workers=1, lease=timedelta(minutes=1)))
    assert report.calls == {}
    assert company.count_states() == {"planned": 3}
