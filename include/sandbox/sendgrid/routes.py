"""The vendor's endpoints, below /sendgrid."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.routing import Match

from sandbox.company import Company
from sandbox.sendgrid import (
    activity_routes,
    asm_routes,
    erasure_routes,
    mail_send,
    schedule_routes,
    suppression_routes,
    template_routes,
    webhook_routes,
)
from sandbox.sendgrid.account import find_account
from sandbox.sendgrid.errors import FieldError, SendGridError

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_router(company: Company) -> APIRouter:
    """Opens the company's account and builds the vendor's router."""
    find_account(company)
    router = APIRouter()
    for module in (
        mail_send,
        template_routes,
        asm_routes,
        erasure_routes,
        suppression_routes,
        schedule_routes,
        webhook_routes,
        activity_routes,
    ):
        router.include_router(module.router)
    _add_refusal(router)
    return router


def _add_refusal(router: APIRouter) -> None:
    """Answers what no endpoint takes in the vendor's shape: 405 for a wrong method, else 404."""
    endpoints = list(router.routes)

    @router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
    def refuse(path: str, request: Request) -> Response:
        scope = {**request.scope, "path": f"/{path}", "root_path": ""}
        if any(endpoint.matches(scope)[0] is Match.PARTIAL for endpoint in endpoints):
            return SendGridError(405, FieldError("method not allowed")).as_response()
        return SendGridError(404, FieldError("not found")).as_response()
