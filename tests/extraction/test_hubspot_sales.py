"""Companies, deals, tickets, engagements, owners and associations over some nights with faults, held against the sandbox's own truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hubspot_company import HubSpotCompany, run_hubspot_company

from safar.catalogue.source import Source, read_sources
from safar.clock import FixedClock
from safar.errors import SafarError
from safar.extraction import check_load, land_source
from safar.extraction.session import Patience
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

Select = Callable[..., list[tuple[Any, ...]]]
ENOUGH_FOR_A_FLOOD = 6_500
"""More firms than one page of a search: all are changed in one millisecond every week."""
NIGHTS = [datetime(2026, 3, day, 2, tzinfo=UTC) for day in (2, 3, 5, 9)] + [
    datetime(2026, 3, 9, 3, 20, tzinfo=UTC),
    datetime(2026, 3, 10, 2, tzinfo=UTC),
    datetime(2026, 5, 4, 2, tzinfo=UTC),
]
LAGGING = NIGHTS[4]
"""Twenty minutes after the weekly import, which the search does not know yet."""
FAULTS = ("server_error", "throttle", "cut_body", "garbage", "server_error", "throttle", "cut_body")
VIEWS = {"companies": "businesses", "deals": "deals", "tickets": "tickets"}
ACTIVITIES = ("emails", "calls", "meetings", "tasks")
KINDS = (*VIEWS, *ACTIVITIES)
COLUMNS = {"contacts": "contact_id", "companies": "company_id"} | {kind: f"{kind[:-1]}_id" for kind in KINDS[1:]}
LINKS = [("contact_companies", "contacts", "companies"), ("deal_companies", "deals", "companies")] + [
    (f"{kind[:-1]}_contacts", kind, "contacts") for kind in KINDS[1:]
]


@dataclass
class Landed:
    """What the nights have brought, and what was true in each of them."""

    company: HubSpotCompany
    workspace: Workspace
    source: Source
    select: Select
    seen: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """Kind -> per night the living records' modification dates."""

    def play(self, nights: list[datetime]) -> None:
        for night, fault in zip(nights, FAULTS, strict=True):
            self.company.move_clock(night)
            assert isinstance(self.workspace.clock, FixedClock)
            self.workspace.clock.at = night
            for skip in (2, 9, 30, 80):
                self.company.break_with(fault, vendor="hubspot", skip=skip, retry_after=0)
            if night == LAGGING:
                self.company.break_with("search_lag", vendor="hubspot", seconds=1800, count=None)
            report = land_source(self.workspace, self.source, Patience(sleep=lambda _: None))
            check_load(self.workspace, self.source, report.load_id)
            self.company.mend()
            for kind in KINDS:
                living = [one for one in tell(self.company, kind) if not one["archived"]]
                self.seen[kind].append({one["id"]: one["updated_at"] for one in living})


def tell(company: HubSpotCompany, kind: str) -> list[dict[str, Any]]:
    """All records of a kind that there ever were."""
    if kind in VIEWS:
        return company.tell(VIEWS[kind])
    return [one for one in company.tell("activities") if one["kind"] == kind]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubSpotCompany]:
    with run_hubspot_company(tmp_path_factory.mktemp("company"), ENOUGH_FOR_A_FLOOD) as running:
        yield running


@pytest.fixture
def source() -> Source:
    return read_sources(PROJECT_ROOT / "dbt_project")["hubspot"]


@pytest.fixture
def workspace(
    company: HubSpotCompany, connections: dict[str, Any], open_workspace: Callable[..., Workspace]
) -> Workspace:
    connections["hubspot"] = {"host": f"{company.url}/hubspot", "password": "pat-sandbox"}
    return open_workspace(NIGHTS[0])


@pytest.fixture
def landed(company: HubSpotCompany, workspace: Workspace, source: Source, select: Select) -> Landed:
    landed = Landed(company, workspace, source, select)
    landed.play(NIGHTS)
    return landed


@pytest.mark.timeout(600)
def test_after_all_nights_each_record_and_each_version_is_as_it_was(landed: Landed) -> None:
    for kind in KINDS:
        assert_each_version_is_there_once(landed, kind)
        assert_the_open_records_are_the_truth(landed, kind)
    assert_amounts_and_firms_are_as_told(landed)
    assert_tickets_and_engagements_are_as_told(landed)
    assert_each_deal_has_its_whole_course(landed)
    assert_links_are_the_truth_and_undone_ones_are_over(landed)
    assert_owners_and_stages_are_the_truth(landed)


def assert_each_version_is_there_once(landed: Landed, kind: str) -> None:
    rows = landed.select(
        f'select id, to_char(updated_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'), count(*) from raw_hubspot.{kind} '
        "where not coalesce(_deleted, false) group by 1, 2"
    )
    assert {count for _, _, count in rows} == {1}
    landed_versions = {(id, at) for id, at, _ in rows}
    certain, all_nights = (
        {
            version
            for night, known in zip(NIGHTS, landed.seen[kind], strict=True)
            if keep(night)
            for version in known.items()
        }
        for keep in (lambda night: night != LAGGING, lambda night: True)
    )
    assert certain <= landed_versions <= all_nights
    assert len(certain) > len(landed.seen[kind][0])


