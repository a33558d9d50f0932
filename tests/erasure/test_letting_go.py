"""Retention, an answer to an access request, and what landing does with people who were erased."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb
from tests.erasure.people import CONTACT, CUSTOMER, EMAIL, HASH, NOW, Company

from safar.catalogue.source import read_sources
from safar.clock import FixedClock
from safar.erasure import apply_retention, export_person, read_retention
from safar.erasure.replacing import Replacement
from safar.errors import ConfigurationError, SafarError
from safar.extraction.erased import ErasedFilter
from safar.extraction.rows import LineReader
from safar.ledger.erasures import Person, seal, unseal
from safar.ledger.tombstones import Hasher, Tombstones
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

SOURCES = read_sources(PROJECT_ROOT / "dbt_project")


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace(NOW)


def test_each_line_of_the_retention_file_has_its_effect_once_its_time_is_over(
    workspace: Workspace, company: Company
) -> None:
    company.add_message("accepted")
    company.execute("update ledger.address set until_sequence = 2, from_sequence = 1")
    company.execute(
        "insert into ledger.rehearsal (run_id, campaign, step, contact_id, occurrence_key, result) "
        "values ('r1', 'c', 's', %s, 'o', 'planned')",
        CONTACT,
    )
    told = {"key_name": "k", "key_kind": "server", "user_id": "app:1", "occurred_at": NOW, "received_at": NOW}
    for event_id, call in (("1", "track"), ("2", "identify")):
        company.insert("ledger", "app_event", event_id=event_id, call=call, **told)
    company.execute("create table raw_hubspot.quarantine (record jsonb, landed_at timestamptz)")
    company.execute("insert into raw_hubspot.quarantine values (%s, %s)", Jsonb({"email": EMAIL}), NOW)
    company.execute("grant select, delete on raw_hubspot.quarantine to public")
    export = workspace.settings.home / "exports" / "person.json"
    export.parent.mkdir(parents=True)
    export.write_text("{}")
    rules = read_retention(workspace.settings.dbt_project)
    assert set(apply_retention(workspace, rules).values()) == {0}
    # Everything is as old as can be, by both clocks.
    os.utime(export, (time.time() - 500 * 86400, time.time() - 500 * 86400))
    old = replace(workspace, clock=FixedClock(NOW + timedelta(days=500)))
    elapsed = tuple(
        rule.model_copy(update={"after": timedelta(0)})
        if rule.clock == "wall" and rule.schema_name == "ledger"
        else rule
        for rule in rules
    )
    counts = apply_retention(old, elapsed)
    assert {table for table, count in counts.items() if count == 0} == set()
    assert company.execute("select address, fields from ledger.message") == [(None, {})]
    assert company.execute("select fields from decisions.fct_entries") == [(None,)]
    assert company.execute("select call from ledger.app_event") == [("identify",)]
    assert set(apply_retention(old, elapsed).values()) == {0}


def test_an_open_message_and_a_current_address_are_never_let_go(workspace: Workspace, company: Company) -> None:
    company.add_message("planned")
    rules = tuple(
        rule.model_copy(update={"after": timedelta(0)}) for rule in read_retention(workspace.settings.dbt_project)
    )
    apply_retention(workspace, tuple(rule for rule in rules if rule.schema_name == "ledger"))
    assert company.execute("select address from ledger.message") == [(EMAIL,)]
    assert company.execute("select address from ledger.address") == [(EMAIL,)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{table: ledger.message, delete: true, since: state_at, after: 1 day}", "cannot be let go like that"),
        ("{table: raw.quarantine, since: landed_at, after: 1 day}", "either `delete: true` or `empty"),
        ("{table: raw.quarantine, delete: true, since: landed_at, after: soon}", "after"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "retention.yml").write_text(f"retention:\n  - {line}\n")
    with pytest.raises(ConfigurationError, match=told):
        read_retention(tmp_path)


def test_an_export_holds_all_that_is_held_and_is_its_owners_alone(workspace: Workspace, company: Company) -> None:
    company.add_message("accepted")
    as_json, page = export_person(workspace, company.catalogue, CONTACT)
    content = json.loads(as_json.read_text())
    assert {
        "raw_hubspot.contacts",
        "raw_hubspot.subscription_statuses",
        "raw_shopify.customers",
        "raw_shopify.orders",
        "raw_shopify.abandoned_checkouts",
        "nightly_marts.dim_contacts",
        "decisions.fct_entries",
        "ledger.message",
        "ledger.message_transition",
        "ledger.permission_event",
        "ledger.address",
    } <= content.keys()
    assert len(content["raw_hubspot.contacts"]) == 2
    assert "neighbour" not in as_json.read_text()
    assert "Winterhalder" in page.read_text()
    assert {path.stat().st_mode & 0o777 for path in (as_json, page)} == {0o600}
    assert company.execute("select verb, subject_id from ledger.access_log") == [("export", CONTACT)]


def test_an_export_by_address_is_logged_by_its_hash_and_nobody_is_refused(
    workspace: Workspace, company: Company
) -> None:
    paths = export_person(workspace, company.catalogue, None, address=EMAIL.upper())
    assert "raw_shopify.orders" in json.loads(paths[0].read_text())
    assert company.execute("select subject_kind, subject_id from ledger.access_log") == [("address", HASH)]
    with pytest.raises(SafarError, match="Nothing is held"):
        export_person(workspace, company.catalogue, "0" * 32)


HASHER = Hasher("key")
PHONE = "+49 555 0199 123456"
STONES = Tombstones(
    HASHER,
    {
        ("email", HASHER.hash("email", EMAIL)): "erased-a@erased.invalid",
        ("shopify", HASHER.hash("shopify", CUSTOMER)): "erased-c",
        ("hubspot", HASHER.hash("hubspot", "1001")): "erased-h",
        ("phone", HASHER.hash("phone", PHONE)): "erased-p",
    },
)


def filter_one(source: str, table: str, record: dict[str, object]) -> tuple[dict[str, str] | None, dict[str, int]]:
    declared = SOURCES[source].table(table)
    kept = ErasedFilter(SOURCES[source], declared, STONES)
    line = kept.filter(LineReader(declared).read(record))
    return (line.values if line else None), dict(kept.counts)


def test_a_record_that_comes_back_is_dropped_under_its_old_id_and_under_a_new_one() -> None:
    for record in ({"id": "1001"}, {"id": "9", "properties": {"email": f" {EMAIL.upper()}"}}):
        assert filter_one("hubspot", "contacts", record) == (None, {"dropped": 1})
    assert filter_one("hubspot", "subscription_statuses", {"subscriberIdString": EMAIL, "subscriptionId": 4})[0] is None
    link = {"contact_id": "1001", "toObjectId": 7}
    assert filter_one("hubspot", "contact_companies", link) == (None, {"dropped": 1})
    assert filter_one("hubspot", "contacts", {"id": "10010", "properties": {"email": "a@example.com"}})[1] == {}


@pytest.mark.parametrize("spelled", [PHONE, "0049 (555) 0199-123456", "495550199123456"])
def test_an_erased_number_comes_back_with_nobody(spelled: str) -> None:
    """A record that has no address is known by its number alone; with another address it may be a new owner's."""
    assert filter_one("hubspot", "contacts", {"id": "9", "properties": {"phone": spelled}}) == (None, {"dropped": 1})
    values, counts = filter_one("shopify", "customers", {"id": "c9", "email": "new@example.com", "phone": spelled})
    assert values == {"id": '"c9"', "email": '"new@example.com"'}
    assert counts == {"redacted": 1}
    other = {"id": "c9", "email": "new@example.com", "phone": "+49 555 0199 123457"}
    assert filter_one("shopify", "customers", other)[1] == {}


