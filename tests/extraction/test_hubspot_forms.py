"""Forms, what was sent by them, and lists over some nights, held against the sandbox's own truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hubspot_company import HubSpotCompany, run_hubspot_company

from safar.catalogue.source import Source, read_sources
from safar.clock import FixedClock
from safar.extraction import check_load, land_source
from safar.extraction.session import Patience
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

Select = Callable[..., list[tuple[Any, ...]]]
NIGHTS = [datetime(2026, 3, day, 2, tzinfo=UTC) for day in (2, 3, 12, 30)]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSpotCompany]:
    with run_hubspot_company(tmp_path_factory.mktemp("company"), 1500) as running:
        yield running


@pytest.fixture
def source() -> Source:
    """The tables of forms alone."""
    whole = read_sources(PROJECT_ROOT / "dbt_project")["hubspot"]
    return whole.model_copy(update={"tables": tuple(one for one in whole.tables if one.name.startswith("form"))})


@pytest.fixture
def workspace(
    company: HubSpotCompany, connections: dict[str, Any], open_workspace: Callable[..., Workspace]
) -> Workspace:
    connections["hubspot"] = {"host": f"{company.url}/hubspot", "password": "pat-sandbox"}
    return open_workspace(NIGHTS[0])


@pytest.mark.timeout(300)
def test_each_night_brings_what_was_sent_since_and_nothing_twice(
    company: HubSpotCompany, workspace: Workspace, source: Source, select: Select
) -> None:
    assert isinstance(workspace.clock, FixedClock)
    for place, night in enumerate(NIGHTS):
        company.move_clock(night)
        workspace.clock.at = night
        for fault in ("server_error", "cut_body", "throttle"):
            company.break_with(fault, vendor="hubspot", path="submissions", skip=place, retry_after=0)
        company.break_with("missing_key", path="submissions", skip=1) if night == NIGHTS[-1] else None
        report = land_source(workspace, source, Patience(sleep=lambda _: None))
        assert report.quarantined == (1 if night == NIGHTS[-1] else 0)
        # The expectations of other tables have nothing to look at.
        check_load(workspace, source, report.load_id)
        company.mend()
        if night == NIGHTS[-2]:
            assert_all_that_was_sent_is_there_once(company, select)
    forms = select(
        "select count(*), count(*) filter (where _deleted) from raw_hubspot.forms where _dlt_valid_to is null"
    )
    assert forms == [(5, 1)]


def assert_all_that_was_sent_is_there_once(company: HubSpotCompany, select: Select) -> None:
    rows = select(
        "select form_id, conversion_id, round(extract(epoch from submitted_at) * 1000)::bigint, values__email, "
        "coalesce(values__message, '') from raw_hubspot.form_submissions"
    )
    gone = {form for (form,) in select("select id from raw_hubspot.forms where _deleted")}
    truth = [
        (one["form_id"], one["id"], one["at_ms"], one["values"]["email"], one["values"].get("message", ""))
        for one in company.tell("submissions")
    ]
    assert {row for row in rows if row[0] not in gone} == {row for row in truth if row[0] not in gone}
    assert len(rows) == len({row[:2] for row in rows}) > 150
