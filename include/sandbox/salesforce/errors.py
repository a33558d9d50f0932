"""Salesforce's error answers: a list of errors for its APIs, an object where a token is asked for."""

from __future__ import annotations

from fastapi import Response

from sandbox.answers import Refused, write_json
from sandbox.faults import declare_fault
from sandbox.spoiling import ErrorShapes

declare_fault(
    "query_forgotten",
    "Salesforce's INVALID_QUERY_LOCATOR (400) for a next page: it keeps few open queries per user.",
    vendor="salesforce",
)
declare_fault(
    "job_failed",
    "A bulk query job of Salesforce ends with the state Failed, in an answer with status 200.",
    vendor="salesforce",
    remedy="give_up",
)


def refuse(status: int, code: str, message: str) -> Response:
    """An error of the REST and bulk APIs."""
    return write_json([{"message": message, "errorCode": code}], status)


def refuse_session() -> Response:
    return refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")


def refuse_pace(retry_after: str | None = None) -> Response:
    """What stands before the API when it has too much to do; the daily limit is another answer."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Response("Too Many Requests", 429, headers, "text/plain")


def refuse_limit() -> Response:
    return refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def refuse_login(error: str, description: str, status: int = 400) -> Refused:
    return Refused(write_json({"error": error, "error_description": description}, status))


SHAPES = ErrorShapes(
    unauthorized=refuse_session,
    throttled=refuse_pace,
    exhausted=refuse_limit,
    server_error=lambda: refuse(
        500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support."
    ),
)
