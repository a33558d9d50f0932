"""HubSpot's lists, v3: found by a search, and their memberships page by page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.clock import to_seconds, write_seconds
from sandbox.company import Company
from sandbox.company.segments import SEGMENTS, Segment, list_memberships
from sandbox.hubspot.errors import refuse
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import read_body, read_cursor, read_limit, write_next
from sandbox.hubspot.sales import list_company_records, open_businesses

PATH = "/crm/v3/lists"
SEARCH_LIMIT, MEMBERS_LIMIT = 500, 250


def add_list_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes below /crm/v3/lists."""
    members = Members(company)

    @router.post(PATH + "/search")
    async def search_lists(request: Request) -> Response:
        headers = gate.enter(request)
        wanted = await read_body(request)
        start, count = int(wanted.get("offset") or 0), read_limit(wanted.get("count") or 20, SEARCH_LIMIT)
        query = str(wanted.get("query") or "").lower()
        found = [_describe(company, one) for one in list_living(company) if query in one.name.lower()]
        page = found[start : start + count]
        end = start + len(page)
        body = {"lists": page, "offset": end, "hasMore": end < len(found), "total": len(found)}
        return write_json(body, headers=headers)

    @router.get(PATH + "/{list_id}")
    async def read_list(request: Request, list_id: str) -> Response:
        headers = gate.enter(request)
        return write_json({"list": _describe(company, _find(company, list_id))}, headers=headers)

    @router.get(PATH + "/{list_id}/memberships")
    async def list_members(request: Request, list_id: str) -> Response:
        headers = gate.enter(request)
        segment = _find(company, list_id)
        limit = read_limit(request.query_params.get("limit", "100"), MEMBERS_LIMIT)
        after = read_cursor(request.query_params.get("after"))
        async with reading(company):
            found = members.of(segment)
        rest = [one for one in found if one[0] > after]
        page = [{"recordId": str(record), "membershipTimestamp": write_seconds(at)} for record, at in rest[:limit]]
        answer: dict[str, Any] = {"results": page, "total": len(found)}
        if len(rest) > limit:
            answer["paging"] = write_next(rest[limit - 1][0])
        return write_json(answer, headers=headers)


class Members:
    """Who is on which list, by id; worked out anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._found: dict[int, list[tuple[int, int]]] = {}

    def of(self, segment: Segment) -> list[tuple[int, int]]:
        if self._version != self._company.version:
            self._version = self._company.version
            self._found = {one.segment_id: [] for one in SEGMENTS}
            for list_id, record, since in tell_memberships(self._company):
                self._found[list_id].append((record, since))
            for found in self._found.values():
                found.sort()
        return self._found[segment.segment_id]


def tell_memberships(company: Company) -> list[tuple[int, int, int]]:
    """List, record and since when, of every list that there is."""
    start, living = to_seconds(company.config.start), {one.segment_id for one in list_living(company)}
    businesses = open_businesses(company)
    found = [
        (one.segment.segment_id, one.contact.contact_id, one.since)
        for one in list_memberships(company.seed, company.crm, businesses, company.seconds, start)
    ]
    for segment in SEGMENTS:
        if segment.is_of_businesses:
            records = [one for one in list_company_records(company) if not one.archived_ms]
            found += [(segment.segment_id, one.object_id, one.created_ms // 1000) for one in records]
    return [one for one in found if one[0] in living]


def list_living(company: Company) -> list[Segment]:
    """The lists that were made and are not deleted."""
    elapsed = company.seconds - to_seconds(company.config.start)
    return [one for one in SEGMENTS if one.made_at <= elapsed and (one.deleted_at is None or elapsed < one.deleted_at)]


def _find(company: Company, list_id: str) -> Segment:
    found = [one for one in list_living(company) if str(one.segment_id) == list_id]
    if not found:
        raise Refused(refuse(404, "OBJECT_NOT_FOUND", f"List does not exist with ID {list_id}."))
    return found[0]


def _describe(company: Company, segment: Segment) -> dict[str, Any]:
    made = write_seconds(to_seconds(company.config.start) + segment.made_at)
    return {
        "listId": str(segment.segment_id),
        "name": segment.name,
        "objectTypeId": "0-2" if segment.is_of_businesses else "0-1",
        "processingType": segment.rule,
        "processingStatus": "COMPLETE",
        "listVersion": 1,
        "createdAt": made,
        "updatedAt": made,
        "createdById": "641",
        "updatedById": "641",
        "additionalProperties": {},
    }
