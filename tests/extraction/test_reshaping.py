"""Rows that a vendor sends in another shape, and tables that are read as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, check_load, land_source
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
ROWS = "data_selector: results\n        columns:\n          - {name: project_id"
UNNESTED = (
    ROWS,
    "data_selector: results\n                unnest: {list: text.lines, keep: {text.language: language, id: page}}\n"
    "        columns:\n          - {name: language, data_type: text}\n          - {name: page, data_type: bigint}\n"
    "          - {name: project_id",
)


def project(id: str) -> dict[str, Any]:
    return {"id": id, "changed": "2026-03-01T10:00:00Z"}


def test_the_elements_of_a_list_are_rows_with_what_is_kept_of_their_record(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.contacts = [project("7")]
    lines = [{"number": 1, "id": 99}, {"number": 2}]
    vendor.notes = {"7": [{"id": 4, "text": {"language": "de", "lines": lines}}, {"id": 5, "text": {"lines": []}}]}
    report = land_source(open_at(), declare("notes", UNNESTED))
    rows = select("select project_id, number, page, language from raw_notes.notes order by number")
    assert rows == [("7", 1, 4, "de"), ("7", 2, 4, "de")]
    assert report.quarantined == 0


def test_a_record_without_the_list_is_not_dropped_in_silence(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.contacts = [project("7")]
    vendor.notes = {"7": [{"id": 4, "text": None}]}
    assert land_source(open_at(), declare("notes", UNNESTED)).quarantined == 1
    assert select("select table_name, reason from raw_notes.quarantine") == [("notes", "key column number is empty")]


def test_a_list_that_the_vendor_cut_fails_the_load(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    vendor.contacts = [project("7")]
    page = {"id": 4, "text": {"lines": [{"number": 1}], "next": None}}
    vendor.notes = {"7": [page]}
    cut = (UNNESTED[0], UNNESTED[1].replace("id: page}", "id: page}, more: text.next"))
    workspace, source = open_at(), declare("notes", cut)
    assert land_source(workspace, source).rows["notes"] == Counts(new=1)
    page["text"]["next"] = "abc"
    with pytest.raises(SafarError, match=r"notes\.notes: the vendor cut the list 'text\.lines'.*_notes__sources\.yml"):
        land_source(workspace, source)


@pytest.mark.parametrize("is_whole", [False, True])
def test_of_a_table_that_is_read_as_a_whole_what_does_not_come_is_gone(
    is_whole: bool, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    whole = f"kind: record\n              is_whole: {str(is_whole).lower()}\n              key: [project_id"
    source, workspace = declare("notes", ("kind: record\n              key: [project_id", whole)), open_at()
    vendor.contacts = [project("1"), project("2")]
    vendor.notes = {"1": [{"number": 1}, {"number": 2}], "2": [{"number": 1}]}
    check_load(workspace, source, land_source(workspace, source).load_id)
    for night, (left, gone) in enumerate([([{"number": 2}], 2), ([], 1)]):
        assert isinstance(workspace.clock, FixedClock)
        workspace.clock.at += timedelta(days=1)
        vendor.notes = {"1": left}
        report = land_source(workspace, source)
        check_load(workspace, source, report.load_id)
        assert report.rows["notes"] == Counts(deleted=gone if is_whole else 0), night
    still = select("select count(*) from raw_notes.notes where _dlt_valid_to is null")
    assert still == [(0 if is_whole else 3,)]


def test_a_table_that_reads_only_changes_cannot_be_whole(declare: Declare) -> None:
    with pytest.raises(ConfigurationError, match=r":\d+: is_whole belongs to kind record, without `cursor`"):
        declare(
            "crm",
            (
                "kind: record\n              key: id",
                "kind: record\n              is_whole: true\n              key: id",
            ),
        )


def test_names_with_values_become_columns(vendor: Vendor, declare: Declare, open_at: Open, select: Select) -> None:
    vendor.contacts = [project("7")]
    answers = [
        {"field": "E-mail", "is": "a@example.com"},
        {"field": "topic", "is": "tea"},
        {"field": "topic", "is": "rugs"},
    ]
    vendor.notes = {
        "7": [{"number": 1, "answers": answers}, {"number": 2, "answers": []}, {"number": 3, "answers": "?"}]
    }
    column = (
        "        columns:\n          - {name: answers__e_mail, data_type: text, config: {meta: {personal: address}}}\n"
    )
    report = land_source(
        open_at(),
        declare(
            "notes",
            (ROWS, ROWS.replace("        columns:\n", f"                pairs: {{answers: [field, is]}}\n{column}")),
        ),
    )
    assert report.undeclared == {"notes": ("answers", "answers__topic")}, "what is no list of pairs is still seen"
    rows = select("select number, answers__e_mail, answers__topic, answers from raw_notes.notes order by number")
    assert rows == [(1, "a@example.com", "tea;rugs", None), (2, None, None, None), (3, None, None, "?")]
