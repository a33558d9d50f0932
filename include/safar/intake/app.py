"""The intake's routes. All state but the counts of requests is in the ledger; any number of processes may run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from safar.delivery.unsubscribe_tokens import read_confirmation_token, read_unsubscribe_token
from safar.intake.api_description import (
    CONFIRM,
    EVENTS,
    PAGE,
    UNSUBSCRIBE,
    describe_preferences,
    describe_subscribe,
)
from safar.intake.asking import Asking
from safar.intake.event_receiving import EventReceiving
from safar.intake.ledger_pool import LedgerPool
from safar.intake.link_answering import LinkAnswering, read_link_key
from safar.intake.opt_in_answering import ConfirmAnswering, SubscribeAnswering
from safar.intake.preference_answering import PreferenceAnswering
from safar.intake.rate_limiting import RateLimits
from safar.intake.request_reading import BodyTooLarge, Gate, read_body, read_form
from safar.intake.settings import IntakeSettings, read_intake_settings
from safar.intake.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from safar.intake.topics import read_topics
from safar.intake.tracked_answering import TrackedAnswering
from safar.intake.tracked_routes import add_tracking_routes
from safar.intake.unsubscribe_answering import UnsubscribeAnswering
from safar.workspace import Workspace


def build_app(workspace: Workspace) -> FastAPI:
    """Builds the application; see `safar.intake.create_app`."""
    settings = read_intake_settings(workspace)
    pool = LedgerPool(workspace, settings.ledger_connections)

    @asynccontextmanager
    async def close_pool(_: FastAPI) -> AsyncIterator[None]:
        yield
        pool.close()

    app = FastAPI(
        title="Safar's intake",
        version="1",
        description="Provider events, events of apps and sites, and the pages that the links of mails open.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=close_pool,
        default_response_class=HTMLResponse,
    )
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    gate = Gate(RateLimits.from_settings(settings), settings.form_limit_bytes)
    app.add_exception_handler(BodyTooLarge, gate.answer_large_body)
    receiving = EventReceiving.open(workspace, settings, pool)
    add_event_route(app, receiving, gate, settings)
    links = partial(LinkAnswering, read_link_key(workspace), clock=workspace.clock, pool=pool)
    mail_links = links(read_unsubscribe_token, settings.link_lifetime, "expired")
    confirm_links = links(read_confirmation_token, settings.confirmation_lifetime, "confirmation_expired")
    topics, asking = read_topics(workspace.settings), Asking.open(workspace, settings)
    add_unsubscribe_routes(app, UnsubscribeAnswering(mail_links), gate)
    add_preference_routes(app, PreferenceAnswering(mail_links, topics, asking), gate)
    add_confirm_routes(app, ConfirmAnswering(confirm_links, settings.confirmation_lifetime), gate)
    add_subscribe_route(app, SubscribeAnswering(topics, asking, workspace.clock, pool), gate)
    add_tracking_routes(app, TrackedAnswering.open(workspace, settings, pool))
    return app


def add_event_route(app: FastAPI, receiving: EventReceiving, gate: Gate, settings: IntakeSettings) -> None:
    @app.post("/webhooks/sendgrid", response_class=PlainTextResponse, **EVENTS)
    async def receive_events(request: Request) -> Response:
        """Keeps a signed post of SendGrid's events. Only posts that are not signed are counted and limited."""
        try:
            body = await read_body(request, settings.body_limit_bytes)
        except BodyTooLarge:
            return gate.limit(request) or PlainTextResponse(f"A post may have {settings.body_limit_bytes} bytes.", 413)
        timestamp, signature = request.headers.get(TIMESTAMP_HEADER), request.headers.get(SIGNATURE_HEADER)
        answer = await run_in_threadpool(receiving.answer, body, timestamp, signature)
        if answer.status_code != 403:
            return answer
        return gate.limit(request) or answer


def add_unsubscribe_routes(app: FastAPI, answering: UnsubscribeAnswering, gate: Gate) -> None:
    @app.get("/unsubscribe/{token}", **PAGE)
    async def show_question(token: str, request: Request) -> Response:
        """Shows a page with one button and changes nothing, whoever follows the link."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        return await run_in_threadpool(answering.show, token, gate.read_language(request))

    @app.post("/unsubscribe/{token}", **UNSUBSCRIBE)
    async def unsubscribe(token: str, request: Request) -> Response:
        """Withdraws the recipient's permission; once or ten times is the same."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        content_type, body = await read_form(request, gate.form_limit_bytes)
        return await run_in_threadpool(answering.withdraw, token, gate.read_language(request), content_type, body)


def add_preference_routes(app: FastAPI, answering: PreferenceAnswering, gate: Gate) -> None:
    @app.get("/preferences/{token}", **PAGE)
    async def show_preferences(token: str, request: Request) -> Response:
        """Shows what the recipient has allowed and changes nothing."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        return await run_in_threadpool(answering.show, token, gate.read_language(request))

    @app.post("/preferences/{token}", **describe_preferences(answering.topics))
    async def save_preferences(token: str, request: Request) -> Response:
        """Takes away what is not ticked; asks by mail about what is ticked anew."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        content_type, body = await read_form(request, gate.form_limit_bytes)
        language, network = gate.read_language(request), gate.read_network(request)
        return await run_in_threadpool(answering.save, token, language, content_type, body, network)


def add_confirm_routes(app: FastAPI, answering: ConfirmAnswering, gate: Gate) -> None:
    @app.get("/confirm/{token}", **PAGE)
    async def show_confirmation(token: str, request: Request) -> Response:
        """Shows a page with one button and changes nothing."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        return await run_in_threadpool(answering.show, token, gate.read_language(request))

    @app.post("/confirm/{token}", **CONFIRM)
    async def confirm(token: str, request: Request) -> Response:
        """Grants the permission that the mail asked about, once."""
        if (refusal := gate.limit(request, answering.links, token)) is not None:
            return refusal
        content_type, body = await read_form(request, gate.form_limit_bytes)
        return await run_in_threadpool(answering.grant, token, gate.read_language(request), content_type, body)


def add_subscribe_route(app: FastAPI, answering: SubscribeAnswering, gate: Gate) -> None:
    @app.post("/subscribe", **describe_subscribe(answering.topics))
    async def subscribe(request: Request) -> Response:
        """Sends a mail that asks back; the answer is the same whether or not the address is known."""
        if (refusal := gate.limit(request)) is not None:
            return refusal
        content_type, body = await read_form(request, gate.form_limit_bytes)
        language, network = gate.read_language(request), gate.read_network(request)
        return await run_in_threadpool(answering.ask, language, content_type, body, network)
