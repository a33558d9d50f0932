"""HubSpot's own SDK reads companies, deals, owners, pipelines and associations, with the truth as the judge."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.deals import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest, SimplePublicObjectId

TOKEN = {"Authorization": "Bearer pat-sandbox"}


def connect(sandbox: Any) -> HubSpot:
    return HubSpot(access_token="pat-sandbox", host=f"{sandbox.root}/hubspot")


def living(sandbox: Any, view: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in sandbox.get(f"/truth/{view}") if not one["archived"]}


@pytest.mark.parametrize(("kind", "view"), [("companies", "businesses"), ("deals", "deals"), ("tickets", "tickets")])
def test_the_lists_page_to_the_end_and_archived_ones_come_apart(sandbox: Any, kind: str, view: str) -> None:
    api = getattr(connect(sandbox).crm, kind)
    assert {one.id for one in api.get_all()} == living(sandbox, view).keys()
    archived = {one["id"] for one in sandbox.get(f"/truth/{view}") if one["archived"]}
    assert {one.id for one in api.get_all(archived=True)} == archived


def test_a_deals_history_is_its_course_the_newest_first(sandbox: Any) -> None:
    truth = living(sandbox, "deals")
    wanted = BatchReadInputSimplePublicObjectId(
        properties=["dealstage"],
        properties_with_history=["dealstage", "amount"],
        inputs=[SimplePublicObjectId(id=one) for one in truth],
    )
    found = connect(sandbox).crm.deals.batch_api.read(wanted).results
    assert len(found) == len(truth) > 10
    for deal in found:
        entries = [value.value for value in reversed(deal.properties_with_history["dealstage"])]
        assert entries == [stage for _, stage in truth[deal.id]["entries"]]
        assert deal.properties["dealstage"] == entries[-1]
        assert len(deal.properties_with_history["amount"]) == 1


def test_a_page_with_history_holds_fifty_records_at_most(sandbox: Any) -> None:
    url = f"{sandbox.root}/hubspot/crm/v3/objects/deals"
    asked = {"limit": 100, "propertiesWithHistory": "dealstage"}
    assert requests.get(url, params=asked, headers=TOKEN, timeout=10).status_code == 400
    assert requests.get(url, params=asked | {"limit": 50}, headers=TOKEN, timeout=10).status_code == 200


def test_deals_are_searched_by_their_own_modification_date(sandbox: Any) -> None:
    deals = sorted(one["updated_at"] for one in living(sandbox, "deals").values())
    middle = deals[len(deals) // 2]
    since = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": middle}
    request = PublicObjectSearchRequest(filter_groups=[{"filters": [since]}], limit=200)
    page = connect(sandbox).crm.deals.search_api.do_search(request)
    assert page.total == sum(at >= middle for at in deals) < len(deals)


@pytest.mark.parametrize(
    ("kind", "other"),
    [("contacts", "companies"), ("deals", "contacts"), ("deals", "companies"), ("companies", "deals")],
)
def test_associations_are_read_in_batches_and_those_without_any_are_told(sandbox: Any, kind: str, other: str) -> None:
    links: dict[str, set[str]] = {}
    for one in sandbox.get("/truth/links"):
        for of, to in (("from", "to"), ("to", "from")):
            if (one[of], one[to]) == (kind, other):
                links.setdefault(one[f"{of}_id"], set()).add(one[f"{to}_id"])
    inputs = [{"id": one} for one in [*links, "1"]]
    api = connect(sandbox).crm.associations.v4.batch_api
    answer = api.get_page_with_http_info(kind, other, BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs))
    results, status = answer[0], answer[1]
    assert status == 207
    told = {one._from.id: {str(to.to_object_id) for to in one.to} for one in results.results}
    assert told == links
    assert links


def test_the_associations_of_one_record_come_in_pages(sandbox: Any) -> None:
    firm = next(one["to_id"] for one in sandbox.get("/truth/links") if one["to"] == "companies")
    people = {
        one["from_id"] for one in sandbox.get("/truth/links") if one["to_id"] == firm and one["from"] == "contacts"
    }
    api = connect(sandbox).crm.associations.v4.basic_api
    found: list[str] = []
    after = None
    while True:
        page = api.get_page("companies", firm, "contacts", after=after, limit=1)
        found += [str(one.to_object_id) for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert set(found) == people
    assert len(found) == len(people)


def test_an_owner_who_leaves_is_archived(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=30)
    owners = connect(sandbox).crm.owners
    before = {one.id for one in owners.get_all()}
    assert before == {one["id"] for one in sandbox.get("/truth/owners")}
    sandbox.move_clock("2026-03-20T00:00:00Z")
    [gone] = owners.owners_api.get_page(archived=True).results
    assert {one.id for one in owners.get_all()} == before - {gone.id}


@pytest.mark.parametrize("kind", ["emails", "calls", "meetings", "tasks"])
def test_what_the_sales_people_do_is_listed_by_its_kind(sandbox: Any, kind: str) -> None:
    api = getattr(connect(sandbox).crm.objects, kind).basic_api
    found: list[Any] = []
    after = None
    while True:
        page = api.get_page(limit=20, after=after, properties=["hs_timestamp"])
        found += page.results
        if page.paging is None:
            break
        after = page.paging.next.after
    truth = {one["id"]: one["happens_at"] for one in sandbox.get("/truth/activities") if one["kind"] == kind}
    assert {one.id: one.properties["hs_timestamp"].replace(".000", "") for one in found} == truth
    assert len(truth) > 10


def test_pipelines_tell_their_stages_in_order(sandbox: Any) -> None:
    pipelines = connect(sandbox).crm.pipelines.pipelines_api.get_all("deals").results
    told = [(one.id, stage.id, stage.metadata["isClosed"] == "true") for one in pipelines for stage in one.stages]
    assert told == [(one["pipeline"], one["stage"], one["is_closed"]) for one in sandbox.get("/truth/stages")]


def test_what_the_sales_people_do_is_told_alike_whatever_steps_the_clock_takes(
    start_sandbox: Any, tmp_path: Any
) -> None:
    leaping, stepping = (start_sandbox(tmp_path / name, people=120) for name in ("leap", "steps"))
    for moment in ("2026-03-05T11:00:00Z", "2026-03-20T00:00:00Z", "2026-04-01T00:00:00Z"):
        stepping.move_clock(moment)
        stepping.get("/truth/links")
    leaping.move_clock("2026-04-01T00:00:00Z")
    for view in ("businesses", "deals", "links", "tickets", "activities", "submissions"):
        assert leaping.get(f"/truth/{view}") == stepping.get(f"/truth/{view}")
