"""Answers that never come whole, as networks give them."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

SILENCE_SECONDS = 600.0


class Silence(Response):
    """Holds the connection open without a word until the client has gone, or for so many seconds, then closes it."""

    def __init__(self, seconds: float = SILENCE_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await _break_connection(receive)


class Reset(Response):
    """Resets the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _break_connection(receive)


async def _break_connection(receive: Receive) -> None:
    """Closes the client's socket under uvicorn, which has no word for it; `receive` is bound to its connection."""
    transport: Any = receive.__self__.transport  # type: ignore[attr-defined]
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # uvicorn must notice the loss before the call ends, or it would try to answer 500.
    await asyncio.sleep(0.05)
