"""What an answer of a vendor means: rows, wait, try again, or give up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any

import orjson
import requests

from safar.catalogue.fetching import ErrorShape, Quota
from safar.extraction.paths import look_up

TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, *range(520, 525)})
OK, NO_CONTENT = 200, 204
REMEDIES = {
    400: "Compare the request in the source's YAML with the vendor's documentation.",
    402: "The account is frozen; ask the vendor.",
    403: "Grant the token the scopes named in the source's documentation.",
    404: "Check the path in the source's YAML and the host of the connection.",
    414: "Ask for fewer columns in one request.",
}


class Throttled(Exception):
    """The vendor said: later. ``wait`` is in seconds, None when it did not say how long."""

    def __init__(self, wait: float | None) -> None:
        super().__init__("throttled")
        self.wait = wait


class Transient(Exception):
    """It may work when asked again; the message says what happened and holds no data."""


class Expired(Exception):
    """The vendor no longer keeps the next page of this query."""


class Unauthorised(Exception):
    """The token is wrong or has run out; the message is how the vendor said so."""


@dataclass(frozen=True)
class Refusal(Exception):
    """The vendor will not answer this however often it is asked."""

    what: str
    remedy: str


class QuotaUsedUp(Exception):
    """The vendor takes no more calls today; the message says by what we know."""


def read_answer(response: requests.Response, errors: ErrorShape | None) -> Any:
    """Returns the parsed body of a good answer.

    Raises:
        Throttled, Transient, Expired, Unauthorised, Refusal, QuotaUsedUp: it is none; see these.
    """
    body, is_json = _parse(response.content)
    _judge_declared(response, body, errors)
    _judge_status(response)
    if response.status_code == NO_CONTENT:
        return None
    if not is_json:
        raise Transient(f"HTTP {response.status_code} with a body that is not JSON")
    response.__dict__["json"] = lambda **_: body  # parsed once; the paginator asks again
    return body


def check_quota(headers: Mapping[str, str], quota: Quota) -> None:
    """Stops before the calls that others of the company need today are used up.

    Raises:
        QuotaUsedUp: no more than the share that is to be left is left.
    """
    told = re.search(quota.pattern, headers.get(quota.header, ""))
    if told is None:
        return
    used, allowed = int(told[1]), int(told[2])
    if allowed and allowed - used <= allowed * quota.leave:
        raise QuotaUsedUp(
            f"{used} of the {allowed} calls of the day are used, and {quota.leave:.0%} are left to others "
            "(`quota.leave` in the source's YAML)"
        )


def _parse(content: bytes) -> tuple[Any, bool]:
    try:
        return orjson.loads(content), True
    except orjson.JSONDecodeError:
        return None, False


def _judge_declared(response: requests.Response, body: Any, errors: ErrorShape | None) -> None:
    """Acts on the error codes that the source's YAML names."""
    if errors is None or (errors.path == "" and not errors.good and response.status_code < 400):
        return
    error = look_up(body, errors.path)
    if not error:
        return
    code = str(look_up(error, errors.code))
    if code in errors.good:
        return
    if _is_listed(code, errors.throttled):
        raise Throttled(_find_wait(response, body, error, errors))
    if _is_listed(code, errors.unauthorised):
        raise Unauthorised(f"error {code}")
    if _is_listed(code, errors.exhausted):
        raise QuotaUsedUp(f"its quota of the day is used up ({code})")
    if _is_listed(code, errors.expired):
        raise Expired
    if _is_listed(code, errors.transient):
        raise Transient(f"HTTP {response.status_code} with error {code}")
    if response.status_code < 400:
        message = str(look_up(error, errors.message))[:200]
        raise Refusal(f"it answered with error {code}: {message}", "Compare the request in the source's YAML with it.")


def _is_listed(code: str, codes: tuple[str, ...]) -> bool:
    return any(fnmatchcase(code, one) for one in codes)


def _find_wait(response: requests.Response, body: Any, error: Any, errors: ErrorShape) -> float | None:
    """The wait that the vendor tells, wherever it does, or the pause that we declared for it."""
    told = _declared_wait(body, errors) or _told_wait(error, errors) or _retry_after(response)
    return told or (errors.pause.total_seconds() if errors.pause else None)


def _judge_status(response: requests.Response) -> None:
    status = response.status_code
    if status < 300:
        return
    if status == 401:
        raise Unauthorised("HTTP 401")
    if status == 429:
        raise Throttled(_retry_after(response))
    if status in TRANSIENT_STATUSES:
        raise Transient(f"HTTP {status}")
    raise Refusal(f"it answered HTTP {status}", REMEDIES.get(status, REMEDIES[400]))


def _declared_wait(body: Any, errors: ErrorShape) -> float | None:
    if errors.wait is None:
        return None
    requested = look_up(body, errors.wait.requested)
    available = look_up(body, errors.wait.available)
    rate = look_up(body, errors.wait.restore_rate)
    if not rate or requested is None or available is None:
        return None
    return max(0.0, (float(requested) - float(available)) / float(rate))


def _told_wait(error: Any, errors: ErrorShape) -> float | None:
    told = look_up(error, errors.retry_after) if errors.retry_after else None
    try:
        return None if told is None else max(0.0, float(str(told).removesuffix("s")))
    except ValueError:
        return None


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
