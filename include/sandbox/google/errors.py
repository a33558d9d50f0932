"""Google Ads' error answers: a status, and a failure that names the error by its kind."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes

FAILURE = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


def refuse(status: int, kind: str, name: str, message: str, details: dict[str, Any] | None = None) -> Response:
    """An error of a kind such as ``queryError`` in the envelope of the REST interface."""
    error: dict[str, Any] = {"errorCode": {kind: name}, "message": message}
    if details is not None:
        error["details"] = details
    failure = {"@type": FAILURE, "errors": [error], "requestId": uuid4().hex[:22]}
    envelope = {"code": status, "message": message, "status": STATUSES[status], "details": [failure]}
    return write_json({"error": envelope}, status)


def refuse_token() -> Response:
    return refuse(401, "authenticationError", "OAUTH_TOKEN_INVALID", "Request had invalid authentication credentials.")


def refuse_query(name: str, message: str) -> Response:
    return refuse(400, "queryError", name, f"Error in query: {message}")


def refuse_pace(retry_after: str | None = None) -> Response:
    """Too many operations; how long to wait stands in the body alone."""
    delay = {"rateScope": "DEVELOPER", "rateName": "Operations", "retryDelay": f"{retry_after or 5}s"}
    message = "Too many requests. Retry in a while."
    return refuse(429, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", message, {"quotaErrorDetails": delay})


SHAPES = ErrorShapes(
    unauthorized=refuse_token,
    throttled=refuse_pace,
    server_error=lambda: refuse(500, "internalError", "INTERNAL_ERROR", "An internal error has occurred."),
)
