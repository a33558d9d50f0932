"""Nights with Salesforce connected: its people are known with the others, and one of them is forgotten everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.erasure.conftest import Played, start_company

from safar.erasure import erase_contact

PEOPLE = 150


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with start_company(tmp_path_factory.mktemp("sales"), PEOPLE, "hubspot,meta_ads,salesforce,shopify") as company:
        company.play_day(0)
        yield company


def read_org(played: Played, kind: str) -> dict[str, dict[str, Any]]:
    root = played.stack.company.base_url
    records = requests.get(f"{root}/truth/salesforce/{kind}", timeout=60).json()
    return {record["Id"]: record for record in records}


@pytest.mark.timeout(900)
def test_leads_and_contacts_are_one_person_with_their_records_elsewhere(sales: Played) -> None:
    told = sales.query(
        "select contact_id, record_id from nightly_intermediate.int_contact_records where source = 'salesforce'"
    )
    people: dict[str, set[int]] = {}
    truth = {**read_org(sales, "Lead"), **read_org(sales, "Contact")}
    assert {record.partition(":")[2] for _, record in told} == truth.keys()
    for contact_id, record in told:
        people.setdefault(contact_id, set()).add(truth[record.partition(":")[2]]["person_id"])
    assert all(len(humans) == 1 for humans in people.values()), "two humans were taken for one"
    converted = [lead for lead in truth.values() if lead.get("ConvertedContactId") in truth]
    belongs = {record.partition(":")[2]: contact_id for contact_id, record in told}
    assert converted
    assert all(belongs[lead["Id"]] == belongs[lead["ConvertedContactId"]] for lead in converted)
    shared = sales.query(
        "select count(*) from nightly_marts.dim_contacts where salesforce_id is not null and hubspot_id is not null"
    )
    assert shared[0][0] > 5
    silent = sales.query(
        "select count(*) from nightly_staging.stg_salesforce__opt_outs as said "
        "left join nightly_intermediate.int_permission_changes as changes "
        "on changes.address = said.email and changes.state = 'revoked' and changes.source = 'salesforce' "
        "where changes.address is null"
    )
    assert silent == [(0,)]


@pytest.mark.timeout(900)
def test_who_is_erased_is_deleted_at_salesforce_and_stays_away(sales: Played) -> None:
    ((contact_id, lead, address),) = sales.query(
        "select records.contact_id, leads.id, lower(leads.email) from raw_salesforce.leads as leads "
        "join nightly_intermediate.int_contact_records as records on records.record_id = 'salesforce:' || leads.id "
        "join nightly_marts.dim_contacts as contacts using (contact_id) "
        "where contacts.hubspot_id is not null and leads.email is not null and not coalesce(leads._deleted, false) "
        "and leads._dlt_valid_to is null order by leads.created_date desc, leads.id limit 1"
    )
    records = sales.query(
        "select record_id from nightly_intermediate.int_contact_records where contact_id = %s", contact_id
    )
    own = [row[0].partition(":")[2] for row in records if row[0].startswith("salesforce:")]
    words = [*own, address, contact_id]
    assert lead in own
    assert any(place.startswith("raw_salesforce.leads") for place in sales.list_mentions(words))
    report = erase_contact(sales.workspace, sales.catalogue, contact_id)
    assert not report.waiting, report.describe()
    assert sales.list_mentions(words) == []
    ((count,),) = sales.query("select row_count from ledger.erasure_place where place = 'vendor salesforce'")
    assert count == len(own)
    # The deletion is a change, so the next night's queryAll tells of the person once more, with all their data.
    sales.play_day(1)
    org = {**read_org(sales, "Lead"), **read_org(sales, "Contact")}
    assert all(org[record]["IsDeleted"] for record in own if record in org)
    assert org[lead]["Email"] is not None
    assert sales.list_mentions(words) == []
