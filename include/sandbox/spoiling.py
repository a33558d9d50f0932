"""Carries out the faults that spoil a whole answer, whichever vendor's it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.company import Company
from sandbox.faults import Fault

VENDORS = ("google", "hubspot", "linkedin", "meta", "salesforce", "shopify", "sendgrid", "tiktok")
PAGE = b"<!DOCTYPE html><html><head><title>We'll be back soon</title></head><body><h1>Maintenance</h1></body></html>"


@dataclass(frozen=True)
class ErrorShapes:
    """How one vendor words the three errors that any request may meet."""

    unauthorized: Callable[[], Response]
    throttled: Callable[[str | None], Response]
    """Called with the Retry-After to send, or None for none."""
    server_error: Callable[[], Response]
    exhausted: Callable[[], Response] | None = None
    """What a vendor with a daily quota answers when it is used up."""


class SpoilingMiddleware:
    """Spoils the requests that a switched-on fault matches; all others pass untouched."""

    def __init__(self, app: ASGIApp, company: Company, shapes: Mapping[str, ErrorShapes]) -> None:
        self._app = app
        self._company = company
        self._shapes = shapes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._company.faults:
            await self._app(scope, receive, send)
            return
        _, vendor, path = (scope["path"] + "//").split("/", 2)
        path = "/" + path.rstrip("/")
        fault = self._company.faults.take(tuple(_SPOILERS), vendor, path) if vendor in VENDORS else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            call = _Call(self._app, scope, receive, send, self._shapes[vendor])
            await _SPOILERS[fault.name](call, fault)


@dataclass(frozen=True)
class _Call:
    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    shapes: ErrorShapes

    async def answer(self, response: Response) -> None:
        await response(self.scope, self.receive, self.send)

    async def wait_for_nothing(self, seconds: float) -> None:
        """Waits until the client gives up, or the seconds are over."""
        try:
            async with asyncio.timeout(seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await self.answer(Response("upstream request timeout", 504))


async def _answer_server_error(call: _Call, fault: Fault) -> None:
    await call.answer(call.shapes.server_error())


async def _answer_garbage(call: _Call, fault: Fault) -> None:
    await call.answer(Response(PAGE, 200, media_type="text/html"))


async def _answer_unauthorized(call: _Call, fault: Fault) -> None:
    await call.answer(call.shapes.unauthorized())


async def _answer_throttle(call: _Call, fault: Fault) -> None:
    told = fault.options.get("retry_after")
    await call.answer(call.shapes.throttled(None if told is None else str(told)))


async def _answer_exhausted(call: _Call, fault: Fault) -> None:
    exhausted = call.shapes.exhausted
    await call.answer(Response("this vendor has no daily quota", 501) if exhausted is None else exhausted())


async def _time_out(call: _Call, fault: Fault) -> None:
    await call.wait_for_nothing(fault.number("seconds", 60))


async def _answer_slowly(call: _Call, fault: Fault) -> None:
    await asyncio.sleep(fault.number("seconds", 2))
    await call.app(call.scope, call.receive, call.send)


async def _capture(call: _Call) -> tuple[Message, bytes]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await call.app(call.scope, call.receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _lose_answer(call: _Call, fault: Fault) -> None:
    await _capture(call)
    await call.wait_for_nothing(fault.number("seconds", 60))


async def _cut_body(call: _Call, fault: Fault) -> None:
    start, body = await _capture(call)
    await call.send(start)
    # Returning before the announced length is sent makes the server close the connection.
    await call.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


_SPOILERS: Mapping[str, Callable[[_Call, Fault], Awaitable[None]]] = {
    "server_error": _answer_server_error,
    "garbage": _answer_garbage,
    "unauthorized": _answer_unauthorized,
    "throttle": _answer_throttle,
    "quota_used_up": _answer_exhausted,
    "timeout": _time_out,
    "lost_answer": _lose_answer,
    "slow": _answer_slowly,
    "cut_body": _cut_body,
}
