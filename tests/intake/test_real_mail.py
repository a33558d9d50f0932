"""Mails as they arrive: every link in them looked at by a scanner, and a wish for more confirmed from the mailbox."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.publishing import publish_contents
from safar.delivery.rules import DeliveryRules
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.delivery.stops import pause_sending, resume_sending
from safar.delivery.template_files import compile_template
from safar.workspace import Workspace

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
RULES = DeliveryRules(zone=ZoneInfo("UTC"))
SAVE = {"confirm": "page"}
STATE = {
    "permission_event": "permission_event_id",
    "suppression": "suppression_id",
    "language_choice": "language_choice_id",
    "message": "message_id",
}


@pytest.fixture
def vendor(tmp_path) -> Iterator[str]:
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(tmp_path / "company")]
    with subprocess.Popen(
        [*command, "--people", "20", "--no-limits"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line
        yield line.split()[-1]
        process.terminate()


@pytest.fixture
def environment() -> str:
    return "sandbox"


@pytest.fixture
def deliver(vendor: str, connections, open_workspace, intake, environment: str) -> Callable[[str], dict[str, Any]]:
    """Dispatches what is due; returns the newest mail to an address: its HTML, its text and its headers."""
    extra = {
        **connections["sendgrid"]["extra"],
        "from_email": "us@safar.example",
        "live": True,
        "allow_hosts": ["127.0.0.1"],
    }
    connections["sendgrid"] = {"host": f"{vendor}/sendgrid", "password": "SG.sandbox", "extra": extra}
    connections["safar_intake"]["host"] = intake.url
    workspace: Workspace = open_workspace(NOW, environment=environment)
    templates = workspace.settings.templates
    names = ("reactivation_reminder", "permission_confirmation")
    publish_contents(
        workspace, [compile_template(templates, name, locale, {}) for name in names for locale in ("en", "fa")]
    )

    def dispatch(address: str) -> dict[str, Any]:
        channel = SendGridChannel.open(workspace, default_locale="en")
        send_due(workspace, channel, RULES, options=DispatchOptions(workers=1))
        listed = requests.get(f"{vendor}/mailbox", params={"search": address}, timeout=30).text
        number = re.findall(r'href="/mailbox/(\d+)"', listed)[0]
        page = requests.get(f"{vendor}/mailbox/{number}", timeout=30).text
        body = html.unescape(re.search(r'srcdoc="([^"]*)"', page)[1])  # type: ignore[index]
        return {"page": html.unescape(page), "html": body, "links": re.findall(r'href="([^"]+)"', body)}

    return dispatch


def read_state(ledger) -> dict[str, list[dict[str, Any]]]:
    return {
        name: ledger.execute(f"select * from ledger.{name} order by {key}").fetchall() for name, key in STATE.items()
    }


def plan_reminder(write_message, locale: str) -> None:
    write_message(
        "planned",
        locale=locale,
        template="reactivation_reminder",
        expires_at=NOW + timedelta(days=1),
        fields='{"first_name": "Berta"}',
    )


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_a_scanner_that_follows_every_link_changes_nothing(
    deliver, intake, ledger, write_message, permit, locale: str
) -> None:
    permit("marketing")
    plan_reminder(write_message, locale)
    mail = deliver("berta.quill@example.com")
    assert (
        requests.post(
            f"{intake.url}/subscribe",
            data={
                "email": "new.reader@example.com",
                "topic": "marketing",
                "form": "footer",
                "text_version": "1",
                "language": locale,
            },
            timeout=30,
        ).status_code
        == 200
    )
    question = deliver("new.reader@example.com")
    ours = sorted({url for url in mail["links"] + question["links"] if url.startswith(intake.url)})
    kinds = sorted(url.removeprefix(intake.url).split("/")[1] for url in ours)
    assert kinds == ["confirm", "preferences", "unsubscribe", "unsubscribe"]
    before = read_state(ledger)
    for url in ours:
        assert "@" not in url
        assert requests.get(url, timeout=30).status_code == 200
        assert requests.head(url, timeout=30).status_code in (200, 405)
        assert requests.get(url, headers={"User-Agent": "Barracuda"}, timeout=30).status_code == 200
        assert requests.options(url, timeout=30).status_code == 405
    assert read_state(ledger) == before


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_a_wish_for_more_is_confirmed_from_the_mailbox(
    deliver, intake, ledger, write_message, permit, locale: str
) -> None:
    permit("marketing")
    plan_reminder(write_message, locale)
    links = deliver("berta.quill@example.com")["links"]
    preferences = next(url for url in links if "/preferences/" in url)
    ticked = {**SAVE, "want:email:marketing": "yes", "want:email:service": "yes"}
    assert requests.post(preferences, data=ticked, timeout=30).status_code == 200
    question = deliver("berta.quill@example.com")
    label = {"en": "Tips for what you bought", "fa": "راهنمای آنچه خریده‌اید"}[locale]
    assert label in question["html"]
    confirm = next(url for url in question["links"] if "/confirm/" in url)
    assert requests.post(confirm, data=SAVE, timeout=30).status_code == 200
    row = ledger.execute(
        "select state, proof ->> 'form' as form from ledger.permission_event where topic = 'service'"
        " and state = 'granted'"
    ).fetchall()
    assert row == [{"state": "granted", "form": "preference_centre"}]
    states = ledger.execute("select step, state from ledger.message order by step").fetchall()
    assert [tuple(row.values()) for row in states] == [("ask", "accepted"), ("reminder", "accepted")]


@pytest.mark.parametrize("environment", ["production"])
def test_a_question_reaches_real_people_without_the_approval_that_a_campaign_needs(
    deliver, intake, ledger, write_message, permit
) -> None:
    permit("marketing")
    plan_reminder(write_message, "en")
    form = {"email": "new.reader@example.com", "topic": "marketing", "form": "footer", "text_version": "1"}
    assert requests.post(f"{intake.url}/subscribe", data=form, timeout=30).status_code == 200
    assert any("/confirm/" in url for url in deliver("new.reader@example.com")["links"])
    states = ledger.execute("select step, state from ledger.message order by step").fetchall()
    assert [tuple(row.values()) for row in states] == [("ask", "accepted"), ("reminder", "planned")]


def test_questions_can_be_paused_like_a_campaign(deliver, intake, ledger, workspace) -> None:
    pause_sending(workspace, campaign="permission_confirmation", reason="a flood", created_by="on call")
    form = {"email": "new.reader@example.com", "topic": "marketing", "form": "footer", "text_version": "1"}
    assert requests.post(f"{intake.url}/subscribe", data=form, timeout=30).status_code == 200
    with pytest.raises(IndexError):
        deliver("new.reader@example.com")
    assert ledger.execute("select state from ledger.message").fetchall() == [{"state": "planned"}]
    resume_sending(workspace, campaign="permission_confirmation", lifted_by="on call")
    assert deliver("new.reader@example.com")["links"]


def test_who_is_suppressed_gets_no_question(deliver, intake, ledger, write_message) -> None:
    write_message()
    ledger.execute(
        "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)"
        " select channel, address_hash, 'complaint', 'test', '1', %s from ledger.message",
        [NOW],
    )
    form = {"email": "berta.quill@example.com", "topic": "marketing", "form": "footer", "text_version": "1"}
    assert requests.post(f"{intake.url}/subscribe", data=form, timeout=30).status_code == 200
    with pytest.raises(IndexError):
        deliver("berta.quill@example.com")
    asked = ledger.execute("select state, reason from ledger.message where step = 'ask'").fetchone()
    assert asked == {"state": "cancelled", "reason": "suppressed"}
