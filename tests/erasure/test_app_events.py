"""What an app told of a person goes with them: under each name, on each device, and from nobody else."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.erasure.people import ALIAS, CONTACT, EMAIL, HASH, NOW, Company

from safar.erasure import erase_address, erase_contact, export_person
from safar.erasure.finding import PersonFinder
from safar.ledger.tombstones import Hasher, read_tombstones
from safar.workspace import Workspace

USER = "kanari-17"


def tell(company: Company, event_id: str, call: str = "track", **columns: Any) -> None:
    told = {"key_name": "web", "key_kind": "server", "occurred_at": NOW, "received_at": NOW, **columns}
    company.insert("ledger", "app_event", event_id=event_id, call=call, **told)


@pytest.fixture
def told(company: Company) -> Company:
    """The person before and after they said who they are; a neighbour on the same tablet and on their own phone."""
    tell(company, "1 before", anonymous_id="tablet", page_path="/kanari-path", click_id="kanari-click")
    tell(company, "2 who", "identify", user_id=f"app:{USER}", anonymous_id="tablet", email=EMAIL, address_hash=HASH)
    properties = Jsonb({"price": 9.5, "product_id": "p1", "answer": "I am Kanaribert", "deep": {"price": 1}})
    tell(company, "3 known", user_id=f"app:{USER}", anonymous_id="phone", properties=properties, push_token="kanari-t")
    tell(company, "4 neighbour", user_id="app:kanari-170", anonymous_id="tablet", properties=Jsonb({"answer": "mine"}))
    tell(company, "5 neighbour", anonymous_id="other phone", properties=Jsonb({"answer": "mine"}))
    return company


def read_rows(company: Company) -> list[Any]:
    columns = "user_id, anonymous_id, email, page_path, click_id, push_token, properties"
    return company.execute(f"select {columns} from ledger.app_event order by event_id")


def test_a_persons_events_go_on_without_the_person(workspace: Workspace, told: Company) -> None:
    assert not erase_contact(workspace, told.catalogue, CONTACT).waiting
    before, who, known, neighbour, other = read_rows(told)
    surrogate = who[0]
    assert surrogate.startswith("app:erased-")
    assert known[0] == surrogate
    assert before[0] is None
    assert before[1] == who[1] != known[1]
    assert before[1].startswith("erased-")
    assert known[6] == {"price": 9.5, "product_id": "p1"}
    for row in (before, who, known):
        assert row[2:6] == (None, None, None, None)
    assert neighbour[:2] == ("app:kanari-170", "tablet")
    assert other[1] == "other phone"
    assert neighbour[6] == other[6] == {"answer": "mine"}
    assert told.list_mentions([USER, "kanari-path", "kanari-click", "kanari-t", EMAIL, "I am Kanaribert"]) == []
    assert told.execute("select count(*) from ledger.app_event where anonymous_id = 'phone'") == [(0,)]


def test_somebody_whom_only_the_app_knows_is_erased_by_their_address(workspace: Workspace, company: Company) -> None:
    address = "only.in.app@example.com"
    hashed = Hasher.open(workspace).hash("email", address)
    tell(company, "1", "identify", user_id="app:5", email=address, address_hash=hashed)
    erase_address(workspace, company.catalogue, address)
    ((user_id, email),) = company.execute("select user_id, email from ledger.app_event")
    assert user_id.startswith("app:erased-")
    assert email is None
    with workspace.open_ledger() as ledger:
        assert read_tombstones(ledger, Hasher.open(workspace)).find("app", "5") is not None


def test_a_restore_brings_nobody_back(workspace: Workspace, told: Company) -> None:
    erase_contact(workspace, told.catalogue, CONTACT)
    tell(told, "6 restored", "identify", user_id=f"app:{USER}", email=EMAIL, address_hash=HASH)
    with workspace.open_ledger() as ledger, psycopg.connect(workspace.warehouse.dsn) as warehouse:
        hasher = Hasher.open(workspace)
        found = PersonFinder(ledger, warehouse, told.catalogue, hasher).find_erased(read_tombstones(ledger, hasher))
    assert ("app", USER) in {record for person in found.values() for record in person.records}


def test_an_export_holds_what_was_done_before_the_person_was_known(workspace: Workspace, told: Company) -> None:
    as_json, _ = export_person(workspace, told.catalogue, ALIAS)
    rows = json.loads(as_json.read_text())["ledger.app_event"]
    assert sorted(row["event_id"] for row in rows) == ["1 before", "2 who", "3 known"]
