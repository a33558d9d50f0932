"""/v3/templates and their versions."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from sandbox.sendgrid.errors import bad_request
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody
from sandbox.sendgrid.templates import GENERATIONS, TemplatePage

router = APIRouter(route_class=GuardedRoute)


@router.post("/v3/templates", status_code=201)
def create(account: AccountHere, body: JsonBody) -> Json:
    return account.templates.create(body, account.now)


@router.get("/v3/templates")
def list_page(
    account: AccountHere,
    request: Request,
    generations: str = "legacy",
    page_size: int = Query(200, ge=1, le=200),
    page_token: str | None = None,
) -> Json:
    wanted = set(generations.split(","))
    if not wanted <= set(GENERATIONS):
        raise bad_request("The generations must be legacy, dynamic or both.", "generations")
    offset = _read_token(page_token) if page_token else 0
    return _describe_page(request, page_size, offset, account.templates.list_page(wanted, page_size, offset))


@router.get("/v3/templates/{template_id}")
def read(account: AccountHere, template_id: str) -> Json:
    return account.templates.read(template_id)


@router.post("/v3/templates/{template_id}", status_code=201)
def duplicate(account: AccountHere, template_id: str, body: Annotated[Json | None, Body()] = None) -> Json:
    return account.templates.duplicate(template_id, body or {}, account.now)


@router.patch("/v3/templates/{template_id}")
def rename(account: AccountHere, template_id: str, body: JsonBody) -> Json:
    return account.templates.rename(template_id, body, account.now)


@router.delete("/v3/templates/{template_id}", status_code=204)
def delete(account: AccountHere, template_id: str) -> Response:
    account.templates.delete(template_id)
    return Response(status_code=204)


@router.post("/v3/templates/{template_id}/versions", status_code=201)
def create_version(account: AccountHere, template_id: str, body: JsonBody) -> Json:
    return account.templates.create_version(template_id, body, account.now)


@router.get("/v3/templates/{template_id}/versions/{version_id}")
def read_version(account: AccountHere, template_id: str, version_id: str) -> Json:
    return account.templates.read_version(template_id, version_id)


@router.patch("/v3/templates/{template_id}/versions/{version_id}")
def update_version(account: AccountHere, template_id: str, version_id: str, body: JsonBody) -> Json:
    return account.templates.update_version(template_id, version_id, body, account.now)


@router.delete("/v3/templates/{template_id}/versions/{version_id}", status_code=204)
def delete_version(account: AccountHere, template_id: str, version_id: str) -> Response:
    account.templates.delete_version(template_id, version_id)
    return Response(status_code=204)


@router.post("/v3/templates/{template_id}/versions/{version_id}/activate")
def activate(account: AccountHere, template_id: str, version_id: str) -> Json:
    return account.templates.activate(template_id, version_id)


def _describe_page(request: Request, page_size: int, offset: int, page: TemplatePage) -> Json:
    def link(start: int) -> str:
        return str(request.url.include_query_params(page_size=page_size, page_token=_write_token(start)))

    metadata: Json = {"self": link(offset), "count": page.count}
    if page.next_offset is not None:
        metadata["next"] = link(page.next_offset)
    if page.previous_offset is not None:
        metadata["prev"] = link(page.previous_offset)
    return {"result": page.templates, "_metadata": metadata}


def _write_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _read_token(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("offset:"))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The page_token is invalid.", "page_token") from error
