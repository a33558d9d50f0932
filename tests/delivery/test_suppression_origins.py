"""Whatever says that an address is not to be written to, from its source to a claim that refuses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.conftest import DBT, LOGINS
from tests.delivery.conftest import (
    KEY,
    NOON,
    Company,
    OpenWorkspace,
    RunningSandbox,
    describe_sendgrid,
    dispatch,
    plan,
    publish_by_hand,
)
from tests.feedback.conftest import SuppressionServer
from tests.intake.conftest import Provider, RunningIntake, provider, serve  # noqa: F401

from safar.delivery.addresses import hash_address
from safar.feedback.collecting import fetch_suppressions
from safar.services.company import Company as Vendors
from safar.services.vendors import describe_vendors


@dataclass
class Origins:
    """Each of its methods lets one source say that anna is not to be written to."""

    company: Company
    connections: dict[str, Any]
    open_workspace: OpenWorkspace
    sandbox: RunningSandbox
    provider: Provider
    serve: Callable[..., Any]
    anna: str

    @property
    def home(self) -> Path:
        return self.open_workspace(NOON).settings.home

    @property
    def email(self) -> str:
        return f"{self.anna}@example.com"

    @property
    def hashed(self) -> str:
        return hash_address(KEY, "email", self.email)

    def post_events(self, *events: dict[str, Any]) -> None:
        here = describe_sendgrid("http://127.0.0.1:1", event_public_key=self.provider.public_key)
        self.connections["sendgrid"] = here
        with self.serve(self.open_workspace(NOON)) as intake:
            self._post(intake, events)

    def _post(self, intake: RunningIntake, events: tuple[dict[str, Any], ...]) -> None:
        full = [
            {"email": self.email, "timestamp": int(NOON.timestamp()), "sg_event_id": uuid.uuid4().hex, **event}
            for event in events
        ]
        assert intake.post(full, NOON).status_code == 200

    def bounce(self, at: datetime) -> dict[str, Any]:
        return {"event": "bounce", "type": "blocked", "timestamp": int(at.timestamp())}

    def hard_bounce(self) -> None:
        self.post_events({"event": "bounce", "type": "bounce"})

    def complaint(self) -> None:
        self.post_events({"event": "spamreport"})

    def five_soft_bounces(self) -> None:
        self.post_events(*(self.bounce(NOON - timedelta(days=day)) for day in range(5)))

    def five_soft_bounces_one_by_one_and_out_of_order(self) -> None:
        for day in (3, 1, 5, 2, 4):
            self.post_events(self.bounce(NOON - timedelta(days=day)))

    def vendor_list(self, name: str) -> None:
        with SuppressionServer() as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            self.connections["sendgrid"] = {"conn_type": "http", "host": server.url, "password": "SG.test"}
            server.add(name, self.email.upper(), NOON - timedelta(days=1))
            assert fetch_suppressions(self.open_workspace(NOON))[name] == 1
            server.shutdown()
            thread.join()

    def leave_at_the_company(self) -> None:
        answer = requests.post(
            f"{self.sandbox.root}/sendgrid/v3/asm/suppressions/global",
            json={"recipient_emails": [self.email]},
            headers={"Authorization": "Bearer SG.sandbox"},
            timeout=10,
        )
        answer.raise_for_status()
        # The company's clock is its own; what is asked for ends now, by ours.
        now = datetime.fromisoformat(requests.get(f"{self.sandbox.root}/clock", timeout=10).json()["now"])
        assert fetch_suppressions(self.open_workspace(max(now, NOON)))["unsubscribes"] >= 1

    def erase_by_id(self) -> None:
        done = self.command("erase", "--contact", self.anna)
        assert done.returncode == 0, done.stdout + done.stderr

    def erase_by_address(self) -> None:
        done = self.command("erase", "--address-from-stdin", typed=f"{self.email.upper()}\n")
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.email not in done.stdout + done.stderr

    def come_back(self) -> None:
        """A vendor tells of anna's address again, under a name of which nobody knows anything, and a night plans."""
        self.company.connection.execute(
            "insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid, "
            "from_sequence) values ('somebody.new', 'email', %s, %s, 'test', true, 0)",
            [self.email, self.hashed],
        )
        self.company.permit("somebody.new", "granted", NOON - timedelta(minutes=1), self.hashed)
        run_id = self.company.add_run("night/2")
        self.company.decide(run_id, [self.anna], occurrence_key="again")
        self.company.connection.execute(
            "update decisions.fct_decisions set contact_id = 'somebody.new' where run_id = %s", [run_id]
        )
        assert plan(self.open_workspace(NOON)).results["planned"] == 1

    def command(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in self.connections.items()}
        return subprocess.run(
            [sys.executable, "-m", "safar", *arguments],
            input=typed,
            env={**os.environ, **environment, "SAFAR_ENVIRONMENT": "sandbox", "SAFAR_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    def suppress_by_id(self) -> None:
        done = self.command("suppress", "--contact", self.anna, "--reason", "deceased")
        assert done.stdout == "1 addresses newly suppressed.\n", done.stderr

    def suppress_by_address(self) -> None:
        done = self.command("suppress", "--reason", "asked_by_letter", typed=f"{self.email.title()}\n")
        assert done.stdout == "1 addresses newly suppressed.\n", done.stderr


@pytest.fixture
def origins(
    sandbox: RunningSandbox,
    company: Company,
    open_workspace: OpenWorkspace,
    connections: dict[str, Any],
    provider: Provider,  # noqa: F811
    serve: Callable[..., Any],  # noqa: F811
) -> Origins:
    """Anna and Bert are about to be written to; nobody else at the sandbox has their addresses."""
    connections |= describe_vendors(Vendors(sandbox.root), "")
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid")
    publish_by_hand(open_workspace(NOON))
    mark = uuid.uuid4().hex[:8]
    names = [f"anna.{mark}", f"bert.{mark}"]
    # In life dbt has made the table; an erasure rewrites it with the same login.
    company.connection.execute(f"alter table decisions.fct_decisions owner to {LOGINS[DBT]}")
    company.connection.execute(f"grant usage on schema decisions to {LOGINS[DBT]}")
    company.add_people(names)
    company.decide(company.add_run(), names)
    plan(open_workspace(NOON))
    return Origins(company, connections, open_workspace, sandbox, provider, serve, names[0])


def dispatch_and_compare(origins: Origins) -> dict[str, int]:
    """Dispatches through the sandbox's SendGrid; by the provider's truth only what was accepted has left."""
    origins.connections["sendgrid"] = describe_sendgrid(f"{origins.sandbox.root}/sendgrid")
    report = dispatch(origins.open_workspace(NOON))
    ours = dict(origins.company.connection.execute("select message_id::text, state from ledger.message").fetchall())
    arrived = {mail["message_id"] for mail in origins.sandbox.read_truth()["mails"]} & set(ours)
    assert arrived == {message_id for message_id, state in ours.items() if state == "accepted"}
    return dict(report.messages)


@pytest.mark.parametrize(
    ("act", "verdict"),
    [
        (Origins.hard_bounce, "suppressed"),
        (Origins.complaint, "suppressed"),
        (Origins.five_soft_bounces, "suppressed"),
        (Origins.five_soft_bounces_one_by_one_and_out_of_order, "suppressed"),
        (lambda origins: origins.vendor_list("bounces"), "suppressed"),
        (lambda origins: origins.vendor_list("invalid_emails"), "suppressed"),
        (lambda origins: origins.vendor_list("spam_reports"), "suppressed"),
        (Origins.leave_at_the_company, "opted_out"),
        (Origins.suppress_by_id, "suppressed"),
        (Origins.suppress_by_address, "suppressed"),
    ],
    ids=[
        "a hard bounce",
        "a complaint",
        "five soft bounces",
        "five soft bounces, out of order",
        "the vendor's bounces",
        "the vendor's invalid addresses",
        "the vendor's complaints",
        "the company's own global unsubscribes",
        "by hand, by id",
        "by hand, by address",
    ],
)
def test_each_origin_reaches_the_claim(origins: Origins, act: Callable[[Origins], None], verdict: str) -> None:
    act(origins)
    assert dispatch_and_compare(origins) == {f"cancelled: {verdict}": 1, "accepted": 1}


def test_by_hand_by_id_means_every_address_under_every_name(origins: Origins) -> None:
    origins.company.add_people(["annabel"])
    origins.company.merge(origins.anna, "annabel")
    done = origins.command("suppress", "--contact", "annabel", "--reason", "deceased")
    assert done.stdout == "2 addresses newly suppressed.\n", done.stderr
    assert dispatch_and_compare(origins) == {"cancelled: suppressed": 1, "accepted": 1}


def test_four_soft_bounces_or_a_delivery_between_stop_nobody(origins: Origins) -> None:
    days = [origins.bounce(NOON - timedelta(days=day)) for day in (1, 2, 4, 5, 6)]
    delivered = {"event": "delivered", "timestamp": int((NOON - timedelta(days=3)).timestamp())}
    deferred = [{"event": "deferred", "timestamp": int((NOON - timedelta(hours=n)).timestamp())} for n in range(5)]
    origins.post_events(*days, delivered, *deferred)
    assert dispatch_and_compare(origins) == {"accepted": 2}


def test_a_lifted_suppression_lets_mail_through_until_there_is_a_new_reason(origins: Origins) -> None:
    origins.hard_bounce()
    origins.suppress_by_id()
    done = origins.command("unsuppress", "--contact", origins.anna, "--reason", "our_mistake")
    assert done.stdout == "2 suppressions lifted.\n", done.stderr
    assert origins.company.scalar("select count(*) from ledger.suppression") == 2
    assert dispatch_and_compare(origins) == {"accepted": 2}
    origins.complaint()
    assert origins.company.scalar("select count(*) from ledger.suppression_in_force") == 1


@pytest.mark.parametrize("erase", [Origins.erase_by_id, Origins.erase_by_address], ids=["by id", "by address"])
def test_an_erasure_takes_back_what_waits_and_refuses_what_is_planned_for_the_address_again(
    origins: Origins, erase: Callable[[Origins], None]
) -> None:
    erase(origins)
    assert origins.company.count_states() == {"cancelled: erased": 1, "planned": 1}
    origins.come_back()
    assert dispatch_and_compare(origins) == {"cancelled: suppressed": 1, "accepted": 1}


def test_an_erasure_is_never_lifted_and_no_answer_repeats_an_address(origins: Origins) -> None:
    origins.erase_by_address()
    done = origins.command("unsuppress", "--reason", "our_mistake", typed=f"{origins.email}\n")
    assert done.returncode == 1
    assert "never lifted" in done.stderr
    wrong = origins.command("suppress", "--reason", "deceased", typed="not an address\n")
    assert wrong.returncode == 1
    assert "no e-mail address" in wrong.stderr
    stranger = origins.command("suppress", "--reason", "deceased", "--contact", "nobody")
    assert "no address of contact" in stranger.stderr
    named = origins.command("suppress", "--reason", "Said so: no", typed=f"{origins.email}\n")
    assert "--reason is one name" in named.stderr
    for answer in (done, wrong, stranger, named):
        assert origins.email not in answer.stdout + answer.stderr
    assert dispatch_and_compare(origins) == {"accepted": 1}
