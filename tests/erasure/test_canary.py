"""A person with a word of their own in every field goes through a day, is erased, and is nowhere any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from psycopg import sql
from psycopg.types.json import Jsonb
from tests.erasure.conftest import Played

from safar.erasure import ErasureReport, erase_contact, resume_erasures
from safar.erasure.finding import PersonFinder
from safar.erasure.raw_tables import list_raw_tables
from safar.feedback import check_identities
from safar.ledger.erasures import Person
from safar.ledger.tombstones import Hasher
from safar.night.timetable import Moment
from safar.warehouse import build_models, pin_run

FIGURES = {
    "orders": "select count(*), sum(gross_amount), sum(net_amount), count(distinct contact_id) from {s}_marts.fct_orders",
    "stages": "select * from (select stage, count(*) from {s}_marts.fct_lifecycle_stages group by stage) as s order by 1",
    "days": "select axis, stage, stage_date, count(*) from {s}_marts.dim_lifecycle_stage_days group by 1, 2, 3 order by 1, 2, 3",
    "cohorts": "select md5(string_agg(t::text, '|' order by t::text)) from {s}_marts.fct_cohort_retention as t",
    "lift": "select md5(string_agg(t::text, '|' order by t::text)) from {s}_marts.fct_campaign_lift as t",
    "entries": "select campaign, arm, count(*) from decisions.fct_entries group by 1, 2 order by 1, 2",
    "decisions": "select campaign, outcome, count(*) from decisions.fct_decisions group by 1, 2 order by 1, 2",
    "messages": "select campaign, state, count(*) from ledger.message group by 1, 2 order by 1, 2",
}


@dataclass
class Canary:
    contact_id: str
    person: Person
    words: list[str]
    before: dict[str, Any]
    erased: ErasureReport


def read_figures(played: Played) -> dict[str, Any]:
    return {name: played.query(statement.format(s="nightly")) for name, statement in FIGURES.items()}


def rebuild(played: Played, night: str) -> None:
    """Builds the models of a night again, from its pins."""
    run_id = f"clock__{night}T02:00"
    pin = pin_run(
        played.workspace,
        dag_id="build_nightly",
        airflow_run_id=run_id,
        cadence="nightly",
        as_of=played.workspace.clock.now(),
        catalogue=played.catalogue,
    )
    built = build_models(played.workspace, pin, select=["tag:nightly"], exclude=["path:models/decisions"])
    assert not built.red, built.describe()


def choose_person(played: Played) -> str:
    """Somebody in the CRM and in the shop who has ordered and been written to."""
    rows = played.query(
        "select message.contact_id from ledger.message as message "
        "join nightly_marts.dim_contacts as contacts using (contact_id) "
        "join nightly_marts.fct_orders as orders using (contact_id) "
        "where message.state = 'accepted' and contacts.hubspot_id is not null and not contacts.is_archived "
        "group by 1 order by count(distinct orders.order_id) desc, 1 limit 1"
    )
    return str(rows[0][0])


def find_person(played: Played, contact_id: str) -> Person:
    hasher = Hasher.open(played.workspace)
    with played.workspace.open_ledger() as ledger, psycopg.connect(played.workspace.warehouse.dsn) as warehouse:
        finder = PersonFinder(ledger, warehouse, played.catalogue, hasher)
        return finder.find(Person(frozenset({contact_id})))


def plant_words(played: Played, person: Person) -> list[str]:
    """Gives every personal field of every version a word of its own, and leaves traces where things go wrong."""
    words = []
    with psycopg.connect(played.workspace.warehouse.dsn) as warehouse:
        for table in list_raw_tables(warehouse, played.catalogue):
            owned = table.belongs_to(person)
            assert owned is not None or not table.name_columns(True, "phone"), f"{table.identifier} names nobody"
            for name in table.name_columns(True) if owned else []:
                word = f"kanari{len(words):03d}x"
                value = Jsonb([word]) if table.types[name] == "jsonb" else word
                statement = sql.SQL("update {} set {} = %(value)s where {}").format(
                    table.identifier, sql.Identifier(name), owned[0] if owned else sql.SQL("false")
                )
                warehouse.execute(statement, {**(owned[1] if owned else {}), "value": value})
                words.append(word)
        address = min(person.addresses)
        warehouse.execute(
            "create table if not exists raw_hubspot.quarantine (load_id text, table_name text, key_hash text, "
            "reason text, record jsonb, landed_at timestamptz)"
        )
        warehouse.execute(
            "insert into raw_hubspot.quarantine values ('l', 'contacts', 'k', 'r', %s, now())",
            [Jsonb({"properties": {"email": address, "firstname": words[0]}})],
        )
        warehouse.execute("create schema if not exists nightly_failures")
        warehouse.execute("create table nightly_failures.some_test (note text, born date, found jsonb)")
        warehouse.execute(
            "insert into nightly_failures.some_test values (%s, '1980-01-01', %s)",
            [f"{address} is called {words[0]}", Jsonb({"who": [min(person.contact_ids), words[1]]})],
        )
    log = played.workspace.settings.home / "logs" / "some.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"looked at {address}, called {words[0]}\nand at somebody else\n")
    return words


@pytest.fixture(scope="module")
def canary(played: Played) -> Canary:
    played.play_day(0)
    contact_id = choose_person(played)
    person = find_person(played, contact_id)
    words = plant_words(played, person)
    played.play_day(1)
    person = find_person(played, contact_id) | person
    names = [f"{source}:{record}" for source, record in person.records]
    gids = [record for _, record in person.records if "/" in record]
    searched = [*words, *sorted(person.addresses), *sorted(person.contact_ids), *names, *gids]
    seen = played.list_mentions(searched)
    assert any("dim_contacts" in place for place in seen)
    assert any("ledger.message" in place for place in seen)
    assert any("decisions.fct_entries" in place for place in seen)
    return Canary(contact_id, person, searched, read_figures(played), erase(played, contact_id))


def erase(played: Played, contact_id: str) -> ErasureReport:
    return erase_contact(played.workspace, played.catalogue, contact_id)


def look_again(played: Played) -> ErasureReport:
    """As keep_house does once every build that was under way is over."""
    played.as_owner("update ledger.erasure_place set not_before = now() where status = 'open'")
    return resume_erasures(played.workspace, played.catalogue)


@pytest.mark.timeout(900)
def test_no_word_of_an_erased_person_is_left_anywhere(played: Played, canary: Canary) -> None:
    assert not canary.erased.waiting, canary.erased.describe()
    assert played.list_mentions(canary.words) == []


@pytest.mark.timeout(900)
def test_every_figure_is_what_it_was_also_after_a_rebuild(played: Played, canary: Canary) -> None:
    assert read_figures(played) == canary.before
    check_identities(played.workspace)
    rebuild(played, "2026-03-03")
    assert read_figures(played) == canary.before


@pytest.mark.timeout(900)
def test_the_vendors_were_asked_to_erase_the_person_too(played: Played, canary: Canary) -> None:
    places = dict(played.query("select place, row_count from ledger.erasure_place where starts_with(place, 'vendor ')"))
    connected = {"vendor hubspot", "vendor shopify", "vendor sendgrid"}
    assert connected <= places.keys()
    assert all(places[place] > 0 for place in connected)
    assert not any(count for place, count in places.items() if place not in connected)


@pytest.mark.timeout(900)
def test_a_second_look_ends_the_erasure_and_forgets_whom_it_was_about(played: Played, canary: Canary) -> None:
    assert look_again(played).open == ()
    rows = played.query("select sealed, finished_at is not null from ledger.erasure")
    assert rows
    assert all(row == (None, True) for row in rows)
    assert erase(played, canary.contact_id).open == ()
    assert len(played.query("select 1 from ledger.erasure")) == len(rows)


@pytest.fixture(scope="module")
def forgotten_by_crm(played: Played, canary: Canary) -> str:
    """The address of somebody whom the CRM's people delete for good before the third night. All is asked for anew,
    as after a lost cursor."""
    ((record, address),) = played.query(
        "select id, lower(btrim(properties__email)) from raw_hubspot.contacts "
        "where _dlt_valid_to is null and not coalesce(_deleted, false) and properties__email is not null "
        "and id not in (select unnest(string_to_array(coalesce(properties__hs_merged_object_ids, ''), ';')) "
        "from raw_hubspot.contacts) order by id desc limit 1"
    )
    hubspot = played.workspace.connections.get("hubspot")
    answer = requests.post(
        f"{hubspot.base_url}/crm/v3/objects/contacts/gdpr-delete",
        json={"objectId": record},
        headers={"Authorization": f"Bearer {hubspot.secret}"},
        timeout=60,
    )
    assert answer.status_code == 204
    for schema in ("raw_hubspot", "raw_shopify"):
        played.query(f"delete from {schema}._dlt_pipeline_state")
    played.play_day(2)
    return str(address)


@pytest.mark.timeout(900)
def test_another_night_brings_nobody_back_and_writes_to_nobody_erased(
    played: Played, canary: Canary, forgotten_by_crm: str
) -> None:
    assert played.list_mentions(canary.words) == []
    assert any("(erased)" in line for line in played.lines)
    surrogates = [row[0] for row in played.query("select surrogate from ledger.tombstone where kind = 'contact'")]
    late = "select count(*) from ledger.message where contact_id = any(%s) and planned_at > '2026-03-03 23:00Z'"
    assert played.query(late, surrogates) == [(0,)]


@pytest.mark.timeout(900)
def test_a_deletion_for_good_in_the_crm_is_the_same_erasure(
    played: Played, canary: Canary, forgotten_by_crm: str
) -> None:
    assert played.query("select origin, count(*) from ledger.erasure group by 1 order by 1") == [
        ("command", 1),
        ("hubspot", 1),
    ]
    assert played.list_mentions([forgotten_by_crm]) == []


def redact_in_shop(played: Played, customer: str) -> None:
    """As the merchant's own people ask the shop; it redacts ten days later and tells of it in the customer's record."""
    shop = played.workspace.connections.get("shopify_write")
    credentials = {"client_id": shop.login, "client_secret": shop.secret, "grant_type": "client_credentials"}
    answer = requests.post(f"{shop.base_url}/admin/oauth/access_token", json=credentials, timeout=60)
    mutation = "mutation erase($id: ID!) { customerRequestDataErasure(customerId: $id) { userErrors { code } } }"
    done = requests.post(
        f"{shop.base_url}/admin/api/{shop.extra['api_version']}/graphql.json",
        json={"query": mutation, "variables": {"id": customer}},
        headers={"X-Shopify-Access-Token": answer.json()["access_token"]},
        timeout=60,
    )
    assert done.json()["data"]["customerRequestDataErasure"]["userErrors"] == []


@pytest.mark.timeout(900)
def test_a_customer_whom_the_shop_has_redacted_is_the_same_erasure(
    played: Played, canary: Canary, forgotten_by_crm: str
) -> None:
    ((customer, contact_id),) = played.query(
        "select customers.id, records.contact_id from raw_shopify.customers as customers "
        "join nightly_intermediate.int_contact_records as records on records.record_id = 'shopify:' || customers.id "
        "join raw_hubspot.contacts as contacts on lower(btrim(contacts.properties__email)) = lower(customers.email) "
        "where customers._dlt_valid_to is null and not coalesce(customers._deleted, false) "
        "and contacts._dlt_valid_to is null and not coalesce(contacts._deleted, false) "
        "and records.contact_id in (select contact_id from ledger.address) order by customers.id desc limit 1"
    )
    person = find_person(played, contact_id)
    words = [customer, *sorted(person.addresses), *sorted(person.contact_ids)]
    assert {place.split(".")[0] for place in played.list_mentions(words)} >= {"raw_shopify", "raw_hubspot", "ledger"}
    redact_in_shop(played, customer)
    at = played.workspace.clock.now() + timedelta(days=11)
    played.stack.company.move_clock(at)
    played.player.play_moment(Moment(at, "what the shop has redacted", (("extract_shopify",),)))
    assert not [line for line in played.lines if "FAILED" in line], played.lines
    assert played.query("select count(*) from ledger.erasure where origin = 'shopify'") == [(1,)]
    assert played.list_mentions(words) == []
    suppressed = "select count(*) from ledger.suppression_in_force where address_hash = any(%s) and origin = 'erasure'"
    hasher = Hasher.open(played.workspace)
    hashes = [hasher.hash("email", address) for address in person.addresses]
    assert played.query(suppressed, hashes) == [(len(hashes),)]
