"""The intake under uvicorn, with an access log that names no token and no address."""

from __future__ import annotations

import logging
import time

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("safar.intake")

MAX_CONNECTIONS = 500
ROUTES = frozenset({"webhooks", "unsubscribe", "preferences", "subscribe", "confirm", "v1"})


class AccessLog:
    """Logs each request by its route's first word alone: what follows may be a token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # uvicorn's own writes whole paths, and its switch for it may be undone by whoever configures logging later.
        logging.getLogger("uvicorn.access").disabled = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            seconds = time.monotonic() - started
            log.info("%s %s %s %.0f ms", scope["method"], name_route(scope["path"]), status, seconds * 1000)


def name_route(path: str) -> str:
    """Returns what may be written down of a path."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return f"/{first}" if first in ROUTES else "(unknown path)"


def serve_app(app: FastAPI, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; open requests are finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        AccessLog(app),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=15,
    )
