"""Shopify's error answers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import Response

from sandbox.answers import write_json
from sandbox.spoiling import ErrorShapes
from sandbox.throttle import PointsBucket

RATE_LIMITS = "https://shopify.dev/api/usage/rate-limits"


def describe_cost(bucket: PointsBucket, requested: int, actual: int | None) -> dict[str, Any]:
    """What a query cost and what is left."""
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {
            "maximumAvailable": float(bucket.size),
            "currentlyAvailable": int(bucket.available),
            "restoreRate": float(bucket.restore_rate),
        },
    }


def refuse_pace(bucket: PointsBucket, requested: int) -> Response:
    """Throttled: an error inside an answer with status 200."""
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": RATE_LIMITS}}
    return write_json({"errors": [error], "extensions": {"cost": describe_cost(bucket, requested, None)}})


def refuse_token() -> Response:
    message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
    return write_json({"errors": message}, 401)


def _answer_server_error() -> Response:
    request_id = str(uuid4())
    message = f"Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id}"
    extensions = {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}
    return write_json({"errors": [{"message": message, "extensions": extensions}]}, 500)


def make_shapes(restore_rate: float) -> ErrorShapes:
    """The shapes of a shop whose bucket has just been emptied by somebody else."""

    def throttle(retry_after: str | None) -> Response:
        if retry_after is not None:
            return write_json({"errors": "Too many requests"}, 429, {"Retry-After": retry_after})
        bucket = PointsBucket(restore_rate * 20, restore_rate)
        bucket.take(bucket.size)
        return refuse_pace(bucket, int(restore_rate / 2))

    return ErrorShapes(unauthorized=refuse_token, throttled=throttle, server_error=_answer_server_error)
