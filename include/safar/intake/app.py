"""The intake's two routes. All state is in the ledger; any number of these processes may run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from safar.intake.event_receiving import EventReceiving
from safar.intake.ledger_pool import LedgerPool
from safar.intake.link_answering import LinkAnswering
from safar.intake.settings import read_intake_settings
from safar.intake.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from safar.workspace import Workspace

log = logging.getLogger("safar.intake")

FORM_LIMIT_BYTES = 10_000


class BodyTooLarge(Exception):
    """The request's body exceeds what is read of it."""


def build_app(workspace: Workspace) -> FastAPI:
    """Builds the application; see `safar.intake.create_app`."""
    settings = read_intake_settings(workspace)
    pool = LedgerPool(workspace, settings.ledger_connections)
    receiving = EventReceiving.open(workspace, settings, pool)
    answering = LinkAnswering.open(workspace, settings, pool)

    @asynccontextmanager
    async def close_pool(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()

    app = FastAPI(title="Safar's intake", docs_url=None, redoc_url=None, openapi_url=None, lifespan=close_pool)

    @app.post("/webhooks/sendgrid", response_class=PlainTextResponse)
    async def receive_events(request: Request) -> Response:
        """Keeps a signed post of SendGrid's events."""
        try:
            body = await read_body(request, settings.body_limit_bytes)
        except BodyTooLarge:
            return PlainTextResponse(f"A post may have {settings.body_limit_bytes} bytes.", 413)
        timestamp, signature = request.headers.get(TIMESTAMP_HEADER), request.headers.get(SIGNATURE_HEADER)
        return await run_in_threadpool(receiving.answer, body, timestamp, signature)

    @app.get("/unsubscribe/{token}")
    async def show_question(token: str, request: Request) -> Response:
        """Shows a page with one button and changes nothing, whoever follows the link."""
        return await run_in_threadpool(answering.show, token, request.headers.get("accept-language"))

    @app.post("/unsubscribe/{token}")
    async def unsubscribe(token: str, request: Request) -> Response:
        """Withdraws the recipient's permission; once or ten times is the same."""
        accepted = request.headers.get("accept-language")
        try:
            body = await read_body(request, FORM_LIMIT_BYTES)
        except BodyTooLarge:
            return PlainTextResponse("This form is too large.", 413)
        content_type = request.headers.get("content-type", "")
        return await run_in_threadpool(answering.withdraw, token, accepted, content_type, body)

    return app


async def read_body(request: Request, limit: int) -> bytes:
    """Reads the raw body.

    Raises:
        BodyTooLarge: it is longer than the limit; the rest is not read.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)
