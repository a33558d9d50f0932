"""A wrong declaration is told with file, line, field and remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from safar.catalogue.fetching import RateLimit
from safar.catalogue.source import Source, read_sources
from safar.errors import ConfigurationError
from safar.extraction.pacing import Pacer
from safar.settings import PROJECT_ROOT

Declare = Callable[..., Source]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "kind: record\n              key: id",
            "kind: records\n              key: id",
            r"_crm__sources\.yml:16: kind: ",
        ),
        ("modified_at: changed", "modifiedat: changed", r":18: modifiedat: is not a setting here. .*modified_at"),
        ("connection: crm", "", r"connection: is missing; add it\."),
        ("path: /contacts\n                params: {limit: 2}", "params: {limit: 2}", r"endpoint\.path: is missing"),
        ("overlap: 1 hour", "overlap: an hour", r"cursor\.overlap: .*write it like '90 minutes'"),
        ("key: id\n", "key: number\n", r":17: key names the column 'number', which is not declared under `columns`"),
        ("data_type: bigint}", "data_type: int8}", r"data_type: Input should be 'text', 'bigint'"),
        ("schema: raw_crm", "schema: crm", r":3: schema must be raw_crm"),
        ("- name: crm", "- name: My CRM", r":2: name 'My CRM' must be lower case"),
        ("kind: record\n              key: id", "kind: partition\n              key: id", r"`window` belongs to kind"),
        ("batch: {table: contacts", "batch: {table: people", r"people\.properties__email is not a column of a table"),
        ("cursor: {column: changed, overlap: 1 hour}", "", r":\d+: `changes` needs a `cursor`: changed since when"),
        ("column: changed,", "column: altered,", r"cursor names the column 'altered'"),
        ("params: {limit: 2}", "params: {limit: 2", r":22: not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, told: str, declare: Declare) -> None:
    with pytest.raises(ConfigurationError, match=told):
        declare("crm", (old, new))


def test_a_paginator_that_dlt_does_not_know_is_told(declare: Declare) -> None:
    from safar.extraction.client import open_paginator

    source = declare("crm", ("{type: cursor, cursor_path: paging.next.after, cursor_param: after}", "{type: curser}"))
    endpoint = source.tables[0].extract.endpoint
    assert endpoint is not None
    with pytest.raises(ConfigurationError, match=r"table 'contacts': paginator: .*curser"):
        open_paginator(endpoint, source, "contacts")


def test_every_source_of_the_project_is_declared_right() -> None:
    sources = read_sources(PROJECT_ROOT / "dbt_project")
    assert {"hubspot", "meta_ads", "shopify"} <= sources.keys()


def test_no_vendor_is_named_in_extraction() -> None:
    names = ("hubspot", "shopify", "facebook", "meta_ads", "salesforce", "tiktok", "linkedin")
    for path in (PROJECT_ROOT / "include" / "safar" / "extraction").glob("*.py"):
        text = path.read_text().lower()
        assert not [name for name in names if name in text], f"{path}: say it in the source's YAML"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_pacer_uses_the_whole_allowance_and_not_more() -> None:
    time = Time()
    pacer = Pacer(RateLimit(requests=5, per=timedelta(seconds=1)), clock=lambda: time.now, sleep=time.sleep)
    begun = []
    for _ in range(20):
        pacer.wait()
        begun.append(time.now)
    for at in begun:
        assert sum(at <= other < at + 1 for other in begun) <= 5
    assert begun[-1] <= 3.2, "20 calls at 5 a second"


def test_the_vendor_s_headers_count_more_than_our_number() -> None:
    time = Time()
    limit = RateLimit(requests_header="X-Max", per_ms_header="X-Per")
    pacer = Pacer(limit, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(50):
        pacer.wait()
    assert time.now == 0, "nothing is known yet"
    pacer.learn({"X-Max": "10", "X-Per": "10000"})
    pacer.wait()
    assert time.now >= 10
