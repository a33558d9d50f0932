"""/tracking: where the company's site, app and server send what happens, and how much of it was taken."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from sandbox.answers import read_object, write_json
from sandbox.company import Company
from sandbox.sendgrid.reach import is_reachable
from sandbox.tracking.telling import Collector, Teller


def create_router(company: Company) -> APIRouter:
    """Builds the routes of the company's owner; until a collector is named, nothing is told."""
    router = APIRouter()
    teller = Teller(company)

    @router.post("/collector")
    async def name_collector(request: Request) -> Response:
        try:
            wanted: dict[str, Any] = await read_object(request)
            collector = Collector(*(str(wanted[name]) for name in ("url", "page_key", "server_key")))
        except (KeyError, ValueError) as error:
            raise HTTPException(400, 'give {"url": ..., "page_key": ..., "server_key": ...}') from error
        if not is_reachable(collector.url):
            raise HTTPException(400, "the url's host is not on this machine, and not in SANDBOX_ALLOW_HOSTS")
        teller.collector = collector
        return write_json({"url": collector.url})

    @router.get("/told")
    async def count_told() -> Response:
        return write_json({"told": teller.told_count, "waiting": teller.waiting_count})

    return router
