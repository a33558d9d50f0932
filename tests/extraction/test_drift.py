"""A vendor's columns change: new ones land and are told, vanished and retyped ones make the load red by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from rich.console import Console
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.extraction import CheckFailed, Counts, check_load, land_source
from safar.night.figures import UNDECLARED, NightFigures, SourceFigures
from safar.night.table import print_figures
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
VERSIONS = "select id, score, changed, _dlt_valid_from, _dlt_valid_to from raw_crm.contacts order by 1, 4"


def contact(number: int, changed: str = "2026-03-01T10:00:00Z", **fields: Any) -> dict[str, Any]:
    record = {"id": str(number), "changed": changed, "properties": {"email": f"p{number}@example.com"}, "score": number}
    return {name: value for name, value in (record | fields).items() if value != "(absent)"}


def contacts(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [contact(number, **fields) for number in range(1, count + 1)]


@pytest.fixture
def full(declare: Declare) -> Source:
    """The source as one that is read as a whole each time."""
    return declare_full(declare)


def declare_full(declare: Declare, *changes: tuple[str, str]) -> Source:
    text = (
        "              cursor: {column: changed, overlap: 1 hour}\n"
        "              cap:\n"
        "                rows: 2\n"
        "                tie_column: id\n"
        '                ties: {at: "{cursor.at}", beyond: "{cursor.after}"}\n'
    )
    query = (
        "              changes:\n"
        "                path: /contacts/search\n"
        "                method: POST\n"
        '                json: {from: "{cursor.start}", to: "{cursor.end}"}\n'
        "                paginator: {type: cursor, cursor_path: paging.next.after, cursor_body_path: after}\n"
        "                data_selector: results\n"
    )
    return declare("crm", (text, ""), (query, ""), *changes)


def land_and_check(workspace: Workspace, source: Source) -> None:
    check_load(workspace, source, land_source(workspace, source).load_id)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(hours=24)


def expect_red(workspace: Workspace, source: Source) -> str:
    with pytest.raises(CheckFailed) as caught:
        check_load(workspace, source, land_source(workspace, source).load_id)
    return str(caught.value)


def test_a_new_column_lands_and_is_told_in_the_load_s_row(
    vendor: Vendor, full: Source, open_at: Open, select: Select, database: str
) -> None:
    vendor.contacts = contacts(2)
    workspace = open_at()
    land_and_check(workspace, full)
    vendor.contacts[1]["properties"]["shoeSize"] = 44
    report = land_source(workspace, full)
    check_load(workspace, full, report.load_id)
    assert "contacts: undeclared columns properties__shoe_size" in report.describe()
    assert report.rows["contacts"] == Counts(changed=1)
    landed = select("select properties__shoe_size from raw_crm.contacts where id = '2' and _dlt_valid_to is null")
    assert landed == [("44",)]
    drift = select("select drift -> 'contacts' -> 'undeclared' from ledger.source_load order by landed_at")
    assert drift == [(None,), (["properties__shoe_size"],)]
    with psycopg.connect(database) as connection:
        told = connection.execute(UNDECLARED, {"since": "2026-01-01", "until": "2027-01-01"}).fetchall()
    assert told == [("crm", ["contacts.properties__shoe_size"])], "as the night's figures read it"


def test_a_new_column_is_told_in_the_night_s_table() -> None:
    moment = "2026-03-02T02:00:00Z"
    sources = {"crm": SourceFigures(loads=1, new=1, changed=0, deleted=0, quarantined=0, undeclared=["contacts.size"])}
    figures = NightFigures.model_validate(
        {
            "since": moment,
            "until": moment,
            "sources": sources,
            "stages": {},
            "campaigns": {},
            "messages_accepted": 0,
            "deliveries_accepted": 0,
        }
    )
    out = StringIO()
    print_figures(figures, Console(file=out, width=120))
    assert "crm: columns that nobody has declared (they landed as text): contacts.size" in out.getvalue()


@pytest.mark.parametrize("how", ["left out", "object in its place"])
def test_a_vanished_column_makes_the_load_red_and_is_named(
    how: str, vendor: Vendor, full: Source, open_at: Open, select: Select
) -> None:
    vendor.contacts = contacts(3)
    workspace = open_at()
    land_and_check(workspace, full)
    before = select(VERSIONS)
    vendor.contacts = contacts(3, score="(absent)" if how == "left out" else {"points": 3})
    told = expect_red(workspace, full)
    assert "raw_crm.contacts: the column score has vanished: " in told
    assert str(full.file) in told
    assert select(VERSIONS) == before
    assert select("select status from ledger.source_load order by landed_at desc limit 1") == [("rolled_back",)]
    vendor.contacts = contacts(3)
    land_and_check(workspace, full)
    assert select(VERSIONS) == before


def test_a_column_inside_an_object_vanishes_too(vendor: Vendor, full: Source, open_at: Open) -> None:
    vendor.contacts = contacts(3)
    workspace = open_at()
    land_and_check(workspace, full)
    vendor.contacts = contacts(3, properties={"born": "1990-05-17"})
    assert "the column properties__email has vanished" in expect_red(workspace, full)


@pytest.mark.parametrize(
    "fields",
    [{"score": None}, {"score": ""}, {"properties": None}],
    ids=["null", "empty", "the whole object is null"],
)
def test_an_empty_column_has_not_vanished(fields: dict[str, Any], vendor: Vendor, full: Source, open_at: Open) -> None:
    vendor.contacts = contacts(3)
    workspace = open_at()
    land_and_check(workspace, full)
    vendor.contacts = contacts(3, **fields)
    land_and_check(workspace, full)


def test_a_column_in_one_row_has_not_vanished_and_one_that_never_came_is_told(
    vendor: Vendor, full: Source, open_at: Open, select: Select
) -> None:
    vendor.contacts = contacts(3)
    workspace = open_at()
    land_and_check(workspace, full)
    vendor.contacts = [contact(1), contact(2, score="(absent)"), contact(3, score="(absent)")]
    report = land_source(workspace, full)
    check_load(workspace, full, report.load_id)
    assert report.drift["contacts"].absent == ("properties__born", "tags")
    assert report.drift["contacts"].vanished == ()


def test_rows_that_changed_alone_say_nothing_about_a_column(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    vendor.contacts = contacts(3)
    workspace, source = open_at(), declare("crm")
    land_and_check(workspace, source)
    vendor.contacts = [contact(1, changed="2026-03-02T20:00:00Z", score="(absent)")]
    land_and_check(workspace, source)


def test_a_column_vanishes_from_a_window_when_it_had_values_there(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.days = [{"date_start": "2026-02-20", "ad": "a", "spend": "1"}]
    workspace, source = open_at(), declare("ads")
    land_and_check(workspace, source)
    vendor.days = [{"date_start": "2026-02-20", "ad": "a"}]
    assert "raw_ads.days: the column spend has vanished" in expect_red(workspace, source)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=60)
    vendor.days = [{"date_start": "2026-04-20", "ad": "a"}]
    land_and_check(workspace, source)


def test_a_retyped_column_makes_the_load_red_and_is_named(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.contacts = contacts(3)
    workspace, source = open_at(), declare("crm")
    land_and_check(workspace, source)
    before = select(VERSIONS)
    vendor.contacts = contacts(3, changed="2026-03-02T20:00:00Z", score="high")
    told = expect_red(workspace, source)
    assert re.search(r"raw_crm\.contacts: the column score is retyped: (\d+) of \1 values are no bigint", told)
    assert select(VERSIONS) == before
    vendor.requests.clear()
    vendor.contacts = contacts(3, changed="2026-03-02T20:00:00Z")
    land_and_check(workspace, source)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T09:00:00Z", "the same window again"


@pytest.mark.parametrize(("bad", "is_red"), [(2, False), (3, True)])
def test_more_than_a_fifth_of_the_values_is_a_retyped_column(
    bad: int, is_red: bool, vendor: Vendor, full: Source, open_at: Open, select: Select
) -> None:
    vendor.contacts = [*contacts(10)[bad:], *contacts(bad, score="high")]
    workspace = open_at()
    if is_red:
        assert "score is retyped: 3 of 10 values" in expect_red(workspace, full)
    else:
        land_and_check(workspace, full)
        assert select("select quarantined_count from ledger.source_load") == [(2,)]


def test_the_share_from_which_a_column_is_retyped_is_declared(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    vendor.contacts = [*contacts(10)[3:], *contacts(3, score="high")]
    key = "kind: record\n              key: id\n"
    land_and_check(open_at(), declare_full(declare, (key, f"{key}              retyped_over: 40 %\n")))
