"""Reads port 0 in a request to test a connection as no port.

Airflow 3.3 refuses to test a stored connection with its stored secret when host or port differ from what is stored,
and its page sends 0 for a port that is not stored: without this every test of such a connection is a Bad Request.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
PATH = "/api/v2/connections/test"


class BlankPort:
    """An ASGI middleware; requests to other paths pass as they are."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return
        body = blank_port(await _read_body(receive))
        lengths = (b"content-length", str(len(body)).encode())
        headers = [header for header in scope["headers"] if header[0] != b"content-length"]
        is_given = False

        async def give() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app({**scope, "headers": [*headers, lengths]}, give, send)


def blank_port(body: bytes) -> bytes:
    """The body with null in the place of port 0; what is no such body stays as it is."""
    try:
        fields = json.loads(body)
    except ValueError:
        return body
    if not isinstance(fields, dict) or fields.get("port") != 0:
        return body
    return json.dumps({**fields, "port": None}).encode()


async def _read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)
