"""Lists and who is on them over some nights, held against the sandbox's own truth."""

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
NIGHTS = [datetime(2026, 3, day, 2, tzinfo=UTC) for day in (2, 3, 12)]
FIRMS, DELETED, NEW = "26", "25", "24"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSpotCompany]:
    with run_hubspot_company(tmp_path_factory.mktemp("company"), 1500) as running:
        yield running


@pytest.fixture
def source() -> Source:
    """The tables of lists alone."""
    whole = read_sources(PROJECT_ROOT / "dbt_project")["hubspot"]
    return whole.model_copy(update={"tables": tuple(one for one in whole.tables if one.name.startswith("list"))})


@pytest.mark.timeout(300)
def test_who_is_on_a_list_is_on_it_and_who_left_is_not(
    company: HubSpotCompany,
    connections: dict[str, Any],
    open_workspace: Callable[..., Workspace],
    source: Source,
    select: Select,
) -> None:
    connections["hubspot"] = {"host": f"{company.url}/hubspot", "password": "pat-sandbox"}
    workspace = open_workspace(NIGHTS[0])
    assert isinstance(workspace.clock, FixedClock)
    for night in NIGHTS:
        company.move_clock(night)
        workspace.clock.at = night
        for fault in ("server_error", "cut_body", "throttle"):
            company.break_with(fault, vendor="hubspot", path="lists", skip=2, retry_after=0)
        check_load(workspace, source, land_source(workspace, source, Patience(sleep=lambda _: None)).load_id)
        company.mend()
        rows = select(
            'select list_id, contact_id, to_char(added_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') '
            "from raw_hubspot.list_contacts where _dlt_valid_to is null"
        )
        truth = {(one["list_id"], one["id"], one["since"]) for one in company.tell("memberships")}
        assert set(rows) == {one for one in truth if one[0] != FIRMS}
        assert len(rows) == len(set(rows)) > 200
    lists = dict(select("select list_id, object_type_id from raw_hubspot.lists where _dlt_valid_to is null"))
    assert NEW in lists
    assert DELETED not in lists
    assert lists[FIRMS] == "0-2"
    left = select(
        f"select count(*) from raw_hubspot.list_contacts where _dlt_valid_to is not null and list_id <> '{DELETED}'"
    )
    assert left > [(0,)]
