"""HubSpot CRM v4, associations: of one record, and of many in one call."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.clock import write_moment
from sandbox.company import Company
from sandbox.faults import declare_fault
from sandbox.hubspot.errors import refuse, refuse_input
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import read_cursor, read_inputs, read_limit, write_next
from sandbox.hubspot.links import LABELS, TYPES, Links

BATCH_LIMIT, PAGE_LIMIT = 1000, 500
declare_fault(
    "short_associations",
    "HubSpot's batch read of associations tells only `to` (default 1) of a record's and a cursor for the rest, as it "
    "does for records with very many.",
    vendor="hubspot",
    remedy="give_up",
)


def add_association_routes(router: APIRouter, company: Company, gate: Gate, links: Links) -> None:
    """Adds the routes of associations v4 for the pairs of kinds that we know."""

    @router.post("/crm/v4/associations/{kind}/{other}/batch/read")
    async def read_batch(request: Request, kind: str, other: str) -> Response:
        headers = gate.enter(request)
        _, inputs = await read_inputs(request, BATCH_LIMIT)
        _require_pair(kind, other)
        path = f"/crm/v4/associations/{kind}/{other}/batch/read"
        short = company.faults.take(("short_associations",), "hubspot", path)
        limit = PAGE_LIMIT if short is None else int(short.number("to", 1))
        async with reading(company):
            found = links.of(kind, other)
            told = [_describe_record(kind, other, one, found, limit) for one in inputs]
        results = [one for one in told if one is not None]
        missing = [str(one.get("id")) for one, told_of in zip(inputs, told, strict=True) if told_of is None]
        return write_json(_describe_batch(company, kind, other, results, missing), 207 if missing else 200, headers)

    @router.get("/crm/v4/objects/{kind}/{object_id}/associations/{other}")
    async def read_one(request: Request, kind: str, object_id: str, other: str) -> Response:
        headers = gate.enter(request)
        _require_pair(kind, other)
        limit = read_limit(request.query_params.get("limit", "500"), PAGE_LIMIT)
        start = read_cursor(request.query_params.get("after"))
        async with reading(company):
            ids = links.of(kind, other).get(_read_id(object_id), [])
        answer: dict[str, Any] = {"results": [_describe_link(kind, other, one) for one in ids[start : start + limit]]}
        if start + limit < len(ids):
            answer["paging"] = write_next(start + limit)
        return write_json(answer, headers=headers)


def _require_pair(kind: str, other: str) -> None:
    if (kind, other) not in TYPES:
        raise Refused(refuse_input(f"There are no associations from {kind} to {other} in this account"))


def _read_id(text: Any) -> int:
    if not str(text).isdigit():
        raise Refused(refuse(400, "VALIDATION_ERROR", f"{text} is no id of a record"))
    return int(text)


def _describe_record(
    kind: str, other: str, wanted: dict[str, Any], found: dict[int, list[int]], limit: int
) -> dict[str, Any] | None:
    start = read_cursor(wanted.get("after"))
    ids = found.get(_read_id(wanted.get("id")), [])
    if not ids:
        return None
    to = [_describe_link(kind, other, one) for one in ids[start : start + limit]]
    told: dict[str, Any] = {"from": {"id": str(wanted["id"])}, "to": to}
    if start + limit < len(ids):
        told["paging"] = write_next(start + limit)
    return told


def _describe_link(kind: str, other: str, object_id: int) -> dict[str, Any]:
    types = [
        {"category": "HUBSPOT_DEFINED", "typeId": number, "label": LABELS.get(number)} for number in TYPES[kind, other]
    ]
    return {"toObjectId": object_id, "associationTypes": types}


def _describe_batch(
    company: Company, kind: str, other: str, results: list[dict[str, Any]], missing: list[str]
) -> dict[str, Any]:
    moment = write_moment(company.now)
    answer: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": moment, "completedAt": moment}
    if missing:
        errors = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": f"No {other} is associated with {kind} {one}.",
                "context": {"fromObjectId": [one], "fromObjectType": [kind], "toObjectType": [other]},
            }
            for one in missing
        ]
        answer |= {"numErrors": len(errors), "errors": errors}
    return answer
