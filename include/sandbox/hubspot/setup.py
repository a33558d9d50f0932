"""What an account is set up with: owners and pipelines."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, write_json
from sandbox.clock import to_seconds, write_seconds
from sandbox.company import Company
from sandbox.company.deals import PIPELINES, Pipeline, Stage
from sandbox.company.staff import Colleague, list_colleagues
from sandbox.company.tickets import SUPPORT
from sandbox.hubspot.errors import refuse, refuse_input
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import is_archived, read_cursor, read_limit, write_next
from sandbox.hubspot.sales import write_flag

OWNERS = "/crm/v3/owners"
OWNERS_LIMIT = 500
PIPELINES_PATH = "/crm/v3/pipelines/{kind}"
BEGAN = "2023-11-02T09:00:00.000Z"
PIPELINES_OF = {"deals": PIPELINES, "tickets": (SUPPORT,)}


def add_setup_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes below /crm/v3/owners and /crm/v3/pipelines."""

    @router.get(OWNERS)
    async def list_owners(request: Request) -> Response:
        headers = gate.enter(request)
        query = request.query_params
        limit, start = read_limit(query.get("limit", "100"), OWNERS_LIMIT), read_cursor(query.get("after"))
        email = query.get("email")
        owners = [one for one in list_owner_records(company) if one["archived"] is is_archived(request)]
        owners = [one for one in owners if email in (None, one["email"])]
        answer: dict[str, Any] = {"results": owners[start : start + limit]}
        if start + limit < len(owners):
            answer["paging"] = write_next(start + limit)
        return write_json(answer, headers=headers)

    @router.get(PIPELINES_PATH)
    async def list_pipelines(request: Request, kind: str) -> Response:
        headers = gate.enter(request)
        return write_json({"results": _list_pipelines(kind)}, headers=headers)

    @router.get(PIPELINES_PATH + "/{pipeline_id}")
    async def read_pipeline(request: Request, kind: str, pipeline_id: str) -> Response:
        headers = gate.enter(request)
        found = [one for one in _list_pipelines(kind) if one["id"] == pipeline_id]
        if not found:
            raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
        return write_json(found[0], headers=headers)


def list_owner_records(company: Company) -> list[dict[str, Any]]:
    """All owners; who has left is archived."""
    colleagues = list_colleagues(to_seconds(company.config.start))
    return [_describe_owner(one, company.seconds) for one in colleagues]


def _describe_owner(one: Colleague, now: int) -> dict[str, Any]:
    has_left = one.left_at is not None and one.left_at <= now
    user_id = one.owner_id - 41_000_000
    return {
        "id": str(one.owner_id),
        "email": one.email,
        "type": "PERSON",
        "firstName": one.first_name,
        "lastName": one.last_name,
        "userId": None if has_left else user_id,
        "userIdIncludingInactive": user_id,
        "createdAt": write_seconds(one.created_at),
        "updatedAt": write_seconds(one.left_at if has_left and one.left_at else one.created_at),
        "archived": has_left,
    }


def _describe_stage(stage: Stage, kind: str) -> dict[str, str]:
    if kind == "tickets":
        return {"isClosed": write_flag(stage.is_closed), "ticketState": "CLOSED" if stage.is_closed else "OPEN"}
    return {"isClosed": write_flag(stage.is_closed), "probability": str(stage.probability)}


def _list_pipelines(kind: str) -> list[dict[str, Any]]:
    if kind not in PIPELINES_OF:
        raise Refused(refuse_input(f"There are no pipelines of {kind} in this account"))
    return [_describe_pipeline(pipeline, order, kind) for order, pipeline in enumerate(PIPELINES_OF[kind])]


def _describe_pipeline(pipeline: Pipeline, order: int, kind: str) -> dict[str, Any]:
    dates = {"createdAt": BEGAN, "updatedAt": BEGAN, "archived": False}
    stages = [
        {
            "id": stage.stage_id,
            "label": stage.label,
            "displayOrder": place,
            "metadata": _describe_stage(stage, kind),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            **dates,
        }
        for place, stage in enumerate(pipeline.stages)
    ]
    return {"id": pipeline.pipeline_id, "label": pipeline.label, "displayOrder": order, "stages": stages, **dates}
