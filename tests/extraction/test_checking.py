"""A red load is taken back as if it had never been; a killed one too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.errors import SafarError
from safar.extraction import CheckFailed, Counts, check_load, land_source
from safar.extraction.loads import open_load_book
from safar.extraction.pipeline import SourcePipeline
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]

CONTACTS = "select id, changed, _deleted, _dlt_id, _dlt_valid_from, _dlt_valid_to from raw_crm.contacts order by 1, 5"
AT_LEAST_TWO = {
    "type": "expect_table_row_count_to_be_between",
    "kwargs": {"min_value": 2, "max_value": 3},
    "severity": "critical",
}
KNOWN_STAGE = {
    "type": "expect_column_values_to_be_in_set",
    "kwargs": {"column": "score", "value_set": [1, 2, 3]},
    "severity": "critical",
}


def contact(number: int, changed: str = "2026-03-01T10:00:00Z", score: int = 1) -> dict[str, Any]:
    properties = {"email": f"p{number}@example.com"}
    return {"id": str(number), "changed": changed, "properties": properties, "score": score}


@pytest.fixture
def suite(project: Path) -> Path:
    path = project / "expectations" / "raw" / "crm.yml"
    path.write_text(json.dumps({"tables": {"raw_crm.contacts": [AT_LEAST_TWO, KNOWN_STAGE]}}))
    return path


def move_on(workspace: Workspace) -> None:
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(hours=24)


def test_a_green_load_is_checked(vendor: Vendor, declare: Declare, open_at: Open, suite: Path, select: Select) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    load_id = land_source(workspace, source).load_id
    assert select("select status from ledger.source_load") == [("landed",)]
    check_load(workspace, source, load_id)
    check_load(workspace, source, load_id)
    assert select("select status, rows->'contacts' from ledger.source_load") == [
        ("checked", {"new": 2, "changed": 0, "deleted": 0})
    ]


def test_a_red_load_is_undone_and_asked_for_again(
    vendor: Vendor, declare: Declare, open_at: Open, suite: Path, select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    before = select(CONTACTS)
    move_on(workspace)
    vendor.contacts = [contact(1, "2026-03-02T20:00:00Z", score=7), contact(2), contact(3, "2026-03-02T21:00:00Z")]
    vendor.contacts.append({"id": None, "changed": "2026-03-02T22:00:00Z"})
    red = land_source(workspace, source)
    with pytest.raises(CheckFailed) as caught:
        check_load(workspace, source, red.load_id)
    told = str(caught.value)
    assert "raw_crm.contacts: expect_column_values_to_be_in_set(score)" in told
    assert "p1@example.com" not in told
    assert select(CONTACTS) == before
    assert select("select count(*) from raw_crm.quarantine") == [(0,)]
    [(status, message)] = select(f"select status, message from ledger.source_load where load_id = '{red.load_id}'")
    assert status == "rolled_back"
    assert message in told
    with pytest.raises(SafarError, match="was rolled back"):
        check_load(workspace, source, red.load_id)

    vendor.requests.clear()
    vendor.contacts = [contact(1, "2026-03-02T20:00:00Z", score=2), contact(2), contact(3, "2026-03-02T21:00:00Z")]
    mended = land_source(workspace, source)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T09:00:00Z", "the same window again"
    assert mended.rows["contacts"] == Counts(new=1, changed=1)
    assert mended.landed_at > red.landed_at, "the landing clock goes on over a load that was rolled back"
    check_load(workspace, source, mended.load_id)


def test_the_row_is_found_by_the_key_that_the_message_tells(
    vendor: Vendor, declare: Declare, open_at: Open, suite: Path, select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2, score=9)]
    workspace, source = open_at(), declare("crm")
    load_id = land_source(workspace, source).load_id
    [(version,)] = select("select _dlt_id from raw_crm.contacts where id = '2'")
    with pytest.raises(CheckFailed, match=version):
        check_load(workspace, source, load_id)


def test_data_docs_hold_no_address(vendor: Vendor, declare: Declare, open_at: Open, suite: Path) -> None:
    vendor.contacts = [contact(1), contact(2, score=9)]
    workspace, source = open_at(), declare("crm")
    with pytest.raises(CheckFailed):
        check_load(workspace, source, land_source(workspace, source).load_id)
    pages = list((workspace.settings.home / "data_docs").rglob("*.html"))
    assert pages
    assert not any("@example.com" in page.read_text() for page in pages)


def test_the_very_first_load_can_be_red(
    vendor: Vendor, declare: Declare, open_at: Open, suite: Path, select: Select
) -> None:
    vendor.contacts = [contact(1)]
    workspace, source = open_at(), declare("crm")
    with pytest.raises(CheckFailed, match="row_count"):
        check_load(workspace, source, land_source(workspace, source).load_id)
    assert select("select count(*) from raw_crm.contacts") == [(0,)]
    vendor.contacts = [contact(1), contact(2)]
    assert land_source(workspace, source).rows["contacts"] == Counts(new=2)
    assert "/contacts/search" not in vendor.paths(), "there is no cursor to go on from"


def test_a_load_that_nobody_checked_is_undone_before_the_next(
    vendor: Vendor, declare: Declare, open_at: Open, suite: Path, select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    forgotten = land_source(workspace, source)
    report = land_source(workspace, source)
    assert report.rows["contacts"] == Counts(new=2)
    assert select("select load_id, status from ledger.source_load order by landed_at") == [
        (forgotten.load_id, "rolled_back"),
        (report.load_id, "landed"),
    ]
    assert select("select count(*) from raw_crm.contacts") == [(2,)]


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_load_that_was_killed_is_undone_before_the_next(
    died: str,
    vendor: Vendor,
    declare: Declare,
    open_at: Open,
    suite: Path,
    select: Select,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    before = select(CONTACTS)
    move_on(workspace)
    vendor.contacts[0] = contact(1, "2026-03-02T20:00:00Z", score=2)
    carry = SourcePipeline.load

    def die(pipeline: SourcePipeline) -> None:
        if died == "after":
            carry(pipeline)
        raise KeyboardInterrupt

    monkeypatch.setattr(SourcePipeline, "load", die)
    with pytest.raises(KeyboardInterrupt):
        land_source(workspace, source)
    monkeypatch.undo()
    if died == "after":
        assert select(CONTACTS) != before
    vendor.requests.clear()
    report = land_source(workspace, source)
    assert report.rows["contacts"] == Counts(changed=1)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T09:00:00Z"
    assert select("select count(*), count(*) filter (where _dlt_valid_to is null) from raw_crm.contacts") == [(3, 2)]


def test_two_processes_do_not_land_one_source_at_once(declare: Declare, open_at: Open) -> None:
    workspace, source = open_at(), declare("crm")
    with open_load_book(workspace, "crm"), pytest.raises(SafarError, match="by another process"):
        land_source(workspace, source)


def test_a_load_of_another_source_is_not_found(declare: Declare, open_at: Open) -> None:
    with pytest.raises(SafarError, match="there is no load '1'"):
        check_load(open_at(), declare("crm"), "1")


def test_the_warehouse_refusing_a_row_is_told_without_the_row(
    vendor: Vendor, declare: Declare, open_at: Open, database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    vendor.contacts = [contact(1)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    move_on(workspace)
    with psycopg.connect(database) as connection:
        connection.execute("alter table raw_crm.contacts add constraint never check (id <> '9')")
    vendor.contacts = [contact(1), contact(9, "2026-03-02T20:00:00Z")]
    with pytest.raises(SafarError, match=r"dlt could not load it .* SQLSTATE 23514") as caught:
        land_source(workspace, source)
    assert "p9@example.com" not in str(caught.value) + "".join(capfd.readouterr())
    with psycopg.connect(database) as connection:
        connection.execute("alter table raw_crm.contacts drop constraint never")
    assert land_source(workspace, source).rows["contacts"] == Counts(new=1)
