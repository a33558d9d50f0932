"""What was asked for before is asked for again: only what differs makes a version, and no cursor moves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tiny_vendor import Vendor
from typer.testing import CliRunner

from safar.catalogue.source import Source
from safar.cli import app
from safar.clock import FixedClock
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, LoadReport, check_load, land_source, read_repull
from safar.extraction.loads import LoadBook
from safar.extraction.pipeline import SourcePipeline
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
CONTACTS = "select id, changed, _dlt_id, _dlt_valid_from, _dlt_valid_to from raw_crm.contacts order by 1, 4"
DAYS = "select date_start, ad, spend from raw_ads.days where _dlt_valid_to is null order by 1, 2"
OLD = "2026-02-01T10:00:00Z"


def contact(number: int, changed: str = "2026-03-01T10:00:00Z", score: int = 1) -> dict[str, Any]:
    return {"id": str(number), "changed": changed, "properties": {"email": f"p{number}@example.com"}, "score": score}


def day(date: str, ad: str, spend: str) -> dict[str, str]:
    return {"date_start": date, "ad": ad, "spend": spend}


def load(workspace: Workspace, source: Source, **again: str) -> LoadReport:
    report = land_source(workspace, source, repull=read_repull(**again))
    check_load(workspace, source, report.load_id)
    return report


def move_on(workspace: Workspace, **by: int) -> None:
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(**(by or {"hours": 24}))


@pytest.fixture
def company(project: Path) -> Path:
    """The project with the company's own settings: nights are counted in its time zone."""
    (project / "dbt_project").mkdir()
    shutil.copy(PROJECT_ROOT / "dbt_project" / "dbt_project.yml", project / "dbt_project")
    return project


