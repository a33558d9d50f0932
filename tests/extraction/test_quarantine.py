"""Rows that cannot be read stay out with their reason; the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.errors import ConfigurationError
from safar.extraction import Counts, land_source
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]

GOOD: dict[str, Any] = {"id": "1", "changed": "2026-03-01T00:00:00Z", "properties": {"email": "a@example.com"}}


def bad(**changes: Any) -> dict[str, Any]:
    record = json.loads(json.dumps({**GOOD, "id": "2"}))
    properties = changes.pop("properties", None)
    record |= changes
    if properties:
        record["properties"] |= properties
    return {name: value for name, value in record.items() if value != "(absent)"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (bad(id="(absent)"), "key column id is empty"),
        (bad(id=None), "key column id is empty"),
        (bad(id=""), "key column id is empty"),
        (bad(changed="31.02.2026"), "column changed is not a timestamptz: no date and time"),
        (bad(changed=True), "column changed is not a timestamptz: no date and time"),
        (bad(properties={"born": "1990-13-45"}), "column properties__born is not a date: no date"),
        (bad(score="a lot"), "column score is not a bigint: no whole number"),
        (bad(score=1.5), "column score is not a bigint: no whole number"),
        (bad(score=10**30), "column score is not a bigint: out of range"),
        ("a text", "the record is not an object"),
        (None, "the record is not an object"),
        ([1, 2], "the record is not an object"),
    ],
)
def test_a_bad_row_is_quarantined_and_the_rest_lands(
    record: Any, reason: str, vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.page_size = 10
    vendor.contacts = [GOOD, record, {**GOOD, "id": "3"}]
    report = land_source(open_at(), declare("crm"))
    assert report.rows["contacts"] == Counts(new=2)
    assert report.quarantined == 1
    assert select("select id from raw_crm.contacts order by id") == [("1",), ("3",)]
    rows = select(
        "select load_id, table_name, reason, record, landed_at = _landed.at from raw_crm.quarantine, "
        "(select landed_at as at from ledger.source_load) as _landed"
    )
    assert rows == [(report.load_id, "contacts", reason, record, True)]
    assert select("select quarantined_count from ledger.source_load") == [(1,)]
    [(key_hash,)] = select("select key_hash from raw_crm.quarantine")
    assert len(key_hash) == 64


def test_an_address_that_is_none_does_not_lose_the_contact(
    vendor: Vendor, declare: Declare, open_at: Open, select: Select
) -> None:
    vendor.contacts = [bad(properties={"email": "not an address"})]
    report = land_source(open_at(), declare("crm"))
    assert report.quarantined == 0
    assert select("select properties__email from raw_crm.contacts") == [("not an address",)], "dbt marks it invalid"


RULES = {
    "expect_column_values_to_not_be_null": {"column": "properties__email"},
    "expect_column_values_to_match_regex": {"column": "properties__email", "regex": "^[^@ ]+@[^@ ]+$"},
    "expect_column_values_to_be_in_set": {"column": "stage", "value_set": ["lead", "customer"]},
    "expect_column_values_to_be_between": {"column": "score", "min_value": 0, "max_value": 100},
    "expect_column_value_lengths_to_be_between": {"column": "properties__phone", "max_value": 5},
}
BREAKERS: dict[str, dict[str, Any]] = {
    "expect_column_values_to_not_be_null": {"properties": {"email": None}},
    "expect_column_values_to_match_regex": {"properties": {"email": "nobody"}},
    "expect_column_values_to_be_in_set": {"stage": "alien"},
    "expect_column_values_to_be_between": {"score": 101},
    "expect_column_value_lengths_to_be_between": {"properties": {"phone": "1234567"}},
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_severity_warning_quarantines_the_row_that_breaks_it(
    rule: str, vendor: Vendor, declare: Declare, open_at: Open, project: Path
) -> None:
    write_suite(project, {"type": rule, "kwargs": RULES[rule], "severity": "warning"})
    vendor.contacts = [GOOD, bad(**BREAKERS[rule])]
    report = land_source(open_at(), declare("crm"))
    assert (report.rows["contacts"], report.quarantined) == (Counts(new=1), 1)


def test_a_rule_that_needs_the_whole_load_may_not_be_a_warning(declare: Declare, open_at: Open, project: Path) -> None:
    write_suite(project, {"type": "expect_table_row_count_to_be_between", "kwargs": {}, "severity": "warning"})
    with pytest.raises(ConfigurationError, match=r"crm\.yml: raw_crm\.contacts: .* Make it `severity: critical`"):
        land_source(open_at(), declare("crm"))


def test_an_argument_that_no_rule_has_is_an_error(declare: Declare, open_at: Open, project: Path) -> None:
    settings = {"column": "score", "at_least": 1}
    write_suite(project, {"type": "expect_column_values_to_be_between", "kwargs": settings, "severity": "warning"})
    with pytest.raises(ConfigurationError, match="at_least"):
        land_source(open_at(), declare("crm"))


def write_suite(project: Path, *entries: dict[str, Any]) -> None:
    (project / "expectations" / "raw" / "crm.yml").write_text(
        json.dumps({"tables": {"raw_crm.contacts": list(entries)}})
    )
