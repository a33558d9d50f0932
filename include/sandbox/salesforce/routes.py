"""Salesforce's part of the server."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from sandbox.answers import write_json
from sandbox.company import Company
from sandbox.salesforce.bulk_routes import add_bulk_routes
from sandbox.salesforce.gate import DAILY_CALLS, Gate, add_login_routes
from sandbox.salesforce.objects import OBJECTS, write_json_record
from sandbox.salesforce.org import Org
from sandbox.salesforce.query_routes import DATA, add_query_routes
from sandbox.salesforce.record_routes import add_record_routes


def create_router(company: Company) -> APIRouter:
    """Builds Salesforce's routes; all share one app's tokens and calls."""
    router, gate, org = APIRouter(), Gate(company), Org(company)
    add_login_routes(router, company, gate)
    add_query_routes(router, company, gate, org)
    add_bulk_routes(router, company, gate, org)
    add_record_routes(router, company, gate, org)

    @router.get(f"{DATA}/limits")
    async def tell_limits(request: Request, version: str) -> Response:
        headers = gate.enter(request)
        left = DAILY_CALLS - int(headers["Sforce-Limit-Info"].partition("=")[2].partition("/")[0])
        return write_json({"DailyApiRequests": {"Max": DAILY_CALLS, "Remaining": left}}, headers=headers)

    return router


def create_truth_router(company: Company) -> APIRouter:
    """Builds /{object}: every record that can be asked for, deleted ones too, with the person whom it is about."""
    router, org = APIRouter(), Org(company)

    @router.get("/{kind}")
    def tell(kind: str) -> Response:
        if kind not in OBJECTS:
            raise HTTPException(404, f"there is no object {kind}; these exist: {', '.join(OBJECTS)}")
        with company.lock:
            states = org.states(kind)
            names = tuple(OBJECTS[kind])
            records = [write_json_record(kind, names, state, "v66.0") for state in states]
            return write_json([{**one, "person_id": org.person_of(one["Id"])} for one in records])

    return router
