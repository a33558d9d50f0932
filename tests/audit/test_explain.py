"""The whole story of a person or a message, without an address, and with a trace of who looked."""

from __future__ import annotations

import getpass
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.delivery.conftest import KEY, NOON, Company, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.audit import Story, explain
from safar.audit.explaining import print_story
from safar.delivery.addresses import hash_address
from safar.errors import SafarError
from safar.workspace import Workspace

ENTRIES_TABLE = """
create table decisions.fct_entries (
    campaign text, contact_id text, occurrence_key text, run_id text, occurred_at timestamptz, entered_at timestamptz,
    arm text
)
"""
ENTRY = """
insert into decisions.fct_entries values
    ('reactivation', 'anna', 'once', 'night/1', %(noon)s - interval '2 hours', %(noon)s, 'treatment')
"""
ANNA = hash_address(KEY, "email", "anna@example.com")


@pytest.fixture
def noon(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace(NOON)


@pytest.fixture
def anna(noon: Workspace, company: Company) -> str:
    """Anna has a story of every kind; Bert's is nobody else's business. Returns the id of her message."""
    company.add_people(["anna", "bert"])
    run_id = company.add_run()
    company.connection.execute(ENTRIES_TABLE)
    company.connection.execute(ENTRY, {"noon": NOON})
    company.decide(run_id, ["anna", "bert"], decided_at=NOON, outcome_detail="first of two")
    plan(noon)
    dispatch(noon, channel=Postbox())
    message_id: str = company.scalar("select message_id::text from ledger.message where contact_id = 'anna'")
    company.connection.execute(
        "insert into ledger.provider_event (provider, event_id, message_id, event_type, occurred_at) "
        "values ('sendgrid', '1', %s, 'delivered', %s)",
        [message_id, NOON + timedelta(minutes=1)],
    )
    company.connection.execute(
        "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at) "
        "values ('email', %s, 'complaint', 'sendgrid', '2', %s)",
        [ANNA, NOON + timedelta(hours=1)],
    )
    company.connection.execute(
        "insert into ledger.goal_seen (campaign, contact_id, goal_at) values ('reactivation', 'anna', %s)",
        [NOON + timedelta(hours=2)],
    )
    company.connection.execute(
        "insert into ledger.contact_alias (alias_id, contact_id, from_sequence) values ('old-anna', 'anna', 1)"
    )
    company.connection.execute(
        "insert into ledger.stop (contact_id, reason, created_by) values ('anna', 'asked by telephone', 'the service desk')"
    )
    return message_id


EVERYTHING = {
    "address", "alias", "permission", "entry", "decision", "plan", "approval", "action", "message", "transition",
    "event", "suppression", "goal", "stop",
}  # fmt: skip


@pytest.mark.parametrize("key", ["anna", "old-anna"])
def test_a_persons_story_is_whole_and_in_order(noon: Workspace, anna: str, key: str) -> None:
    story = explain(noon, key)
    assert story.list_kinds() == EVERYTHING
    moments = [line.moment for line in story.lines]
    assert moments == sorted(moments)
    assert [line.text.split(": ", 1)[1] for line in story.lines if line.kind == "transition"] == [
        "planned → claimed",
        "claimed → attempting",
        "attempting → accepted",
    ]
    assert all(line.at and line.recorded_at for line in story.lines if line.kind == "transition")
    (decision,) = (line.text for line in story.lines if line.kind == "decision")
    assert decision == "reactivation/reminder (once): send (first of two), in run night/1"
    assert "bert" not in _print(story)


def test_a_messages_story_is_that_of_the_message(noon: Workspace, company: Company, anna: str) -> None:
    company.decide("night/1", ["anna"], step="offer", decided_at=NOON)
    story = explain(noon, anna)
    assert {"permission", "entry", "decision", "plan", "message", "transition", "event", "stop"} <= story.list_kinds()
    assert "offer" not in _print(story)
    assert sum(line.kind == "message" for line in story.lines) == 1


def test_an_address_is_found_by_its_hash_and_shown_masked(noon: Workspace, anna: str) -> None:
    story = explain(noon, address=" Anna@Example.com")
    assert story.list_kinds() == EVERYTHING
    shown = _print(story)
    assert "anna@" not in shown.lower()
    assert "@" in next(line.text for line in story.lines if line.kind == "address")


def test_an_address_without_a_person_still_has_a_story(noon: Workspace, company: Company) -> None:
    company.permit("nobody", "revoked", NOON, hash_address(KEY, "email", "gone@example.com"))
    assert explain(noon, address="gone@example.com").list_kinds() == {"permission"}


@pytest.mark.parametrize(
    ("key", "address", "problem"),
    [
        ("anna@example.com", None, "does not belong on a command line"),
        ("unknown", None, "knows no contact and no message"),
        ("b3b5bb2c-4bd6-4d1c-9e7e-5d6f0f1f7b1a", None, "knows no contact and no message"),
        (None, "unknown@example.com", "knows nothing of this address"),
        (None, "no address", "is no e-mail address"),
        (None, None, "Give the id"),
    ],
)
def test_what_the_ledger_does_not_know_is_said_without_repeating_it(
    noon: Workspace, company: Company, key: str | None, address: str | None, problem: str
) -> None:
    with pytest.raises(SafarError, match=problem) as refused:
        explain(noon, key, address=address)
    assert "@example.com" not in str(refused.value)
    assert company.scalar("select count(*) from ledger.access_log") == 0


def test_each_look_is_written_down_without_an_address(noon: Workspace, company: Company, anna: str) -> None:
    explain(noon, "anna")
    explain(noon, anna)
    explain(noon, address="anna@example.com")
    rows = company.connection.execute(
        "select verb, subject_kind, subject_id, used_by from ledger.access_log order by access_id"
    ).fetchall()
    user = f"os:{getpass.getuser()}"
    assert rows == [
        ("explain", "contact", "anna", user),
        ("explain", "message", anna, user),
        ("explain", "address", ANNA, user),
    ]


def test_the_command_reads_an_address_from_standard_input(
    anna: str, connections: dict[str, Any], tmp_path: Path
) -> None:
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    done = subprocess.run(
        [sys.executable, "-m", "safar", "explain", "--address-from-stdin"],
        input="anna@example.com\n",
        env={**os.environ, **environment, "SAFAR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "attempting → accepted" in done.stdout
    assert "anna@" not in done.stdout + done.stderr


def _print(story: Story) -> str:
    output = io.StringIO()
    print_story(story, Console(file=output, width=250))
    return output.getvalue()
