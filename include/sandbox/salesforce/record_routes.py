"""Single records: read, changed and deleted by their ids; and several deleted in one call."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, read_object, reading, write_json
from sandbox.company import Company
from sandbox.salesforce.errors import refuse
from sandbox.salesforce.gate import Gate
from sandbox.salesforce.objects import CHANGED_BY_API, OBJECTS, READ_ONLY, find_object, write_json_record
from sandbox.salesforce.org import Org
from sandbox.salesforce.query_routes import DATA

RECORD = DATA + "/sobjects/{kind}/{record_id}"
MOST_RECORDS = 200
UNKNOWN_ID = "Provided external ID field does not exist or is not accessible"


def add_record_routes(router: APIRouter, company: Company, gate: Gate, org: Org) -> None:
    """Adds the routes of single records and the deletion of up to 200."""

    @router.get(RECORD)
    async def read_record(request: Request, version: str, kind: str, record_id: str) -> Response:
        headers = gate.enter(request)
        async with reading(company):
            name, state = _find(org, kind, record_id)
            return write_json(write_json_record(name, tuple(OBJECTS[name]), state, version), headers=headers)

    @router.patch(RECORD)
    async def change_record(request: Request, version: str, kind: str, record_id: str) -> Response:
        headers = gate.enter(request)
        wanted = await read_object(request)
        async with reading(company):
            name, state = _find(org, kind, record_id)
        _check_changes(name, wanted)
        company.change_sales_record(state["Id"], wanted)
        return Response(status_code=204, headers=headers)

    @router.delete(RECORD)
    async def delete_record(request: Request, version: str, kind: str, record_id: str) -> Response:
        headers = gate.enter(request)
        async with reading(company):
            name, state = _find(org, kind, record_id)
        if name not in CHANGED_BY_API:
            raise Refused(refuse(403, "INSUFFICIENT_ACCESS_OR_READONLY", "entity type cannot be deleted"))
        company.change_sales_record(state["Id"], {"IsDeleted": True})
        return Response(status_code=204, headers=headers)

    @router.delete(f"{DATA}/composite/sobjects")
    async def delete_records(request: Request, version: str) -> Response:
        headers = gate.enter(request)
        asked = [one for one in request.query_params.get("ids", "").split(",") if one]
        if not 1 <= len(asked) <= MOST_RECORDS:
            raise Refused(refuse(400, "INVALID_INPUT", f"give 1 to {MOST_RECORDS} ids"))
        async with reading(company):
            found = {one: _find_anywhere(org, one) for one in asked}
        results = []
        for one, state in found.items():
            problem = _refuse_deletion(one, state)
            if state is not None and problem is None:
                company.change_sales_record(state["Id"], {"IsDeleted": True})
            results.append({"id": one, "success": True, "errors": []} if problem is None else problem)
        return write_json(results, headers=headers)


def _find(org: Org, kind: str, record_id: str) -> tuple[str, dict[str, Any]]:
    name = find_object(kind)
    state = None if name is None else org.find(name, record_id)
    if name is None or state is None:
        raise Refused(refuse(404, "NOT_FOUND", f"{UNKNOWN_ID}: {record_id}"))
    if state["IsDeleted"]:
        raise Refused(refuse(404, "ENTITY_IS_DELETED", "entity is deleted"))
    return name, state


def _check_changes(kind: str, wanted: dict[str, Any]) -> None:
    for field in wanted:
        if field not in OBJECTS[kind]:
            raise Refused(refuse(400, "INVALID_FIELD", f"No such column '{field}' on sobject of type {kind}"))
        if field in READ_ONLY or kind not in CHANGED_BY_API:
            message = f"Unable to create/update fields: {field}. Please check the security settings of this field."
            raise Refused(refuse(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message))


def _find_anywhere(org: Org, record_id: str) -> dict[str, Any] | None:
    return next((state for kind in CHANGED_BY_API if (state := org.find(kind, record_id)) is not None), None)


def _refuse_deletion(record_id: str, state: dict[str, Any] | None) -> dict[str, Any] | None:
    if state is None:
        code, message = "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"
    elif state["IsDeleted"]:
        code, message = "ENTITY_IS_DELETED", "entity is deleted"
    else:
        return None
    return {"id": record_id, "success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}
