"""HubSpot CRM v3, records of any kind: list, read, batch read and search."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.clock import write_moment
from sandbox.company import Company
from sandbox.faults import declare_fault
from sandbox.hubspot.directory import Directory
from sandbox.hubspot.errors import refuse, refuse_input
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import (
    is_archived,
    read_body,
    read_cursor,
    read_inputs,
    read_limit,
    read_names,
    read_offset,
    write_next,
)

declare_fault(
    "search_lag",
    "HubSpot's search does not find what was changed in the last `seconds` of virtual time (default 3600): its index "
    "is eventually consistent.",
    vendor="hubspot",
    remedy="look_back",
)
LIST_LIMIT, HISTORY_LIMIT, SEARCH_LIMIT, BATCH_LIMIT = 100, 50, 200, 100


def add_object_routes(router: APIRouter, company: Company, gate: Gate, directory: Directory) -> None:
    """Adds the reading routes below /crm/v3/objects/<kind>."""
    _add_search_route(router, company, gate, directory)
    _add_batch_route(router, company, gate, directory)
    kind = directory.kind

    @router.get(kind.path)
    async def list_records(request: Request) -> Response:
        headers = gate.enter(request)
        query = request.query_params
        history = tuple(read_names(request, "propertiesWithHistory"))
        limit = read_limit(query.get("limit", "10"), HISTORY_LIMIT if history else LIST_LIMIT)
        after = read_cursor(query.get("after"))
        names = kind.choose_properties(read_names(request, "properties"))
        async with reading(company):
            records, following = directory.page(after, limit, is_archived(request))
            page = [kind.describe(one, names, history) for one in records]
        kind.spoil(company, kind.path, page)
        answer: dict[str, Any] = {"results": page}
        if following is not None:
            answer["paging"] = write_next(following)
        return write_json(answer, headers=headers)

    @router.get(kind.path + "/{object_id}")
    async def read_record(request: Request, object_id: str) -> Response:
        headers = gate.enter(request)
        names = kind.choose_properties(read_names(request, "properties"))
        history = tuple(read_names(request, "propertiesWithHistory"))
        async with reading(company):
            record = directory.find(object_id, is_archived(request))
            if record is None:
                raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
            return write_json(kind.describe(record, names, history), headers=headers)


def _add_batch_route(router: APIRouter, company: Company, gate: Gate, directory: Directory) -> None:
    kind = directory.kind
    path = f"{kind.path}/batch/read"

    @router.post(path)
    async def read_batch(request: Request) -> Response:
        headers = gate.enter(request)
        wanted, inputs = await read_inputs(request, BATCH_LIMIT)
        asked = [str(one.get("id")) for one in inputs]
        names = kind.choose_properties(wanted.get("properties") or [])
        history = tuple(wanted.get("propertiesWithHistory") or ())
        id_property = wanted.get("idProperty")
        async with reading(company):
            try:
                found = {
                    one: directory.find_by(id_property, one)
                    if id_property
                    else directory.find(one, is_archived(request))
                    for one in asked
                }
            except ValueError as error:
                raise Refused(refuse_input(str(error))) from error
            records = [kind.describe(one, names, history) for one in found.values() if one is not None]
        kind.spoil(company, path, records)
        missing = [one for one, record in found.items() if record is None]
        return write_json(_describe_batch(company, kind.name, records, missing), 207 if missing else 200, headers)


def _add_search_route(router: APIRouter, company: Company, gate: Gate, directory: Directory) -> None:
    kind = directory.kind
    path = f"{kind.path}/search"

    @router.post(path)
    async def search_records(request: Request) -> Response:
        headers = gate.enter(request, is_search=True)
        wanted = await read_body(request)
        limit = read_limit(wanted.get("limit") or 10, SEARCH_LIMIT)
        start = read_offset(wanted.get("after"), limit)
        names = kind.choose_properties(wanted.get("properties") or [])
        lag = company.faults.take(("search_lag",), "hubspot", path)
        horizon = None if lag is None else int(company.seconds - lag.number("seconds", 3600)) * 1000
        async with reading(company):
            try:
                found = directory.search(wanted, horizon)
            except (ValueError, AttributeError, TypeError) as error:
                raise Refused(refuse_input(f"There was a problem with the request: {error}")) from error
            page = [kind.describe(one, names) for one in found[start : start + limit]]
        kind.spoil(company, path, page)
        answer: dict[str, Any] = {"total": len(found), "results": page}
        if start + limit < len(found):
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return write_json(answer, headers=headers)


def _describe_batch(company: Company, name: str, records: list[dict[str, Any]], missing: list[str]) -> dict[str, Any]:
    moment = write_moment(company.now)
    answer: dict[str, Any] = {"status": "COMPLETE", "results": records, "startedAt": moment, "completedAt": moment}
    if missing:
        one = name.upper().removesuffix("S")
        message = f"Could not get some {one} objects, they may be deleted or not exist. Check that ids are valid."
        error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
        answer |= {"numErrors": 1, "errors": [error]}
    return answer
