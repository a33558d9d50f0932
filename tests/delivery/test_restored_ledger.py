"""An older ledger is restored: everything pauses, the provider's activity is accounted for, nobody gets a mail twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from tests.delivery.conftest import (
    DECISIONS,
    GROUP,
    NOON,
    RULES,
    Company,
    OpenWorkspace,
    RunningSandbox,
    plan,
    publish_by_hand,
)
from tests.delivery.restore_drill import Drill

from safar.catalogue import load_catalogue
from safar.delivery.claiming import Claimant
from safar.delivery.sendgrid_client import open_sendgrid
from safar.errors import ConfigurationError, SafarError
from safar.feedback import activity, reconcile_ledger
from safar.feedback.activity import ActivityReader
from safar.ledger import epochs
from safar.ledger.epochs import FILE_NAME, LedgerRestored, begin_epoch, require_known_epoch


@pytest.fixture
def drill(database: str, sandbox: RunningSandbox, open_workspace: OpenWorkspace) -> Iterator[Drill]:
    with psycopg.connect(database) as connection:
        connection.execute(DECISIONS)
    clock = requests.get(f"{sandbox.root}/clock", timeout=10).json()["now"]
    drill = Drill(database, sandbox, open_workspace, datetime.fromisoformat(clock).replace(hour=10))
    drill.move_clock(days=1)
    publish_by_hand(drill.workspace)
    yield drill
    drill.drop_backup()


def test_a_restored_ledger_pauses_until_it_is_reconciled_and_nobody_is_written_to_twice(drill: Drill) -> None:
    known, planned, doubtful, lost, fresh = (drill.name(*range(start, start + 6)) for start in (10, 20, 30, 40, 50))
    drill.decide(known)
    drill.plan()
    assert drill.send().messages == {"accepted": 6}
    drill.decide(doubtful)
    drill.plan()
    drill.sandbox.break_with("reset_after_accept")
    assert drill.send().messages == {"unknown": 6}
    drill.decide(planned)
    drill.plan()
    drill.back_up()
    # After the backup: what was planned leaves, and a night passes of which the backup has no row.
    assert drill.send().messages == {"accepted": 6}
    drill.move_clock(hours=1)
    drill.decide(lost)
    drill.plan()
    assert drill.send().messages == {"accepted": 6}
    drill.move_clock(hours=1)
    before = drill.count_mails()
    assert before == Counter({f"{name}@example.com": 1 for name in [*known, *planned, *doubtful, *lost]})

    drill.restore()
    for _ in range(2):
        with pytest.raises(LedgerRestored, match=r"restored from an older backup.*safar reconcile"):
            drill.send()
    with drill.open_company() as company:
        assert company.connection.execute(
            "select created_by, campaign, channel, lifted_at from ledger.stop"
        ).fetchall() == [("restore guard", None, None, None)]
    # Nor does a claim that never looked at the file take anything, and what is decided meanwhile waits.
    assert _claim(drill).messages == []
    drill.decide(lost)
    assert drill.plan().results == {"blocked": 6}

    report = drill.reconcile()
    assert report.forgotten_count == 18
    assert report.messages == {"cancelled": 6, "accepted": 6}
    drill.decide(lost, new=False)
    drill.decide(fresh)
    assert drill.plan().results == {"already_planned": 6, "planned": 6}
    assert drill.send().messages == {"accepted": 6}
    # Clear everything: the ledger knows its epoch again, and nothing is left to send.
    drill.move_clock(hours=1)
    assert drill.send().calls == {}
    assert drill.reconcile().describe() == "Nothing to reconcile: the ledger knows its newest epoch."
    with drill.open_company() as company:
        states = company.count_states()
    assert states == {
        "accepted": 12,
        "accepted: proven by the provider's activity": 6,
        "cancelled: sent before the restore": 6,
    }
    assert drill.count_mails() == before + Counter({f"{name}@example.com": 1 for name in fresh})


def test_what_began_after_the_reconciliation_is_planned_unless_it_happens_only_once(
    company: Company, open_workspace: OpenWorkspace
) -> None:
    company.add_people(["anna"])
    company.connection.execute(
        "insert into ledger.sent_elsewhere (provider, provider_message_id, channel, campaign, step, address_hash, "
        "seen_at, reconciled_at) select 'sendgrid', 'x', 'email', 'reactivation', 'reminder', address_hash, %s, %s "
        "from ledger.address",
        [NOON - timedelta(hours=3), NOON],
    )
    run_id = company.add_run()
    company.decide(run_id, ["anna"], occurrence_key="cart-1", entry_occurred_at=NOON)
    company.decide(run_id, ["anna"], occurrence_key="cart-2", entry_occurred_at=NOON + timedelta(seconds=1))
    company.decide(run_id, ["anna"], occurrence_key="once", entry_occurred_at=NOON + timedelta(seconds=1))
    company.decide(run_id, ["anna"], step="offer", occurrence_key="cart-1")
    assert plan(open_workspace(NOON)).results == {"already_planned": 2, "planned": 2}
    planned = company.connection.execute("select step, occurrence_key from ledger.message order by 1").fetchall()
    assert planned == [("offer", "cart-1"), ("reminder", "cart-2")]


def test_as_long_as_the_provider_does_not_tell_everything_stays_paused(
    drill: Drill, connections: dict[str, dict[str, object]]
) -> None:
    drill.decide(drill.name(1))
    drill.plan()
    drill.back_up()
    drill.send()
    drill.restore()
    connections["sendgrid"]["password"] = "SG.wrong"
    with pytest.raises(ConfigurationError, match=r"answers 401 .* scope messages\.read"):
        drill.reconcile()
    connections["sendgrid"]["password"] = "SG.sandbox"
    with pytest.raises(LedgerRestored):
        drill.send()
    assert drill.count_mails().total() == 1


def test_what_is_older_than_the_providers_memory_is_not_reconciled(drill: Drill) -> None:
    drill.decide(drill.name(1))
    drill.plan()
    with pytest.raises(SafarError, match=r"the provider remembers 30 days.*--since"):
        reconcile_ledger(
            drill.workspace, load_catalogue(drill.workspace.settings), since=drill.now - timedelta(days=31)
        )


def test_without_the_file_beside_it_a_ledger_that_has_made_calls_is_not_trusted(drill: Drill, tmp_path: Path) -> None:
    path = tmp_path / "home" / FILE_NAME
    drill.decide(drill.name(1))
    drill.plan()
    drill.send()
    path.unlink()
    with pytest.raises(LedgerRestored, match="does not name the last of them"):
        drill.send()
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="names no epoch"):
        drill.send()
    path.unlink()
    drill.move_clock(minutes=30)
    drill.reconcile()
    assert drill.send().calls == {}


def test_a_process_that_dies_while_an_epoch_begins_leaves_no_riddle(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        pass

    written: list[object] = []
    write = epochs.write_file

    def write_until_death(path: Path, content: epochs.EpochFile) -> None:
        if written:
            raise Died
        written.append(content)
        write(path, content)

    for _ in range(4):  # One dies after the other, before any call.
        written.clear()
        with monkeypatch.context() as patch, drill.workspace.open_ledger() as ledger:
            patch.setattr(epochs, "write_file", write_until_death)
            with pytest.raises(Died):
                begin_epoch(drill.workspace, ledger, "dispatch")
        with drill.workspace.open_ledger() as ledger:
            require_known_epoch(drill.workspace, ledger)
    with drill.workspace.open_ledger() as ledger:
        begin_epoch(drill.workspace, ledger, "dispatch")
        require_known_epoch(drill.workspace, ledger)


def test_more_mails_than_a_query_lists_are_all_found(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    drill.decide(drill.name(*range(70)))
    drill.plan()
    drill.send()
    drill.move_clock(hours=1)
    monkeypatch.setattr(activity, "LIMIT", 7)
    reader = ActivityReader(drill.workspace)
    pages = list(reader.read("reactivation", "reminder", drill.now - timedelta(hours=2), drill.now))
    prefix = f"drill{drill.now:%d}-"
    found = [mail.email for page in pages for mail in page if mail.email.startswith(prefix)]
    assert sorted(found) == sorted(f"{name}@example.com" for name in drill.name(*range(70)))
    assert max(len(page) for page in pages) < 7
    assert list(reader.read("reactivation", "offer", drill.now - timedelta(hours=2), drill.now)) == [[]]


def test_the_vendors_sdk_reads_a_mail_with_its_arguments(drill: Drill) -> None:
    drill.decide(drill.name(1))
    drill.plan()
    drill.send()
    drill.move_clock(hours=1)
    client = open_sendgrid(drill.workspace.settings, drill.workspace.connections.get("sendgrid"))
    query = f'to_email="{drill.name(1)[0]}@example.com"'
    (listed,) = client.messages.get(query_params={"query": query, "limit": 10}).to_dict["messages"]
    told = client.messages._(listed["msg_id"]).get().to_dict
    with drill.open_company() as company:
        message_id, call_id = company.connection.execute(
            "select message_id::text, provider_message_id from ledger.message"
        ).fetchone()
    assert told["unique_args"] == {"message_id": message_id}
    assert told["msg_id"].startswith(f"{call_id}.")
    assert told["events"][0]["event_name"] == "processed"
    assert datetime.fromisoformat(listed["last_event_time"]).astimezone(UTC) > drill.now - timedelta(hours=2)


def _claim(drill: Drill) -> Any:
    claimant = Claimant(drill.workspace, RULES, lease=timedelta(minutes=1), is_live=False, checkpoint=lambda _: None)
    try:
        claim = claimant.claim_due(GROUP, 100)
        assert claim is not None
        return claim
    finally:
        claimant.close()
