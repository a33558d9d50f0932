"""The intake behind the simulated company: it posts what happened to its mails while its clock moves."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from sendgrid import SendGridAPIClient

from safar.clock import SandboxClock
from safar.delivery.unsubscribe_tokens import sign_unsubscribe_token
from safar.feedback import collect_feedback
from safar.workspace import Workspace

MAILS = 150


@pytest.fixture
def company(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(tmp_path / "company")]
    with subprocess.Popen(
        [*command, "--people", "400"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line
        yield line.split()[-1]
        process.terminate()


def register_webhook(company: str, url: str) -> str:
    session = requests.Session()
    session.headers["Authorization"] = "Bearer SG.sandbox"
    root = f"{company}/sendgrid/v3/user/webhooks/event/settings"
    kinds = ("processed", "dropped", "deferred", "delivered", "bounce", "open", "click", "spam_report", "unsubscribe")
    hook = session.post(root, json={"enabled": True, "url": url, **dict.fromkeys(kinds, True)}, timeout=30).json()
    answer = session.patch(f"{root}/signed/{hook['id']}", json={"enabled": True}, timeout=30).json()
    return str(answer["public_key"])


def send_mails(company: str, intake_url: str, messages: dict[uuid.UUID, str]) -> None:
    client = SendGridAPIClient("SG.sandbox", host=f"{company}/sendgrid").client
    people = []
    for message_id, email in messages.items():
        link = f"{intake_url}/unsubscribe/{sign_unsubscribe_token('test-token-key', message_id)}"
        headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        person = {"to": [{"email": email}], "custom_args": {"message_id": str(message_id)}, "headers": headers}
        people.append(person)
    content = [{"type": "text/html", "value": '<p>Hello</p><a href="https://shop.example/">Shop</a>'}]
    body = {"personalizations": people, "from": {"email": "us@safar.example"}, "subject": "Hello", "content": content}
    assert client.mail.send.post(request_body={**body, "categories": ["reactivation", "reminder"]}).status_code == 202


def test_what_the_company_tells_is_what_the_ledger_holds(
    company, connections, open_workspace, serve, ledger, write_message
) -> None:
    # The company needs the intake's port and the intake the company's key: served once for each.
    connections["sendgrid"] |= {"host": f"{company}/sendgrid", "password": "SG.sandbox"}
    with serve(open_workspace()) as running:
        url = running.url
    connections["sendgrid"]["extra"] = {"event_public_key": register_webhook(company, f"{url}/webhooks/sendgrid")}
    settled = open_workspace()
    workspace = Workspace(settled.settings, settled.connections, SandboxClock(company))
    contacts = requests.get(f"{company}/truth/people", timeout=60).json()[:MAILS]
    now = workspace.clock.now()
    messages = {
        write_message("unknown", planned_at=now, contact_id=str(number), address=person["email"]): person["email"]
        for number, person in enumerate(contacts)
    }
    for fault in ("repeat_events", "reorder_events", "forge_events"):
        fault_body = {"vendor": "sendgrid", "name": fault}
        requests.post(f"{company}/faults", json=fault_body, timeout=30).raise_for_status()
    with serve(workspace, port=int(url.rsplit(":", 1)[1])):
        send_mails(company, url, messages)
        moved = requests.post(f"{company}/clock", json={"now": "2026-03-05T00:00:00Z"}, timeout=300)
        moved.raise_for_status()
        collect_feedback(workspace)
    truth = requests.get(f"{company}/truth/sendgrid/counts", timeout=60).json()
    compare_with_truth(ledger, truth, len(messages))
    assert datetime.fromisoformat(moved.json()["now"]) == datetime(2026, 3, 5, tzinfo=UTC)


def compare_with_truth(ledger: Any, truth: dict[str, Any], mails: int) -> None:
    told = {"blocked": 0, "dropped": 0, "spamreport": 0, **truth["campaigns"]["reactivation"]["reminder"]}
    kinds = ledger.execute("select event_type, count(*) as events from ledger.provider_event group by 1").fetchall()
    kept = {"dropped": 0, "spamreport": 0, **{row["event_type"]: row["events"] for row in kinds}}
    assert kept["processed"] == mails
    assert kept["bounce"] == told["bounce"] + told["blocked"]
    assert [kept[kind] for kind in ("delivered", "dropped", "spamreport")] == [
        told[kind] for kind in ("delivered", "dropped", "spamreport")
    ]
    clickers = ledger.execute(
        "select count(distinct message_id) as messages from ledger.provider_event where event_type = 'click'"
    ).fetchone()
    assert clickers == {"messages": told["click"]}
    states = ledger.execute("select state, count(*) as messages from ledger.message group by 1").fetchall()
    assert states == [{"state": "accepted", "messages": mails}]
    one_click = "select count(*) as rows from ledger.permission_event where source = 'unsubscribe_link'"
    assert ledger.execute(one_click).fetchone() == {"rows": told["one_click"]}


def test_what_happens_in_the_shop_is_what_the_ledger_holds(
    company, write_keys, connections, open_workspace, serve, ledger
) -> None:
    settled = open_workspace()
    workspace = Workspace(settled.settings, settled.connections, SandboxClock(company))
    with serve(workspace) as running:
        collector = {"url": running.url, "page_key": write_keys["web"], "server_key": write_keys["backend"]}
        requests.post(f"{company}/tracking/collector", json=collector, timeout=30).raise_for_status()
        requests.post(f"{company}/clock", json={"now": "2026-03-03T20:00:00Z"}, timeout=120).raise_for_status()
    told = requests.get(f"{company}/tracking/told", timeout=30).json()
    row = ledger.execute(
        "select count(*) as events, count(*) filter (where is_bot) as bots, count(email) as addresses,"
        " count(*) filter (where key_name = 'web' and user_id is not null) as named,"
        " max(received_at - occurred_at) < interval '2 hours' as is_fresh from ledger.app_event"
    ).fetchone()
    assert told == {"told": row["events"], "waiting": 0}
    assert row["is_fresh"]
    assert all(row[name] > 0 for name in ("bots", "addresses", "named"))
