"""HubSpot's own SDK reads lists and their memberships, with the truth as the judge."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.lists import ListSearchRequest
from hubspot.crm.lists.exceptions import ApiException


def connect(sandbox: Any) -> HubSpot:
    return HubSpot(access_token="pat-sandbox", host=f"{sandbox.root}/hubspot")


def search(sandbox: Any, offset: int = 0, count: int = 20) -> Any:
    wanted = ListSearchRequest(query="", offset=offset, count=count, processing_types=[], additional_properties=[])
    return connect(sandbox).crm.lists.lists_api.do_search(wanted)


def test_a_search_finds_every_list_page_by_page(sandbox: Any) -> None:
    found: list[str] = []
    while True:
        page = search(sandbox, offset=len(found), count=2)
        found += [one.list_id for one in page.lists]
        if not page.has_more:
            break
    assert len(found) == page.total == len(set(found))
    assert set(found) >= {one["list_id"] for one in sandbox.get("/truth/memberships")}


def test_the_memberships_of_each_list_come_by_their_record_and_to_the_end(sandbox: Any) -> None:
    truth = sandbox.get("/truth/memberships")
    api = connect(sandbox).crm.lists.memberships_api
    for one in search(sandbox).lists:
        found: list[str] = []
        after = None
        while True:
            page = api.get_page(one.list_id, after=after, limit=40)
            found += [member.record_id for member in page.results]
            if page.paging is None:
                break
            after = page.paging.next.after
        assert sorted(found) == sorted(member["id"] for member in truth if member["list_id"] == one.list_id)
        assert [int(record) for record in found] == sorted(map(int, found))


def test_a_deleted_list_is_nowhere(start_sandbox: Any, tmp_path: Any) -> None:
    sandbox = start_sandbox(tmp_path, people=30)
    before = {one.list_id for one in search(sandbox).lists}
    sandbox.move_clock("2026-03-20T00:00:00Z")
    [gone] = before - {one.list_id for one in search(sandbox).lists}
    with pytest.raises(ApiException) as caught:
        connect(sandbox).crm.lists.memberships_api.get_page(gone)
    assert caught.value.status == 404
