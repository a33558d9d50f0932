"""LinkedIn's error answers."""

from __future__ import annotations

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes


def refuse(status: int, code: str, message: str, service_code: int | None = None) -> Response:
    """An error of the versioned API."""
    body = {"status": status, "code": code, "message": message}
    return write_json(body if service_code is None else {**body, "serviceErrorCode": service_code}, status)


def refuse_token() -> Response:
    return refuse(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600)


def refuse_pace(retry_after: str | None = None) -> Response:
    response = refuse(
        429, "TOO_MANY_REQUESTS", "Resource level throttle limit for calls to this resource is reached.", 101
    )
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def refuse_parameter(message: str) -> Response:
    return refuse(400, "ILLEGAL_ARGUMENT", message, 0)


SHAPES = ErrorShapes(
    unauthorized=refuse_token,
    throttled=refuse_pace,
    server_error=lambda: refuse(500, "INTERNAL_SERVER_ERROR", "Internal Server Error"),
)
