"""What SendGrid's answers mean: definite, doubtful, or ours to mend."""

from __future__ import annotations

import errno
import http.client
import json
import re
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError

from safar.delivery.channel import Accepted, Answer, Misconfigured, NoAnswer, Refused, TooLarge, TryLater

# What urllib can only meet while it connects: nothing was sent yet.
NOBODY_LISTENS = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH)
POSITION = re.compile(r"personalizations[.\[](\d+)")
ADDRESS = re.compile(r"\S+@\S+")
LONGEST_REASON = 200
ACCEPTED = 202

# Raised while we wait for the answer, or while the body is on its way.
DOUBTFUL = (URLError, OSError, http.client.HTTPException)


def read_acceptance(response: Any) -> Answer:
    """The meaning of a 2xx: taken is only what is answered with 202 and no complaint.

    A 200 is somebody else's, of a proxy or a test mode that sends nothing: whether anything left is not known.
    """
    if int(response.status_code) != ACCEPTED or read_problems(response.body):
        return NoAnswer(f"http {response.status_code} is no acceptance")
    return Accepted(response.headers.get("X-Message-Id"))


def read_refusal(error: HTTPError, conn_id: str, message_count: int) -> Answer:
    """The meaning of an answer that is not 2xx, to a call of so many messages."""
    status = int(error.status_code)
    problems = read_problems(error.body)
    if status == 429:
        return TryLater("429 too many requests", read_retry_after(error.headers))
    if status == 413:
        return TooLarge()
    if status in (400, 422):
        return _read_bad_request(problems, conn_id, message_count)
    if status >= 500 or status < 300:
        return NoAnswer(f"http {status}")
    return Misconfigured(
        f"SendGrid answers {status} to connection {conn_id!r}{_quote(problems)}. Check its host, and that its password "
        "is an API key with the permission to send mail. Every message stays planned."
    )


def read_failure(error: Exception, conn_id: str) -> Answer:
    """The meaning of a call that broke before an answer was complete."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(error, URLError):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Misconfigured(
                f"The certificate behind connection {conn_id!r} is not trusted: {cause.verify_message}."
            )
        if isinstance(cause, socket.gaierror):
            return TryLater("the host's name is not found")
        if isinstance(cause, OSError) and cause.errno in NOBODY_LISTENS:
            return TryLater("nobody listens there")
    return NoAnswer("time-out" if isinstance(cause, TimeoutError) else type(cause).__name__)


def read_problems(body: bytes | str | None) -> list[dict[str, Any]]:
    """The ``errors`` of an answer; empty when it has another form."""
    try:
        errors = json.loads(body or b"{}")["errors"]
        return [error for error in errors if isinstance(error, dict)]
    except (ValueError, KeyError, TypeError):
        return []


def read_retry_after(headers: Any) -> float | None:
    """Seconds of a Retry-After header in either form, or None."""
    text = headers.get("Retry-After") if headers is not None else None
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else _seconds_until(text)
    except (ValueError, TypeError):
        return None
    return max(0.0, seconds)


def _seconds_until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _read_bad_request(problems: list[dict[str, Any]], conn_id: str, message_count: int) -> Answer:
    fields = [str(problem.get("field") or "") for problem in problems]
    culprits: dict[int, str] = {}
    for field, problem in zip(fields, problems, strict=True):
        match = POSITION.match(field)
        # A position that is not in the call blames nobody; smaller calls find out who it was.
        if match and int(match[1]) < message_count:
            culprits.setdefault(int(match[1]), _shorten(problem))
    shared = _list_shared_fields(fields)
    if shared and not culprits:
        return Misconfigured(
            f"SendGrid refuses every mail of connection {conn_id!r} because of {', '.join(sorted(set(shared)))}"
            f"{_quote(problems)}. Mend it; every message stays planned."
        )
    return Refused(_shorten(problems[0]) if problems else "http 400", culprits)


def _list_shared_fields(fields: list[str]) -> list[str]:
    """What is wrong with the call as such: no smaller call would do better."""
    return [field for field in fields if field and not POSITION.match(field)]


def _shorten(problem: dict[str, Any]) -> str:
    """The provider's words, without an address that they may repeat."""
    field = POSITION.sub("personalization", str(problem.get("field") or ""))
    words = " ".join(part for part in ("http 400", field, str(problem.get("message") or "")) if part)
    return ADDRESS.sub("<address>", words)[:LONGEST_REASON]


def _quote(problems: list[dict[str, Any]]) -> str:
    return f" ({_shorten(problems[0])})" if problems else ""
