"""What the company's owner may do: look at the clock and move it, switch faults and limits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from sandbox.answers import read_object, write_json
from sandbox.clock import parse_moment, write_moment
from sandbox.company import Company
from sandbox.faults import KINDS


def create_router(company: Company) -> APIRouter:
    """Builds the routes /health, /clock, /faults and /limits."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> Response:
        facts = {"status": "ok", "now": write_moment(company.now)}
        return write_json({**facts, "people": company.config.people, "seed": company.seed})

    @router.get("/clock")
    async def tell_time() -> Response:
        return write_json({"now": write_moment(company.now)})

    @router.post("/clock")
    async def move_clock(request: Request) -> Response:
        before = company.now
        try:
            to = parse_moment(str((await _read(request))["now"]))
            counts = await run_in_threadpool(company.advance, to)
        except KeyError as error:
            raise HTTPException(400, 'give {"now": "2026-03-02T10:00:00Z"}') from error
        except ValueError as error:
            raise HTTPException(409 if "only moves forward" in str(error) else 400, str(error)) from error
        return write_json({"now": write_moment(company.now), "from": write_moment(before), "happened": counts})

    _add_fault_routes(router, company)
    return router


def _add_fault_routes(router: APIRouter, company: Company) -> None:
    @router.get("/faults")
    async def list_faults() -> Response:
        known = {name: kind.description for name, kind in KINDS.items()}
        return write_json({"active": company.faults.list_active(), "known": known})

    @router.post("/faults")
    async def switch_on_fault(request: Request) -> Response:
        try:
            fault = company.faults.switch_on(await _read(request))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return write_json({"fault_id": fault.fault_id, "name": fault.name}, 201)

    @router.delete("/faults")
    async def switch_off_faults(name: str | None = None) -> Response:
        return write_json({"switched_off": company.faults.switch_off(name)})

    @router.post("/limits")
    async def switch_limits(request: Request) -> Response:
        wanted = await _read(request)
        enabled, vendor = wanted.get("enabled"), wanted.get("vendor")
        if not isinstance(enabled, bool):
            raise HTTPException(400, 'give {"enabled": true} or {"enabled": false}, and "vendor" for one alone')
        company.limits.switch(enabled, vendor)
        return write_json({"enabled": enabled, "vendor": vendor})


async def _read(request: Request) -> dict[str, Any]:
    try:
        return await read_object(request)
    except ValueError as error:
        raise HTTPException(400, f"the body is no JSON object: {error}") from error
