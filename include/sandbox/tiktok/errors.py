"""TikTok's envelope: errors have status 200 too."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes


def write_envelope(data: dict[str, Any], code: int = 0, message: str = "OK") -> Response:
    """An answer; code 0 means that it is a good one."""
    return write_json({"code": code, "message": message, "request_id": uuid4().hex, "data": data})


def refuse(code: int, message: str) -> Response:
    return write_envelope({}, code, message)


def refuse_token() -> Response:
    return refuse(40105, "Access token is incorrect or has been revoked.")


def refuse_pace(retry_after: str | None = None) -> Response:
    """TikTok tells nobody how long to wait."""
    return refuse(40100, "Too many requests. Please retry in some time.")


SHAPES = ErrorShapes(
    unauthorized=refuse_token,
    throttled=refuse_pace,
    server_error=lambda: refuse(50000, "System error. Please try again later."),
)
