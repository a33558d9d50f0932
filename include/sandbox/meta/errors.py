"""Meta's error answers."""

from __future__ import annotations

from uuid import uuid4

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes


def refuse(status: int, code: int, message: str, subcode: int | None = None, *, is_transient: bool = False) -> Response:
    """An error in the Graph API's envelope."""
    error = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "is_transient": is_transient,
        "fbtrace_id": f"A{uuid4().hex[:22]}",
    }
    return write_json({"error": error if subcode is None else {**error, "error_subcode": subcode}}, status)


def refuse_token() -> Response:
    message = "Invalid OAuth access token - Cannot parse access token"
    response = refuse(401, 190, message)
    response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{message}"'
    return response


def refuse_pace(retry_after: str | None = None) -> Response:
    """Meta throttles with 400 and a code of its own, and tells when in a usage header."""
    message = "(#80000) There have been too many calls from this ad-account. Please wait a bit and try again."
    response = refuse(400, 80000, message, 2446079)
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def refuse_parameter(message: str, subcode: int | None = None) -> Response:
    return refuse(400, 100, f"(#100) {message}", subcode)


SHAPES = ErrorShapes(
    unauthorized=refuse_token,
    throttled=refuse_pace,
    server_error=lambda: refuse(500, 2, "An unexpected error has occurred. Please retry later.", is_transient=True),
)
