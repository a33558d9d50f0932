"""A ledger with decisions to plan, and a really started sandbox to send to."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import requests

from safar.delivery.addresses import hash_address
from safar.delivery.channel import CallGroup
from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.pacing import Patience
from safar.delivery.planning import plan_pending
from safar.delivery.quiet_hours import QuietHours
from safar.delivery.reports import DispatchReport, PlanReport
from safar.delivery.rules import AudienceLimit, DeliveryRules, FrequencyCap
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.services.postgres import find_free_port
from safar.workspace import Workspace

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = "test-address-key"
RULES = DeliveryRules(
    zone=ZoneInfo("UTC"),
    quiet_hours=QuietHours(),
    caps=(FrequencyCap("email", "marketing", 3, timedelta(days=7)),),
)
LIMIT = AudienceLimit(people=100_000, growth=Decimal("0.5"))
QUICK = Patience(first_pause=0.01, longest_pause=2.0)

DECISIONS = """
create schema decisions;
create table decisions.fct_decisions (
    run_id text, run_sequence bigint, campaign text, step text, contact_id text, occurrence_key text, channel text,
    template text, class text, topic text, priority int, entry_occurred_at timestamptz, due_at timestamptz,
    expires_at timestamptz, outcome text, outcome_detail text, address_hash text, locale text, fields jsonb,
    decided_at timestamptz
);
create unique index on decisions.fct_decisions (run_id, campaign, step, contact_id, occurrence_key);
"""


@dataclass
class Company:
    """Puts people and decisions where planning finds them."""

    connection: psycopg.Connection[Any]
    sequences: dict[str, int] = field(default_factory=dict)

    def add_run(self, run_id: str = "night/1") -> str:
        row = self.connection.execute(
            "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version) "
            "values (%s, 'nightly', %s, %s, %s, '{}', 'v') returning sequence",
            [run_id, *run_id.split("/"), NOON],
        ).fetchone()
        assert row is not None
        self.sequences[run_id] = row[0]
        return run_id

    def add_people(
        self,
        names: Sequence[str],
        *,
        state: str | None = "granted",
        domain: str = "example.com",
        time_zone: str | None = None,
    ) -> None:
        for name in names:
            address = f"{name}@{domain}"
            hashed = hash_address(KEY, "email", address)
            self.connection.execute(
                "insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid, "
                "time_zone, from_sequence) values (%s, 'email', %s, %s, 'test', true, %s, 0)",
                [name, address, hashed, time_zone],
            )
            if state is not None:
                self.permit(name, state, NOON - timedelta(days=30), hashed)

    def permit(self, name: str, state: str, at: datetime, hashed: str | None = None, topic: str = "marketing") -> None:
        hashed = hashed or hash_address(KEY, "email", f"{name}@example.com")
        self.connection.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key, "
            "occurred_at) values ('email', %s, %s, %s, %s, 'test', gen_random_uuid()::text, %s)",
            [topic, hashed, name, state, at],
        )

    def merge(self, former: str, person: str) -> None:
        """Two people turn out to be one; the ledger keeps writing to them under both names."""
        self.connection.execute(
            "insert into ledger.contact_alias (alias_id, contact_id, from_sequence) values (%s, %s, 0)",
            [former, person],
        )

    def decide(self, run_id: str, names: Sequence[str], **values: Any) -> None:
        decision = {
            "campaign": "reactivation",
            "step": "reminder",
            "occurrence_key": "once",
            "channel": "email",
            "template": "reactivation_reminder",
            "class": "marketing",
            "topic": "marketing",
            "priority": 50,
            "entry_occurred_at": NOON - timedelta(hours=1),
            "due_at": NOON,
            "expires_at": NOON + timedelta(hours=48),
            "outcome": "send",
            "locale": "en",
            "fields": {"first_name": "Anna"},
            **values,
        }
        columns = ["run_id", "run_sequence", "contact_id", "address_hash", *decision]
        marks = ", ".join(["%s"] * len(columns))
        decision["fields"] = json.dumps(decision["fields"])
        for name in names:
            hashed = hash_address(KEY, "email", f"{name}@example.com")
            self.connection.execute(
                f"insert into decisions.fct_decisions ({', '.join(columns)}) values ({marks})",
                [run_id, self.sequences[run_id], name, hashed, *decision.values()],
            )

    def scalar(self, query: str, *parameters: Any) -> Any:
        row = self.connection.execute(query, parameters).fetchone()
        return None if row is None else row[0]

    def count_states(self) -> dict[str, int]:
        query = "select coalesce(state || ': ' || nullif(reason, ''), state), count(*) from ledger.message group by 1"
        return dict(self.connection.execute(query).fetchall())


@pytest.fixture
def company(database: str) -> Iterator[Company]:
    with psycopg.connect(database, autocommit=True, options="-c timezone=UTC") as connection:
        connection.execute(DECISIONS)
        yield Company(connection)


@dataclass
class RunningSandbox:
    """One process of the simulated company."""

    process: subprocess.Popen[str]
    root: str

    def break_with(self, name: str, **options: Any) -> None:
        body = {"vendor": "sendgrid", "name": name, **options}
        requests.post(f"{self.root}/faults", json=body, timeout=10).raise_for_status()

    def mend(self) -> None:
        requests.delete(f"{self.root}/faults", timeout=10).raise_for_status()

    def read_truth(self) -> dict[str, Any]:
        answer = requests.get(f"{self.root}/truth/sendgrid/mails", timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def count_requests(self) -> int:
        answer = requests.get(f"{self.root}/truth/sendgrid/counts", timeout=60)
        answer.raise_for_status()
        return int(answer.json()["requests"])


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A small company without limits whose clock nobody moves."""
    home = tmp_path_factory.mktemp("company")
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(home), "--people", "20"]
    process = subprocess.Popen([*command, "--no-limits"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "http://" in line, line + process.stdout.read()
    yield RunningSandbox(process, line.split()[-1])
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture
def sandbox(running_sandbox: RunningSandbox, connections: dict[str, dict[str, object]]) -> Iterator[RunningSandbox]:
    """The company, whole, with the connection that reaches its SendGrid."""
    connections["sendgrid"] = describe_sendgrid(f"{running_sandbox.root}/sendgrid")
    yield running_sandbox
    running_sandbox.mend()


@pytest.fixture
def webhook(sandbox: RunningSandbox, connections: dict[str, Any]) -> Iterator[int]:
    """A port at which the sandbox's events arrive, signed with the key that the connection knows."""
    port = find_free_port()
    api = f"{sandbox.root}/sendgrid/v3/user/webhooks/event/settings"
    headers = {"Authorization": "Bearer SG.sandbox"}
    kinds = ("delivered", "processed", "bounce", "dropped", "deferred", "open", "click", "spam_report", "unsubscribe")
    body = {"enabled": True, "url": f"http://127.0.0.1:{port}/webhooks/sendgrid", **dict.fromkeys(kinds, True)}
    created = requests.post(api, json=body, headers=headers, timeout=10)
    created.raise_for_status()
    webhook_id = created.json()["id"]
    signed = requests.patch(f"{api}/signed/{webhook_id}", json={"enabled": True}, headers=headers, timeout=10)
    signed.raise_for_status()
    connections["sendgrid"] = describe_sendgrid(
        f"{sandbox.root}/sendgrid", event_public_key=signed.json()["public_key"]
    )
    yield port
    requests.delete(f"{api}/{webhook_id}", headers=headers, timeout=10)


def describe_sendgrid(host: str, **extra: object) -> dict[str, object]:
    sender = {"from_email": "hello@shop.example.com", "from_name": "Safar Shop", "timeout": 5, **extra}
    return {"conn_type": "http", "host": host, "password": "SG.sandbox", "extra": sender}


def publish_by_hand(workspace: Workspace, templates: Sequence[str] = ("reactivation_reminder",)) -> None:
    """Publishes templates that no catalogue names."""
    from safar.delivery.publishing import publish_contents
    from safar.delivery.template_files import compile_template, list_locales

    folder = workspace.settings.templates
    contents = [
        compile_template(folder, template, locale, {})
        for template in templates
        for locale in list_locales(folder, template)
    ]
    publish_contents(workspace, contents)


def plan(workspace: Workspace, campaign: str = "reactivation", **options: Any) -> PlanReport:
    return plan_pending(workspace, campaign, options.pop("rules", RULES), options.pop("limit", LIMIT), **options)


def dispatch(workspace: Workspace, **options: Any) -> DispatchReport:
    rules = options.pop("rules", RULES)
    channel = options.pop("channel", None) or SendGridChannel.open(workspace, default_locale="en")
    chosen = options.pop("options", DispatchOptions(patience=QUICK))
    return send_due(workspace, channel, rules, options=chosen, **options)


OpenWorkspace = Callable[..., Workspace]
GROUP = CallGroup("email", "reactivation", "reminder", "reactivation_reminder", "en", "marketing")
