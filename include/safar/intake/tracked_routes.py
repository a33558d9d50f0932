"""The routes of app and web events, in the shape of Segment's HTTP API."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from safar.intake.api_description import describe_calls
from safar.intake.request_reading import BodyTooLarge, Gate, read_body
from safar.intake.tracked_answering import OPEN_TO_PAGES, TrackedAnswering
from safar.intake.tracked_events import CALLS

WHAT = {
    "track": "Keeps something that somebody did.",
    "identify": "Keeps who somebody is.",
    "page": "Keeps a view of a page.",
    "screen": "Keeps a view of an app's screen.",
    "batch": "Keeps several calls of any of the other types.",
}


def add_tracking_routes(app: FastAPI, answering: TrackedAnswering) -> None:
    """Adds a route per type of call, one for batches, and the answer to a browser that asks before it posts."""
    for route in (*CALLS, "batch"):
        _add_route(app, answering, route)

    @app.options("/v1/{route}", include_in_schema=False)
    async def allow_pages(route: str) -> Response:
        return Response(status_code=204, headers=OPEN_TO_PAGES)


def _add_route(app: FastAPI, answering: TrackedAnswering, route: str) -> None:
    described = {"name": f"keep_{route}", "description": WHAT[route], "response_class": JSONResponse}

    @app.post(f"/v1/{route}", **described, **describe_calls(route))  # type: ignore[arg-type]
    async def keep(request: Request) -> Response:
        network = Gate.read_network(request)
        try:
            body = await read_body(request, answering.settings.event_body_limit_bytes)
        except BodyTooLarge:
            return answering.limit(network) or answering.refuse_large()
        return await run_in_threadpool(answering.answer, route, body, request.headers, network)
