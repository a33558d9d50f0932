"""A vendor's own erasure of a person is noticed as its YAML says, and asked for here; an archived one is not erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.errors import SafarError
from safar.extraction import check_load, land_source
from safar.workspace import Workspace

FIRST = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = FIRST + timedelta(days=1)
ID = ("- {name: id, data_type: text}", "- {name: id, data_type: text, config: {meta: {personal: record}}}")
LOOKUP = """              erased:
                {more}
                lookup:
                  path: /contacts/read
                  method: POST
                  json: {{inputs: "{{batch}}"}}
                  data_selector: results
              deletions:
"""
Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]


def contact(number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "changed": "2026-03-01T10:00:00Z", "properties": {"email": f"p{number}@a.b"}, **more}


def land(source: Source, workspace: Workspace) -> None:
    check_load(workspace, source, land_source(workspace, source).load_id)


def test_a_row_that_says_so_erases_its_person(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    source = declare(
        "crm",
        ID,
        ("              deletions:\n", "              erased: {column: score, equals: 13}\n              deletions:\n"),
    )
    vendor.contacts = [contact(1), contact(2)]
    land(source, open_at(FIRST))
    assert select("select count(*) from ledger.erasure") == [(0,)]
    vendor.contacts = [
        contact(1, score=13, changed="2026-03-02T10:00:00Z"),
        contact(2, score=12, changed="2026-03-02T10:00:00Z"),
    ]
    land(source, open_at(LATER))
    assert select("select origin from ledger.erasure") == [("crm",)]


@pytest.mark.parametrize(("size", "calls"), [(1, 2), (5, 1)])
def test_who_is_neither_there_nor_archived_is_erased_and_an_archived_one_is_not(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select, size: int, calls: int
) -> None:
    source = declare(
        "crm", ID, ("              deletions:\n", LOOKUP.format(more=f"each: number\n                size: {size}"))
    )
    long_silent = contact(4, changed="2026-02-01T10:00:00Z")
    vendor.contacts = [contact(1), contact(2), contact(3), long_silent]
    land(source, open_at(FIRST))
    vendor.contacts, vendor.archived = [contact(1), long_silent], [contact(3)]
    land(source, open_at(LATER))
    asked = vendor.bodies("/contacts/read")
    assert [one["number"] for body in asked[-calls:] for one in body["inputs"]] == ["2", "4"]
    assert select("select count(*) from ledger.erasure") == [(1,)]


@pytest.mark.parametrize(("at_most", "is_refused"), [(1, True), (2, False)])
def test_more_people_gone_at_once_than_expected_are_a_fault_and_nobody_is_erased(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select, at_most: int, is_refused: bool
) -> None:
    source = declare("crm", ID, ("              deletions:\n", LOOKUP.format(more=f"at_most: {at_most}")))
    vendor.contacts = [contact(1), contact(2), contact(3)]
    land(source, open_at(FIRST))
    vendor.contacts = [contact(1)]
    if is_refused:
        with pytest.raises(SafarError, match="2 people are gone at once, more than erased.at_most = 1"):
            land_source(open_at(LATER), source)
    else:
        land(source, open_at(LATER))
    assert select("select count(*) from ledger.erasure") == [(0 if is_refused else 2,)]