def assert_the_open_records_are_the_truth(landed: Landed, kind: str) -> None:
    truth = tell(landed.company, kind)
    rows = landed.select(f"select id, coalesce(_deleted, false) from raw_hubspot.{kind} where _dlt_valid_to is null")
    assert dict(rows) == {one["id"]: one["archived"] for one in truth}
    assert len(rows) == len(truth)
    assert {one["archived"] for one in truth} == ({True, False} if kind in VIEWS else {False})


def assert_amounts_and_firms_are_as_told(landed: Landed) -> None:
    still = "where _dlt_valid_to is null and not coalesce(_deleted, false)"
    deals = [one for one in landed.company.tell("deals") if not one["archived"]]
    assert set(landed.select(
        "select id, properties__pipeline, properties__dealstage, (properties__amount::numeric * 100)::bigint, "
        f"properties__deal_currency_code from raw_hubspot.deals {still}"
    )) == {
        (one["id"], one["pipeline"], one["entries"][-1][1], one["amount_cents"], one["currency"]) for one in deals
    }  # fmt: skip
    firms = [one for one in landed.company.tell("businesses") if not one["archived"]]
    assert any(one["merged"] for one in firms)
    assert set(landed.select(
        "select id, properties__name, properties__numberofemployees::int, "
        f"coalesce(properties__hs_merged_object_ids, '') from raw_hubspot.companies {still}"
    )) == {
        (one["id"], one["name"], one["employees_count"], ";".join(one["merged"])) for one in firms
    }  # fmt: skip


def assert_tickets_and_engagements_are_as_told(landed: Landed) -> None:
    still = "where _dlt_valid_to is null and not coalesce(_deleted, false)"
    closed = {
        (one["id"], one["entries"][-1][1], one["closed_at"] or "")
        for one in tell(landed.company, "tickets")
        if not one["archived"]
    }
    told = "coalesce(replace(properties__closed_date, '.000Z', 'Z'), '')"
    assert (
        set(landed.select(f"select id, properties__hs_pipeline_stage, {told} from raw_hubspot.tickets {still}"))
        == closed
    )
    assert "" in {at for _, _, at in closed}
    for kind, is_done in (
        ("calls", "properties__hs_call_status = 'COMPLETED'"),
        ("meetings", "properties__hs_meeting_outcome <> 'SCHEDULED'"),
        ("tasks", "properties__hs_task_status = 'COMPLETED'"),
        ("emails", "true"),
    ):
        at = "replace(properties__hs_timestamp, '.000Z', 'Z')"
        rows = set(landed.select(f"select id, {at}, {is_done} from raw_hubspot.{kind} {still}"))
        activities = tell(landed.company, kind)
        assert rows == {(one["id"], one["happens_at"], one["is_done"] or kind == "emails") for one in activities}


def assert_each_deal_has_its_whole_course(landed: Landed) -> None:
    rows = landed.select(
        'select deal_id, to_char(entered_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'), stage_id '
        "from raw_hubspot.deal_stage_changes order by 1, 2"
    )
    courses: dict[str, list[list[str]]] = defaultdict(list)
    for deal, at, stage in rows:
        courses[deal].append([at, stage])
    deals = [one for one in landed.company.tell("deals") if not one["archived"]]
    assert {one["id"]: courses[one["id"]] for one in deals} == {one["id"]: one["entries"] for one in deals}
    assert any(len({stage for _, stage in one["entries"]}) < len(one["entries"]) for one in deals), "a stage twice"


def assert_links_are_the_truth_and_undone_ones_are_over(landed: Landed) -> None:
    links = landed.company.tell("links")
    for table, of, to in LINKS:
        rows = landed.select(
            f"select {COLUMNS[of]}, {COLUMNS[to]} from raw_hubspot.{table} where _dlt_valid_to is null"
        )
        expected = [(one["from_id"], one["to_id"]) for one in links if (one["from"], one["to"]) == (of, to)]
        assert sorted(rows) == sorted(expected), table
        assert len(expected) > 20
    undone = "select count(*) from raw_hubspot.contact_companies where _dlt_valid_to is not null"
    assert landed.select(undone) > [(0,)]


def assert_owners_and_stages_are_the_truth(landed: Landed) -> None:
    owners = landed.select(
        "select id, email, coalesce(_deleted, false) from raw_hubspot.owners where _dlt_valid_to is null"
    )
    assert set(owners) == {(one["id"], one["email"], one["archived"]) for one in landed.company.tell("owners")}
    assert sum(has_left for _, _, has_left in owners) == 1
    tickets = landed.select(
        "select stage_id, is_closed, ticket_state from raw_hubspot.ticket_stages order by display_order"
    )
    assert tickets[0][1:] == (False, "OPEN")
    assert tickets[-1] == ("4", True, "CLOSED")
    stages = landed.select("select pipeline_id, stage_id, is_closed from raw_hubspot.deal_stages")
    truth = [(one["pipeline"], one["stage"], one["is_closed"]) for one in landed.company.tell("stages")]
    assert sorted(stages) == sorted(truth)


def test_associations_that_hubspot_cuts_are_not_taken_for_whole(
    company: HubSpotCompany, workspace: Workspace, source: Source, select: Select
) -> None:
    company.break_with("short_associations", path="deals/contacts", count=None)
    with pytest.raises(SafarError, match=r"hubspot\.deal_contacts: the vendor cut the list 'to' .* Nothing was landed"):
        land_source(workspace, source)
    company.mend()
    land_source(workspace, source)
    assert select("select max(count) from (select count(*) from raw_hubspot.deal_contacts group by deal_id) as n") == [
        (2,)
    ]