def test_an_order_that_comes_back_is_landed_without_the_person() -> None:
    record = {"id": "o1", "customer": {"id": CUSTOMER}, "email": EMAIL, "currencyCode": "EUR", "newField": "Kanaribert"}
    values, counts = filter_one("shopify", "orders", record)
    assert values == {
        "id": '"o1"',
        "customer__id": '"erased-c"',
        "email": '"erased-a@erased.invalid"',
        "currency_code": '"EUR"',
    }
    assert counts == {"redacted": 1}


def test_a_form_that_comes_back_is_landed_without_the_person() -> None:
    values = {"email": f" {EMAIL.title()}", "message": "I am Kanaribert", "shoe": "Winterhalder"}
    record = {"form_id": "f", "conversionId": "c", "submittedAt": 1772000000000, "pageUrl": "/?k=ari", "values": values}
    kept, counts = filter_one("hubspot", "form_submissions", record)
    assert counts == {"redacted": 1}
    assert kept is not None
    assert kept.keys() == {"form_id", "conversion_id", "submitted_at", "values__email"}
    assert kept["values__email"] == '"erased-a@erased.invalid"'


def test_what_must_still_be_found_is_sealed_with_the_installations_key() -> None:
    person = Person(frozenset({"c"}), frozenset({("hubspot", "1")}), frozenset({EMAIL}), frozenset({"Kanaribert"}))
    sealed = seal(HASHER, person)
    assert unseal(HASHER, sealed) == person
    assert b"kanari" not in sealed.lower()
    with pytest.raises(ConfigurationError, match="another key"):
        unseal(Hasher("other"), sealed)


def test_words_are_replaced_where_they_stand_for_the_person_and_nowhere_else() -> None:
    person = Person(
        frozenset({CONTACT}),
        frozenset({("hubspot", "1001")}),
        frozenset({"ann@x.com"}),
        frozenset({"Ann", "Winterhalder"}),
    )
    replacement = Replacement(
        person, {CONTACT: "new"}, {("hubspot", "1001"): "erased-h"}, {"ann@x.com": "e@erased.invalid"}
    )
    assert replacement.rewrite("joann@x.com and Ann@X.com.") == "joann@x.com and e@erased.invalid."
    assert replacement.rewrite({"id": "1001", "n": 10010, "who": ["ANN", f"x {CONTACT}"], "t": "by winterhalder"}) == {
        "id": "erased-h",
        "n": 10010,
        "who": [None, "x new"],
        "t": "by [erased]",
    }
    assert replacement.rewrite("hubspot:1001; hubspot:10010") == "hubspot:erased-h; hubspot:10010"
    assert datetime(2026, 1, 1, tzinfo=UTC) == replacement.rewrite(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_source_with_an_unclassified_personal_column_is_refused(tmp_path: Path) -> None:
    for name in ("email", "customer_email", "first_name", "phone", "properties__birthday", "shipping_address"):
        folder = tmp_path / name / "models"
        folder.mkdir(parents=True)
        text = (PROJECT_ROOT / "dbt_project/models/staging/shopify/_shopify__sources.yml").read_text()
        column = "          - {name: created_at, data_type: timestamptz}\n"
        text = text.replace(
            column, column + f"          - {{name: {name}x_{name.split('_')[-1]}, data_type: text}}\n", 1
        )
        (folder / "_shopify__sources.yml").write_text(text)
        with pytest.raises(ConfigurationError, match="sounds personal and is not classified"):
            read_sources(tmp_path / name)
