"""HubSpot's error answers."""

from __future__ import annotations

from uuid import uuid4

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes


def refuse(status: int, category: str, message: str) -> Response:
    """An error in HubSpot's envelope."""
    body = {"status": "error", "message": message, "correlationId": str(uuid4()), "category": category}
    return write_json(body, status)


def refuse_input(message: str) -> Response:
    return refuse(400, "VALIDATION_ERROR", message)


def refuse_token() -> Response:
    return refuse(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )


def refuse_pace(policy: str, message: str, retry_after: str | None = None) -> Response:
    """429; HubSpot does not promise a Retry-After."""
    body = {
        "status": "error",
        "message": message,
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid4()),
        "policyName": policy,
        "requestId": str(uuid4()),
    }
    return write_json(body, 429, {} if retry_after is None else {"Retry-After": retry_after})


SHAPES = ErrorShapes(
    unauthorized=refuse_token,
    throttled=lambda retry_after: refuse_pace(
        "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", retry_after
    ),
    server_error=lambda: refuse(500, "INTERNAL_ERROR", "There was a problem with the request."),
    exhausted=lambda: refuse_pace("DAILY", "You have reached your daily limit."),
)
