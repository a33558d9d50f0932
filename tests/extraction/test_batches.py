"""A table that is asked for once per row, or per some rows, of another table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.errors import ConfigurationError
from safar.extraction import check_load, land_source
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
BATCH = "batch: {table: projects, column: id, size: 1, into: project_id}"


def project(id: str) -> dict[str, Any]:
    return {"id": id, "changed": "2026-03-01T10:00:00Z"}


def number(*numbers: int) -> list[dict[str, Any]]:
    return [{"number": one} for one in numbers]


def ask_two_nights(workspace: Workspace, source: Source, vendor: Vendor, later: list[dict[str, Any]]) -> None:
    check_load(workspace, source, land_source(workspace, source).load_id)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=1)
    vendor.requests.clear()
    vendor.contacts = later
    check_load(workspace, source, land_source(workspace, source).load_id)


def test_each_parent_is_asked_about_in_the_path_and_named_in_its_rows(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.contacts = [project("7"), project("a/../b?c"), project("none")]
    vendor.notes = {"7": number(1, 2, 3), "a/../b?c": number(1)}
    land_source(open_at(), declare("notes"))
    assert select("select project_id, number from raw_notes.notes order by 1, 2") == [
        ("7", 1),
        ("7", 2),
        ("7", 3),
        ("a/../b?c", 1),
    ]


@pytest.mark.parametrize("only_changed", [False, True])
def test_only_changed_parents_are_asked_about_where_it_says_so(
    only_changed: bool, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    changed = "true" if only_changed else "false"
    source = declare("notes", (BATCH, BATCH.replace("}", f", only_changed: {changed}}}")))
    vendor.contacts = [project("1"), project("2")]
    vendor.notes = {"1": number(1), "2": number(1)}
    ask_two_nights(open_at(), source, vendor, later=[project("2"), project("3")])
    asked = sorted(path for path in vendor.paths() if path.startswith("/projects"))
    assert asked == [f"/projects/{id}/notes" for id in (["2", "3"] if only_changed else ["1", "2", "3"])]
    still = "select project_id from raw_notes.notes where _dlt_valid_to is null order by 1"
    assert select(still) == [("1",), ("2",)]


def test_a_parent_that_is_gone_is_not_asked_about_where_all_parents_are_read(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    source = declare("notes", ("cursor: {column: changed}", "is_whole: true"), ("{cursor.start}", "ever"))
    vendor.contacts = [project("1"), project("2")]
    ask_two_nights(open_at(), source, vendor, later=[project("2")])
    assert [path for path in vendor.paths() if path.startswith("/projects")] == ["/projects/2/notes"]


def test_only_parents_that_fit_are_asked_about(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    source = declare("notes", (BATCH, BATCH.replace("}", ", where: {kind: 'a b'}}")), ("{name: changed,", "{name: kind, data_type: text}\n          - {name: changed,"))  # fmt: skip
    vendor.contacts = [project("1") | {"kind": "a b"}, project("2") | {"kind": "c"}, project("3")]
    ask_two_nights(open_at(), source, vendor, later=[project("4") | {"kind": "a b"}])
    assert sorted(path for path in vendor.paths() if path.startswith("/projects")) == [
        "/projects/1/notes",
        "/projects/4/notes",
    ]


def test_a_batch_with_a_cursor_asks_each_parent_for_what_is_newer(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    path, number = "path: /projects/{batch.one}/notes", "- {name: number, data_type: bigint}"
    source = declare(
        "notes",
        (BATCH, f"{BATCH}\n              cursor: {{column: changed, overlap: 2 hours}}"),
        (path, f'{path}\n                params: {{since: "{{cursor.start}}"}}'),
        (number, f"{number}\n          - {{name: changed, data_type: timestamptz}}"),
    )
    vendor.contacts = [project("1"), project("2")]
    vendor.notes = {"1": [{"number": 1, "changed": "2026-03-01T12:00:00Z"}], "2": []}
    ask_two_nights(open_at(), source, vendor, later=[project("2")])
    asked = sorted((path, query["since"]) for _, path, query in vendor.requests if path.startswith("/projects"))
    assert asked == [(f"/projects/{id}/notes", "2026-03-01T10:00:00Z") for id in ("1", "2")]


def test_a_list_of_objects_is_sent_where_the_vendor_wants_one(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    vendor.contacts = [project("1"), project("2"), project("3")]
    source = declare(
        "notes",
        (BATCH, "batch: {table: projects, column: id, size: 2, each: number, concurrency: 1}"),
        ("key: [project_id, number]", "key: project_id"),
        (
            "path: /projects/{batch.one}/notes",
            'path: /contacts/read\n                method: POST\n                json: {inputs: "{batch}"}',
        ),
        (
            "results\n        columns:\n          - {name: project_id",
            "results\n              rename: {id: project_id}\n        columns:\n          - {name: project_id",
        ),
    )
    land_source(open_at(), source)
    assert [body["inputs"] for body in vendor.bodies("/contacts/read")] == [
        [{"number": "1"}, {"number": "2"}],
        [{"number": "3"}],
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("size: 1, into", "size: 2, into", r"into: project_id must be declared .* needs `size: 1`"),
        (
            "into: project_id",
            "into: project_id, where: {changed: x}",
            r"where: changed must be a column of projects",
        ),
        ("into: project_id", "into: whose", r"into: whose must be declared under `columns`"),
        ("column: id, size", "column: owner, size", r"projects\.owner is personal and would stand in a URL"),
    ],
)
def test_a_wrong_batch_is_told(old: str, new: str, told: str, declare: Declare) -> None:
    with pytest.raises(ConfigurationError, match=told):
        declare("notes", (old, new))


def note(number: int, day: int) -> dict[str, Any]:
    return {"number": number, "written": f"2026-02-{day:02d}T10:00:00Z"}


@pytest.mark.parametrize("newest_first", [False, True])
def test_where_the_newest_come_first_reading_ends_at_what_is_known(
    newest_first: bool, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    """Of a parent that is new everything is read, however old it is."""
    cursor = f"cursor: {{column: written, newest_first: {str(newest_first).lower()}}}"
    column = "columns:\n          - {name: written, data_type: timestamptz}\n          - {name: project_id"
    source = declare(
        "notes",
        ("key: [project_id, number]", f"key: [project_id, number]\n              {cursor}"),
        ("columns:\n          - {name: project_id", column),
    )
    old = [note(number, 28 - number) for number in range(1, 8)]
    vendor.contacts, vendor.notes = [project("1")], {"1": old}
    ask_two_nights(workspace := open_at(), source, vendor, later=[project("1"), project("2")])
    assert vendor.paths().count("/projects/1/notes") == (1 if newest_first else 4)
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(days=1)
    vendor.requests.clear()
    vendor.contacts = [project("1"), project("2"), project("3")]
    vendor.notes = {"1": [note(9, 28), note(8, 28), *old], "3": [note(1, 3), note(2, 2), note(3, 1)]}
    check_load(workspace, source, land_source(workspace, source).load_id)
    assert vendor.paths().count("/projects/1/notes") == (2 if newest_first else 5)
    rows = select("select project_id, count(*) from raw_notes.notes where _dlt_valid_to is null group by 1 order by 1")
    assert rows == [("1", 9), ("3", 3)]