def test_days_before_the_window_are_asked_for_again_and_what_vanished_from_them_is_retired(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    workspace, source = open_at(), declare("ads")
    vendor.days = [day("2026-01-01", "a", "9"), day("2026-01-02", "b", "8"), day("2026-02-20", "a", "1")]
    load(workspace, source)
    assert select(DAYS) == [("2026-02-20", "a", "1")]
    window = {"since": "2026-01-01", "until": "2026-01-31"}
    assert load(workspace, source, **window).rows["days"] == Counts(new=2)
    before = select("select * from raw_ads.days order by date_start")
    for _ in range(2):
        assert load(workspace, source, **window).rows["days"] == Counts()
    assert select("select * from raw_ads.days order by date_start") == before
    vendor.days = [day("2026-01-01", "a", "9.5")]
    assert load(workspace, source, **window).rows["days"] == Counts(changed=1, deleted=1)
    assert select(DAYS) == [("2026-01-01", "a", "9.5"), ("2026-02-20", "a", "1")], "other days are left alone"


def test_changes_of_a_window_are_asked_for_again_and_the_next_load_goes_on_where_it_was(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    workspace, source = open_at(), declare("crm")
    vendor.contacts = [contact(1)]
    load(workspace, source)
    move_on(workspace)
    vendor.contacts = [contact(1), contact(2, OLD)]
    assert load(workspace, source).rows["contacts"] == Counts(), "it changed before the cursor"
    vendor.requests.clear()
    window = {"since": "2026-02-01", "until": "2026-02-28"}
    assert load(workspace, source, **window).rows["contacts"] == Counts(new=1)
    assert vendor.bodies("/contacts/search")[0] == {"from": "2026-02-01T00:00:00Z", "to": "2026-02-28T23:59:59Z"}
    before = select(CONTACTS)
    assert load(workspace, source, **window).rows == {"contacts": Counts(), "consents": Counts()}
    assert select(CONTACTS) == before
    vendor.requests.clear()
    move_on(workspace)
    load(workspace, source)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T09:00:00Z", "as if nobody had asked again"


def test_a_window_that_reaches_past_the_cursor_moves_it_no_further(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    workspace, source = open_at(), declare("crm")
    vendor.contacts = [contact(1)]
    load(workspace, source)
    move_on(workspace, days=5)
    vendor.contacts = [contact(1), contact(2, "2026-03-03T10:00:00Z"), contact(3, "2026-03-05T10:00:00Z")]
    assert load(workspace, source, since="2026-03-05").rows["contacts"] == Counts(new=1)
    assert load(workspace, source).rows["contacts"] == Counts(new=1), "what changed before the window is not lost"


def test_one_table_alone_is_asked_for(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    workspace, source = open_at(), declare("crm")
    vendor.contacts = [contact(1), contact(2)]
    load(workspace, source)
    vendor.requests.clear()
    vendor.contacts[0]["score"] = 5
    assert load(workspace, source, since="2026-01-01", table="contacts").rows == {"contacts": Counts(changed=1)}
    assert "/consents" not in vendor.paths()
    vendor.requests.clear()
    vendor.consents = {"p2@example.com": "SUBSCRIBED"}
    assert load(workspace, source, since="2026-01-01", table="consents").rows == {"consents": Counts(changed=1)}
    assert set(vendor.paths()) == {"/consents"}, "for the addresses that are known"


def test_a_night_is_asked_for_as_it_was_then(
    vendor: Vendor, declare: Declare, open_at: Open, company: Path, select: Select
) -> None:
    workspace, source = open_at(), declare("crm")
    asked = []
    for night in (1, 2, 3):
        vendor.contacts.append(contact(night, f"2026-03-0{night}T12:00:00Z"))
        vendor.requests.clear()
        load(workspace, source)
        asked += vendor.bodies("/contacts/search")[:1]
        move_on(workspace)
    vendor.contacts[1]["score"] = 7
    vendor.requests.clear()
    assert load(workspace, source, night="2026-03-03").rows["contacts"] == Counts(changed=1)
    assert vendor.bodies("/contacts/search")[0] == asked[0]
    before = select(CONTACTS)
    assert load(workspace, source, night="2026-03-03").rows["contacts"] == Counts()
    vendor.requests.clear()
    assert load(workspace, source, night="2026-03-02").rows["contacts"] == Counts()
    assert vendor.paths()[0] == "/contacts", "the first night had no cursor and read everything"
    assert select(CONTACTS) == before


def test_a_night_of_a_window_asks_for_the_days_that_it_had_then(
    vendor: Vendor, declare: Declare, open_at: Open, company: Path
) -> None:
    workspace, source = open_at(), declare("ads")
    load(workspace, source)
    then = json.loads(vendor.requests[0][2]["range"])
    move_on(workspace, days=60)
    load(workspace, source)
    vendor.requests.clear()
    load(workspace, source, night="2026-03-02")
    assert json.loads(vendor.requests[0][2]["range"]) == then


@pytest.mark.parametrize(
    "died", ["before it reached the warehouse", "in the warehouse", "before it was counted", "unchecked"]
)
def test_a_kill_leaves_a_state_from_which_the_next_run_is_right(
    died: str, vendor: Vendor, declare: Declare, open_at: Open, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, source = open_at(), declare("crm")
    vendor.contacts = [contact(1), contact(2, OLD)]
    load(workspace, source)
    before = select(CONTACTS)
    move_on(workspace)
    vendor.contacts = [contact(1, "2026-03-02T20:00:00Z"), contact(2, OLD, score=9)]
    window = {"since": "2026-01-01", "until": "2026-02-28"}
    carry, count = SourcePipeline.load, LoadBook.count

    def die(pipeline: SourcePipeline) -> None:
        if died == "in the warehouse":
            carry(pipeline)
        raise KeyboardInterrupt

    def die_counting(*_: Any) -> None:
        raise KeyboardInterrupt

    if died == "unchecked":
        land_source(workspace, source, repull=read_repull(**window))
    else:
        owner, name = (LoadBook, "count") if died == "before it was counted" else (SourcePipeline, "load")
        monkeypatch.setattr(owner, name, die_counting if owner is LoadBook else die)
        with pytest.raises(KeyboardInterrupt):
            land_source(workspace, source, repull=read_repull(**window))
        monkeypatch.undo()
    assert LoadBook.count is count
    vendor.requests.clear()
    assert load(workspace, source).rows["contacts"] == Counts(changed=1), "the ordinary load is as it would have been"
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-01T09:00:00Z"
    assert [row for row in select(CONTACTS) if row[0] == "2"] == [row for row in before if row[0] == "2"]
    assert load(workspace, source, **window).rows["contacts"] == Counts(changed=1)
    assert load(workspace, source, **window).rows["contacts"] == Counts()
    assert select("select count(*) from raw_crm.contacts where _dlt_valid_to is null") == [(2,)]


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ({"since": "2026-01-01", "night": "2026-01-01"}, "either a night, or since and until"),
        ({"until": "2026-01-01"}, "until needs since"),
        ({"table": "contacts"}, "table needs since, or a night"),
        ({"since": "January"}, "since: 'January' is no date; write it like"),
        ({"night": "last"}, "night: 'last' is no date"),
        ({"since": "2026-01-02", "until": "2026-01-01"}, r"since \(2026-01-02\) is later than until"),
    ],
)
def test_what_does_not_go_together_is_told(again: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_repull(**again)


def test_what_cannot_be_asked_for_again_is_told(
    vendor: Vendor, declare: Declare, open_at: Open, company: Path, connections: dict[str, Any]
) -> None:
    workspace, source = open_at(), declare("crm")
    with pytest.raises(SafarError, match="nothing was loaded yet"):
        load(workspace, source, since="2026-01-01")
    load(workspace, source)
    with pytest.raises(ConfigurationError, match=r"crm has no table 'people'. It has contacts, consents\."):
        load(workspace, source, since="2026-01-01", table="people")
    with pytest.raises(SafarError, match=r"there was no load on 2026-01-01 .*Give since and until"):
        load(workspace, source, night="2026-01-01")


def test_on_the_command_line(
    vendor: Vendor,
    declare: Declare,
    open_at: Open,
    company: Path,
    connections: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    declare("ads")
    open_at()
    for name, fields in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))
    for name, value in {"PROJECT_ROOT": company, "HOME": tmp_path / "home", "CLOCK": "wall"}.items():
        monkeypatch.setenv(f"SAFAR_{name}", str(value))
    (tmp_path / "home").mkdir(exist_ok=True)
    run = CliRunner().invoke
    vendor.days = [day("2020-01-01", "a", "9")]
    assert "days: 0 new" in run(app, ["extract", "ads"]).stdout
    window = ["extract", "ads", "--since", "2020-01-01", "--until", "2020-01-31", "--table", "days"]
    assert "days: 1 new" in run(app, window).stdout
    assert "days: 0 new, 0 changed, 0 deleted" in run(app, window).stdout
    refused = run(app, ["extract", "nobody"]).exception
    assert str(refused) == "There is no source 'nobody'. Declared are ads."
