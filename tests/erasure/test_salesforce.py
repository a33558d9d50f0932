"""Erasing a person in Salesforce, by the sandbox's own answers; and keeping out what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from tests.extraction.running_company import run_company

from safar.catalogue.source import Source, read_sources
from safar.erasure.replacing import Replacement
from safar.erasure.vendors import erase_at_source
from safar.errors import SafarError
from safar.extraction.erased import ErasedFilter
from safar.extraction.rows import LineReader
from safar.ledger.erasures import Person
from safar.ledger.tombstones import Hasher, Tombstones
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

HASHER = Hasher("test")
LEAD, CONTACT = "00Q5g00000000ROEAY", "0035g00000000ROEAY"


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_company(tmp_path_factory.mktemp("org"), 200) as url:
        yield url


@pytest.fixture
def source() -> Source:
    return read_sources(PROJECT_ROOT / "dbt_project")["salesforce"]


def living(org: str, kind: str) -> list[str]:
    records = requests.get(f"{org}/truth/salesforce/{kind}", timeout=30).json()
    return [record["Id"] for record in records if not record["IsDeleted"]]


def test_a_person_is_deleted_there_too_and_what_is_gone_is_no_error(
    org: str, source: Source, connections: dict[str, Any], open_workspace: Callable[..., Workspace]
) -> None:
    connections["salesforce_write"] = {
        "host": f"{org}/salesforce",
        "login": "salesforce-sandbox",
        "password": "salesforce-secret",
        "extra": {"api_version": "66.0"},
    }
    workspace = open_workspace()
    lead, contact = living(org, "Lead")[0], living(org, "Contact")[0]
    before = len(living(org, "Lead")), len(living(org, "Contact"))
    records = {("salesforce", lead), ("salesforce", contact), ("salesforce", "00Q5g00000zzzzzAAA"), ("hubspot", "1")}
    replacement = Replacement(Person(frozenset(), frozenset(records)), {}, dict.fromkeys(records, "erased-x"), {})
    for _ in range(2):
        assert erase_at_source(workspace, source, replacement) == 3
    assert lead not in living(org, "Lead")
    assert contact not in living(org, "Contact")
    assert (len(living(org, "Lead")), len(living(org, "Contact"))) == (before[0] - 1, before[1] - 1)
    assert source.erase is not None
    (request,) = source.erase.requests
    blind = source.model_copy(
        update={"erase": source.erase.model_copy(update={"requests": (request.model_copy(update={"code": "code"}),)})}
    )
    with pytest.raises(SafarError, match=r"refused to erase \(None\)") as told:
        erase_at_source(workspace, blind, replacement)
    assert lead not in str(told.value)


def test_an_id_of_theirs_is_replaced_wherever_it_stands() -> None:
    person = Person(frozenset(), frozenset({("salesforce", LEAD), ("hubspot", "1001")}))
    replacement = Replacement(person, {}, {("salesforce", LEAD): "erased-l", ("hubspot", "1001"): "erased-h"}, {})
    told = f"1001 calls; https://my.example.com/{LEAD}/view, not {LEAD}x"
    assert replacement.rewrite(told) == f"1001 calls; https://my.example.com/erased-l/view, not {LEAD}x"


@pytest.mark.parametrize(
    ("table", "record", "landed"),
    [
        ("leads", {"Id": LEAD, "Email": "other@example.com"}, None),
        ("leads", {"Id": "00Q1", "Email": "Erased@Example.com"}, None),
        ("leads", {"Id": "00Q1", "ConvertedContactId": CONTACT}, None),
        ("contacts", {"Id": CONTACT}, None),
        (
            "opportunities",
            {"Id": "0061", "ContactId": CONTACT, "Name": "Order of Anna", "StageName": "Closed Won"},
            {"id": '"0061"', "contact_id": '"erased-c"', "stage_name": '"Closed Won"'},
        ),
    ],
)
def test_what_comes_back_of_an_erased_person_lands_without_them(
    source: Source, table: str, record: dict[str, Any], landed: dict[str, str] | None
) -> None:
    stones = Tombstones(
        HASHER,
        {
            ("email", HASHER.hash("email", "erased@example.com")): "erased-a@erased.invalid",
            ("salesforce", HASHER.hash("salesforce", LEAD)): "erased-l",
            ("salesforce", HASHER.hash("salesforce", CONTACT)): "erased-c",
        },
    )
    declared = source.table(table)
    line = ErasedFilter(source, declared, stones).filter(LineReader(declared).read(record))
    assert (line.values if line else None) == landed
