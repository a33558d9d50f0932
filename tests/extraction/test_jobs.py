"""Rows that a job at the vendor makes: waited for as declared, all of them landed, and a bad end is told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from job_vendor import TOKEN, JobVendor, answer, cut_body, open_job_vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, check_load, land_source
from safar.extraction.session import Patience
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]

HEADER = b"id,changed,note,is_on\n"
FIRST = HEADER + b'A1,2026-03-01T10:00:00.000Z,"one ""quoted"",\nbroken",true\nA2,2026-03-01T10:00:00.000Z,N/A,false\n'
SECOND = HEADER + b"A3,2026-03-01T11:00:00.000Z,,\n"


@pytest.fixture
def jobs(connections: dict[str, Any]) -> Iterator[JobVendor]:
    with open_job_vendor() as vendor:
        vendor.pages, vendor.url, vendor.rows = [FIRST, SECOND], f"{vendor.base_url}/elsewhere", None
        connections["exports"] = {"host": vendor.base_url, "password": TOKEN}
        yield vendor


@pytest.fixture
def people(declare: Declare) -> Declare:
    """The source with its first table alone."""

    def declare_people(*changes: tuple[str, str]) -> Source:
        source = declare("exports", *changes)
        return source.model_copy(update={"tables": source.tables[:1]})

    return declare_people


@pytest.fixture
def orders(declare: Declare) -> Declare:
    """The source with its second table alone."""

    def declare_orders(*changes: tuple[str, str]) -> Source:
        source = declare("exports", *changes)
        return source.model_copy(update={"tables": source.tables[1:]})

    return declare_orders


def test_a_job_is_started_waited_for_and_its_pages_land(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, naps: list[float], select: Select
) -> None:
    jobs.states, jobs.rows = ["Queued", "Running", "Running", "Running", "Running", "Running", "Complete"], 3
    assert land_source(open_at(), people(), patience).rows["people"] == Counts(new=3)
    assert select("select id, note, is_on from raw_exports.people order by id") == [
        ("A1", 'one "quoted",\nbroken', True),
        ("A2", "N/A", False),
        ("A3", None, None),
    ]
    _, _, headers, body = jobs.requests[0]
    assert body == {"query": "changed < 2026-03-02T02:00:00Z", "tool": "safar"}
    assert headers["x-version"] == "7"
    assert naps == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0], "short jobs are not slept through, long ones not pestered"
    assert jobs.paths() == ["/jobs", *["/jobs/J1"] * 7, *["/jobs/J1/results"] * 2]
    assert [one[3] for one in jobs.requests[-2:]] == [{"size": "2"}, {"size": "2", "locator": "1"}]
    assert jobs.requests[-1][2]["accept"] == "text/csv"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Failed", r"job J1 ended with the state 'Failed': too wide\. Nothing was landed"),
        ("Odd", r"job J1 has the state 'Odd', which no list names: too wide\. .* Add it to running, done or failed"),
    ],
)
def test_a_job_that_fails_is_told_with_what_the_vendor_says(
    state: str, told: str, jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    jobs.states, jobs.reason = ["Running", state], "too wide"
    with pytest.raises(SafarError, match=told):
        land_source(open_at(), people(), patience)
    assert select("select to_regclass('raw_exports.people') is null") == [(True,)]


def test_a_job_that_the_vendor_drops_is_started_anew_but_not_for_ever(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience
) -> None:
    jobs.states = ["Running", "Dropped", "Complete"]
    assert land_source(open_at(), people(), patience).rows["people"] == Counts(new=3)
    assert jobs.started == 2
    jobs.states = ["Dropped"]
    with pytest.raises(SafarError, match="dropped 2 times by the vendor"):
        land_source(open_at(), people(("              changes:", "              deletions:")), patience)


def test_a_job_that_takes_too_long_is_cancelled(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    jobs.states = ["Running"]
    with pytest.raises(SafarError, match=r"still has the state 'Running' after 6\d seconds.*job\.longest"):
        land_source(open_at(), people(), patience)
    assert jobs.paths()[-1] == "/jobs/J1/cancel"
    assert 60 <= sum(naps) < 65


def test_we_wait_for_another_job_and_are_told_of_any_other_refusal(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    jobs.refusals = ["A job is already in progress"] * 2
    assert land_source(open_at(), people(), patience).rows["people"] == Counts(new=3)
    assert naps == [0.25, 0.5]
    jobs.refusals = ["no such field"]
    with pytest.raises(SafarError, match="the job was not started: no such field"):
        land_source(open_at(), people(("overlap: 1 hour", "overlap: 2 hours")).model_copy(), patience)


@pytest.mark.parametrize(
    "fault",
    [
        cut_body,
        answer(200, b"<html>", {"Content-Type": "text/html"}),
        answer(503, b""),
        answer(401, {"code": "EXPIRED"}),
    ],
    ids=["cut", "a page of a proxy", "503", "401"],
)
def test_a_page_of_the_file_that_breaks_is_asked_for_again(
    fault: Any, jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    jobs.faults, jobs.rows = [fault], 3
    assert land_source(open_at(), people(), patience).rows["people"] == Counts(new=3)
    assert select("select string_agg(id, ' ' order by id) from raw_exports.people") == [("A1 A2 A3",)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pages": [HEADER + b"A1,2026-03-01T10:00:00Z\n"]}, r"is no readable csv \(Error\)"),
        ({"pages": [b"id,note\n\xff,x\n"]}, r"is no readable csv \(UnicodeDecodeError\)"),
        ({"pages": [gzip.compress(FIRST)[:-12]]}, r"is no readable csv \(EOFError\)"),
        ({"pages": [SECOND], "rows": 2}, "has 1 of the 2 records that the vendor counted"),
        ({"faults": [cut_body] * 5}, "broke off 5 times in a row"),
    ],
    ids=["a short line", "no UTF-8", "gzip cut", "fewer than counted", "always cut"],
)
def test_a_file_that_is_not_whole_lands_nothing(
    change: dict[str, Any], told: str, jobs: JobVendor, people: Declare, open_at: Open, patience: Patience
) -> None:
    for name, value in change.items():
        setattr(jobs, name, value)
    with pytest.raises(SafarError, match=told):
        land_source(open_at(), people(), patience)


def test_a_file_says_true_in_a_word_and_the_record_is_gone_all_the_same(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    source = people(("modified_at: changed", "modified_at: changed\n              deleted: {column: is_on}"))
    assert land_source(open_at(), source, patience).rows["people"] == Counts(new=2, deleted=1)
    assert select("select id from raw_exports.people where _deleted") == [("A1",)]


def test_a_result_without_records_is_not_fetched_and_a_packed_one_is_unpacked(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience
) -> None:
    jobs.rows = 0
    assert land_source(open_at(), people(), patience).rows["people"] == Counts()
    assert "/jobs/J1/results" not in jobs.paths()
    jobs.rows, jobs.pages = 2, [gzip.compress(FIRST)]
    assert land_source(open_at(), people(), patience).rows["people"] == Counts(new=2)


def move_on(workspace: Workspace, **by: int) -> None:
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(**by)


def test_changes_are_asked_for_without_a_job_and_one_instant_is_one_text(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    workspace, source = open_at(), people()
    check_load(workspace, source, land_source(workspace, source, patience).load_id)
    move_on(workspace, hours=24)
    same = {"attributes": {"type": "P"}, "id": "A3", "changed": "2026-03-01T11:00:00.000+0000", "note": None}
    changed = {"id": "A2", "changed": "2026-03-02T11:00:00.000+0000", "note": "new", "is_on": False}
    jobs.people = [[same], [changed]]
    report = land_source(workspace, source, patience)
    assert report.rows["people"] == Counts(changed=1)
    assert report.undeclared == {}
    assert jobs.started == 1


def test_a_query_that_the_vendor_forgot_is_asked_anew_from_the_last_row(
    jobs: JobVendor, people: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    workspace, source = open_at(), people()
    check_load(workspace, source, land_source(workspace, source, patience).load_id)
    move_on(workspace, hours=24)
    row = {"id": "A2", "changed": "2026-03-02T11:00:00.000+0000", "note": "new"}
    jobs.people = [[row], [{**row, "id": "A5"}]]
    gone = answer(400, [{"code": "GONE"}])
    jobs.faults = [lambda handler: handler.send(200, {"records": [row], "next": "/people?page=1"}), gone]
    assert land_source(workspace, source, patience).rows["people"] == Counts(new=1, changed=1)
    asked = [query.get("since") for _, path, _, query in jobs.requests if path == "/people"]
    assert asked == ["2026-03-01T10:00:00Z", None, "2026-03-02T11:00:00Z", None]
    jobs.faults = [gone] * 5
    with pytest.raises(SafarError, match="forgot the query 5 times"):
        land_source(workspace, source, patience)


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_json_lines_come_from_elsewhere_without_our_token_and_children_join_their_parent(
    jobs: JobVendor, orders: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    jobs.lines = lines(
        {"id": "Order/1"},
        {"id": "Line/1", "__parentId": "Order/1"},
        {"id": "Note/1", "__parentId": "Order/1"},
        {"id": "Line/2", "__parentId": "Order/1"},
        {"id": "Order/2"},
    )
    jobs.rows, jobs.url = 5, jobs.base_url.replace("127.0.0.1", "localhost") + "/elsewhere"
    assert land_source(open_at(), orders(), patience).rows["orders"] == Counts(new=2)
    assert select("select id, lines__nodes, notes from raw_exports.orders order by id") == [
        ("Order/1", [{"id": "Line/1"}, {"id": "Line/2"}], [{"id": "Note/1"}]),
        ("Order/2", [], []),
    ]
    assert "authorization" not in jobs.requests[-1][2]


@pytest.mark.parametrize(
    ("changes", "records", "told"),
    [
        (
            (),
            [{"id": "Order/1"}, {"id": "Order/2"}, {"id": "Line/1", "__parentId": "Order/1"}],
            "not follow its parent",
        ),
        (
            ((', notes: ""', ""),),
            [{"id": "Order/1"}, {"id": "X/1", "__parentId": "Order/1"}],
            r"kind that `nesting\.into` does not name",
        ),
    ],
)
def test_a_child_that_belongs_nowhere_is_told(
    changes: Any, records: Any, told: str, jobs: JobVendor, orders: Declare, open_at: Open, patience: Patience
) -> None:
    jobs.lines = lines(*records)
    with pytest.raises(SafarError, match=told):
        land_source(open_at(), orders(*changes), patience)


def test_parents_are_known_by_the_declared_fields(
    jobs: JobVendor, orders: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    jobs.lines = lines({"id": "1", "number": "P1"}, {"id": "Line/1", "of": "P1"})
    land_source(
        open_at(),
        orders(
            ("parent: __parentId, id: id, into: {lines.nodes: Line/", 'parent: of, id: number, into: {lines.nodes: ""')
        ),
        patience,
    )
    assert select("select id, lines__nodes from raw_exports.orders") == [("1", [{"id": "Line/1"}])]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("anew: [Dropped]", "anew: [Failed]", r"job: .*the state 'Failed' stands in two lists"),
        ("keep: {url: url}", "keep: {id: url}", r"keep: .*'id' cannot be kept"),
        ("format: csv", "format: json", r"data_selector is missing"),
        ("format: csv", "format: csv\n                data_selector: x", r"a file has no data_selector"),
        ("format: json_lines", "format: csv", r"nesting is for format json_lines"),
    ],
)
def test_a_wrong_declaration_is_told(old: str, new: str, told: str, declare: Declare) -> None:
    with pytest.raises(ConfigurationError, match=told):
        declare("exports", (old, new))
