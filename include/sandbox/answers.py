"""What every vendor's routes need: JSON bodies, refusals, and a quiet moment to read the company."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import Request, Response

from sandbox.company import Company


class Refused(Exception):
    """A request that ends here, with the vendor's own answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with status {response.status_code}")
        self.response = response


def write_json(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Builds a JSON answer."""
    return Response(orjson.dumps(payload), status, dict(headers or {}), "application/json;charset=utf-8")


async def read_object(request: Request) -> dict[str, Any]:
    """Reads a JSON object from a request's body; an empty body is an empty object.

    Raises:
        ValueError: the body is no JSON object.
    """
    body = await request.body()
    parsed = orjson.loads(body) if body else {}
    if not isinstance(parsed, dict):
        raise ValueError("the body is not a JSON object")
    return parsed


def bearer_token(request: Request) -> str | None:
    """The token of an Authorization header, if there is one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


@asynccontextmanager
async def reading(company: Company) -> AsyncIterator[None]:
    """Holds the company still, without holding up the server; nothing may be awaited inside."""
    while not company.lock.acquire(blocking=False):
        await asyncio.sleep(0.002)
    try:
        yield
    finally:
        company.lock.release()
