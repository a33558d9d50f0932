"""What a build found out about people arrives in the ledger once, and by the run's sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from safar.delivery.addresses import hash_address
from safar.warehouse import Pin, PublishReport, Superseded, publish_contacts, read_manifest, record_results
from safar.workspace import Workspace

PinNamed = Callable[..., Pin]
CURRENT = "select address, from_sequence from ledger.address where until_sequence is null order by address"


@pytest.fixture
def workspace(views_workspace: Workspace) -> Workspace:
    return views_workspace


@pytest.fixture
def raw(workspace: Workspace) -> Iterator[psycopg.Connection]:
    with psycopg.connect(workspace.warehouse.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def green(workspace: Workspace, pin: PinNamed) -> PinNamed:
    """Pins a run of which every node is green."""

    def pin_green(name: str, cadence: str = "nightly") -> Pin:
        pinned = pin(name, cadence)
        nodes = [{"unique_id": node, "status": "success"} for node in read_manifest(workspace.settings).nodes]
        record_results(workspace, pinned, {"results": nodes})
        return pinned

    return pin_green


def test_people_and_goals_are_published_once(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    pinned = green("first")
    report = publish_contacts(workspace, pinned)
    assert report == PublishReport(addresses=3, aliases=3, permissions=1, suppressions=1, goals=1)
    assert publish_contacts(workspace, pinned) == PublishReport()
    assert publish_contacts(workspace, green("second")) == PublishReport()
    row = raw.execute(
        "select address_hash, address_key_id, is_valid from ledger.address where address like 'ada@%'"
    ).fetchone()
    assert row == (hash_address("test-address-key", "email", "ada@example.com"), "test", True)
    assert raw.execute("select campaign, goal_at from ledger.goal_seen").fetchall()[0][0] == "thanks"


def test_what_a_run_publishes_it_knows_and_no_earlier_one(
    workspace: Workspace, green: PinNamed, raw: psycopg.Connection
) -> None:
    earlier = green("earlier", "intraday")
    pinned = green("first")
    publish_contacts(workspace, pinned)
    known = "select count(*) from ledger.permission_event where recorded_at < %s"
    assert raw.execute(known, [pinned.ledger_known_at]).fetchone() == (1,)
    assert raw.execute(known, [earlier.ledger_known_at]).fetchone() == (0,)


def test_a_withdrawal_follows_whoever_changes_their_address(
    workspace: Workspace, green: PinNamed, raw: psycopg.Connection
) -> None:
    publish_contacts(workspace, green("first"))
    raw.execute(
        "insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key, "
        "occurred_at) select channel, 'marketing', address_hash, contact_id, 'revoked', 'unsubscribe_link', 'link', "
        "'2026-03-01 12:00+00' from ledger.address where address like 'ben@%'"
    )
    raw.execute("update raw_crm.people set email = 'benjamin@example.com' where id = '2'")
    second = green("second")
    assert publish_contacts(workspace, second).permissions == 1
    assert publish_contacts(workspace, second) == PublishReport()
    row = raw.execute(
        "select state, occurred_at = '2026-03-01 12:00+00', recorded_at < %s "
        "from ledger.find_permission(%s, 'email', 'marketing', 'infinity', 'infinity')",
        [second.ledger_known_at, hash_address("test-address-key", "email", "benjamin@example.com")],
    ).fetchone()
    assert row == ("revoked", True, True)


def test_a_changed_address_is_a_new_version(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    first = green("first")
    publish_contacts(workspace, first)
    raw.execute("update raw_crm.people set email = 'benjamin@example.com' where id = '2'")
    raw.execute("delete from raw_crm.people where id = '3'")
    second = green("second")
    assert publish_contacts(workspace, second).addresses == 2
    assert raw.execute(CURRENT).fetchall() == [
        ("ada@example.com", first.sequence),
        ("benjamin@example.com", second.sequence),
    ]
    closed = raw.execute(
        "select address, until_sequence from ledger.address where until_sequence is not null order by 1"
    )
    assert closed.fetchall() == [("ben@example.com", second.sequence), ("cem@gone.example", second.sequence)]


def test_a_cleared_run_rewrites_its_own_version(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    publish_contacts(workspace, green("first"))
    raw.execute("update raw_crm.people set email = 'wrong@example.com' where id = '2'")
    raw.execute("delete from raw_crm.people where id = '3'")
    second = green("second")
    publish_contacts(workspace, second)
    raw.execute("update raw_crm.people set email = 'right@example.com' where id = '2'")
    raw.execute("insert into raw_crm.people values ('3', 'Cem', 'cem@gone.example', null)")
    publish_contacts(workspace, second)
    assert [address for address, _ in raw.execute(CURRENT)] == [
        "ada@example.com",
        "cem@gone.example",
        "right@example.com",
    ]
    assert raw.execute("select count(*) from ledger.address where address = 'wrong@example.com'").fetchone() == (0,)


def test_an_older_run_leaves_a_newer_one_alone(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    night = green("night")
    raw.execute("update raw_crm.people set email = 'newer@example.com' where id = '2'")
    noon = green("noon", "intraday")
    publish_contacts(workspace, noon)
    assert publish_contacts(workspace, night).addresses == 0
    assert ("newer@example.com", noon.sequence) in raw.execute(CURRENT).fetchall()


def test_people_who_become_one_leave_an_alias(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    publish_contacts(workspace, green("first"))
    raw.execute("update raw_crm.people set email = 'ada@example.com' where id = '2'")
    publish_contacts(workspace, green("second"))
    aliases = dict(raw.execute("select alias_id, contact_id from ledger.contact_alias where until_sequence is null"))
    ada, ben = (hash_of(raw, f"crm:{number}") for number in (1, 2))
    assert aliases["crm:1"] == aliases["crm:2"] == aliases[ben] == ada


def test_an_address_that_is_none_is_not_valid(workspace: Workspace, green: PinNamed, raw: psycopg.Connection) -> None:
    raw.execute("update raw_crm.people set email = 'not an address' where id = '2'")
    publish_contacts(workspace, green("first"))
    assert raw.execute("select is_valid from ledger.address where address = 'not an address'").fetchone() == (False,)


def test_only_goals_that_could_end_an_entry_are_copied(
    workspace: Workspace, green: PinNamed, raw: psycopg.Connection
) -> None:
    publish_contacts(workspace, green("first"))
    goals = raw.execute("select goal_at from ledger.goal_seen").fetchall()
    assert [goal[0].date().isoformat() for goal in goals] == ["2026-03-01"]


def test_nothing_is_published_from_a_model_that_is_not_green(
    workspace: Workspace, green: PinNamed, pin: PinNamed
) -> None:
    pinned = green("first")
    red = [{"unique_id": "test.safar.nobody_is_called_red", "status": "fail"}]
    record_results(workspace, pinned, {"results": red})
    report = publish_contacts(workspace, pinned)
    assert (report.addresses, report.aliases, report.skipped) == (0, 3, ("int_contact_addresses",))
    assert "left out, because not green: int_contact_addresses" in report.describe()
    assert publish_contacts(workspace, pin("second")).skipped[:2] == ("int_contact_addresses", "int_contact_records")


def test_a_superseded_run_publishes_nothing(workspace: Workspace, green: PinNamed) -> None:
    pinned = green("first")
    green("second")
    with pytest.raises(Superseded):
        publish_contacts(workspace, pinned)


def hash_of(raw: psycopg.Connection, record: str) -> str:
    row = raw.execute("select md5(%s)", [record]).fetchone()
    assert row is not None
    return str(row[0])
