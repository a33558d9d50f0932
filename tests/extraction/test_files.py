"""A folder of files is a source like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from safar.catalogue.source import Source
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, check_load, land_source
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def folder(tmp_path: Path, connections: dict[str, Any]) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    connections["files_purchases"] = {"conn_type": "fs", "extra": {"path": str(path)}}
    return path


@pytest.fixture
def members(folder: Path) -> Path:
    path = folder / "members.csv"
    path.write_text(
        "Member no;E-Mail;Since;Changed\n"
        '1;"a;b@example.com";01.02.2025;01.03.2026 10:00\n'
        "2;c@example.com;02.02.2025;\n"
        "3;d@example.com;32.02.2025;01.03.2026 10:00\n"
        "4;too;many;fields;here\n"
        "\n"
        ";e@example.com;02.02.2025;01.03.2026 10:00\n",
        encoding="utf-8",
    )
    return path


def test_real_purchases_are_replayed_as_of_a_night(
    folder: Path, declare: Declare, open_at: Open, select: Select
) -> None:
    sample = files("lifetimes").joinpath("datasets", "CDNOW_sample.txt").read_text()
    (folder / "CDNOW_sample.txt").write_text(sample)
    told = [line.split() for line in sample.splitlines() if line.strip()]
    source, seen = declare("purchases"), 0
    for night in ("1997-03-31", "1997-09-30", "1998-06-30"):
        workspace = open_at(datetime.fromisoformat(f"{night}T12:00:00").replace(tzinfo=UTC))
        report = land_source(workspace, source)
        check_load(workspace, source, report.load_id)
        expected = [line for line in told if line[2] <= night.replace("-", "")]
        assert report.rows["orders"] == Counts(new=len(expected) - seen)
        seen = len(expected)
        [(count, amount, people)] = select(
            "select count(*), sum(amount), count(distinct customer_id) from raw_purchases.orders"
        )
        assert (count, people) == (seen, len({line[1] for line in expected}))
        assert float(amount) == pytest.approx(sum(float(line[4]) for line in expected))
        assert land_source(workspace, source).rows["orders"] == Counts(), "the same files bring nothing new"
    assert seen == len(told) == 6919


def test_names_types_and_dates_come_from_the_declaration(
    members: Path, declare: Declare, open_at: Open, select: Select
) -> None:
    report = land_source(open_at(), declare("members"))
    assert report.rows["members"] == Counts(new=2)
    assert select("select member_id, email, joined_on::text, changed_at from raw_members.members order by 1") == [
        ("1", "a;b@example.com", "2025-02-01", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2", "c@example.com", "2025-02-02", None),
    ]
    assert select("select reason from raw_members.quarantine order by 1") == [
        ("column joined_on is not a date: no date",),
        ("key column member_id is empty",),
        ("the record is not an object",),
    ]
    assert select("select record #>> '{}' from raw_members.quarantine where reason like 'the record%'") == [
        ("members.csv:5: 5 fields instead of 4",)
    ]


def test_a_changed_line_is_a_new_version(members: Path, declare: Declare, open_at: Open) -> None:
    workspace, source = open_at(), declare("members")
    check_load(workspace, source, land_source(workspace, source).load_id)
    members.write_text(members.read_text().replace("c@example.com", "new@example.com"))
    assert land_source(workspace, source).rows["members"] == Counts(changed=1)


def test_a_file_more_adds_to_the_others(members: Path, declare: Declare, open_at: Open) -> None:
    workspace, source = open_at(), declare("members")
    check_load(workspace, source, land_source(workspace, source).load_id)
    (members.parent / "members_2.csv").write_text("Member no;E-Mail;Since;Changed\n9;z@example.com;;\n")
    assert land_source(workspace, source).rows["members"] == Counts(new=1)


def test_no_file_is_an_error_that_names_pattern_and_folder(folder: Path, declare: Declare, open_at: Open) -> None:
    with pytest.raises(SafarError, match=r"members\.members: no file matches 'members\*\.csv' in .*files"):
        land_source(open_at(), declare("members"))


def test_a_mapped_field_that_is_not_in_the_file_is_an_error(members: Path, declare: Declare, open_at: Open) -> None:
    source = declare("members", ('"E-Mail": email', '"Mail": email'))
    with pytest.raises(ConfigurationError, match="has no field Mail; it has Member no, E-Mail, Since, Changed"):
        land_source(open_at(), source)


def test_another_encoding_is_an_error_that_names_the_byte(members: Path, declare: Declare, open_at: Open) -> None:
    members.write_bytes("Member no;E-Mail;Since;Changed\n1;ä@example.com;;\n".encode("latin-1"))
    with pytest.raises(SafarError, match=r"members\.csv is not utf-8 \(byte 33\)"):
        land_source(open_at(), declare("members"))


def test_a_connection_without_a_folder_is_an_error(
    members: Path, declare: Declare, open_at: Open, connections: dict[str, Any]
) -> None:
    connections["files_purchases"] = {"conn_type": "fs"}
    with pytest.raises(ConfigurationError, match=r"names no folder. Set its extra"):
        land_source(open_at(), declare("members"))


@pytest.mark.parametrize(
    ("separator", "line"), [("\\t", "1\ta@example.com\t\t"), ("regex:[|]+", "1|||a@example.com|x|y")]
)
def test_other_separators(
    separator: str, line: str, folder: Path, declare: Declare, open_at: Open, select: Select
) -> None:
    header = line.replace("1", "Member no").replace("a@example.com", "E-Mail")
    header = "Member no\tE-Mail\tSince\tChanged" if separator == "\\t" else "Member no|E-Mail|Since|Changed"
    (folder / "members.csv").write_text(f"{header}\n{line}\n")
    changes = [('separator: ";"', f'separator: "{separator}"')]
    if separator != "\\t":
        changes.append(('date_formats: {joined_on: "%d.%m.%Y", changed_at: "%d.%m.%Y %H:%M"}', "date_formats: {}"))
        line_types = [("joined_on, data_type: date", "joined_on, data_type: text")]
        line_types.append(("changed_at, data_type: timestamptz", "changed_at, data_type: text"))
        changes += line_types
    land_source(open_at(), declare("members", *changes))
    assert select("select member_id, email from raw_members.members") == [("1", "a@example.com")]
