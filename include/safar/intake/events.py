"""SendGrid's events as we keep them: what happened to which message, without a word about the person.

Only values of a known form are taken over. Addresses become keyed hashes; free text of mail servers, user
agents, network addresses and the paths of links are dropped. One event that cannot be read is kept aside as
``unreadable`` with the hash of its text, and the others of its post are kept as usual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

UNREADABLE = "unreadable"
KEPT_AS_IS = {
    "type": re.compile(r"[a-z_]{1,30}"),
    "status": re.compile(r"\d\.\d{1,3}\.\d{1,3}"),
    "bounce_classification": re.compile(r"[A-Za-z /&-]{1,60}"),
    "attempt": re.compile(r"\d{1,4}"),
    "asm_group_id": re.compile(r"\d{1,12}"),
}
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
EVENT_ID = re.compile(r"[\x21-\x7e]{1,255}")
PROVIDER_MESSAGE_ID = re.compile(r"[\w-]{1,100}", re.ASCII)
SMTP_CODE = re.compile(r"\b[245]\d\d\b(?:[ -][245]\.\d{1,3}\.\d{1,3})?")
# The provider's own words; a reason in other words may quote a mail server, which may quote a person.
DROP_REASONS = (
    "Bounced Address",
    "Unsubscribed Address",
    "Spam Reporting Address",
    "Invalid SMTPAPI header",
    "Spam Content",
    "Recipient List over Package Quota",
    "Invalid",
)


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One event as it is stored. ``occurred_at`` is the provider's time, UTC."""

    event_id: str
    event_type: str
    occurred_at: datetime
    message_id: UUID | None = None
    provider_message_id: str | None = None
    address_hash: str | None = None
    url_domain: str | None = None
    reason: str | None = None
    is_late: bool = False
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventReader:
    """Reads one post of events.

    Args:
        hash_email: the keyed hash of an e-mail address as it is written in the event, None when it is none.
        late_after: how old an event may be when its post is signed before it counts as late.
        link_prefix: how the URLs of our own links begin: of those that unsubscribe, choose or confirm.
    """

    hash_email: Callable[[str], str | None]
    late_after: timedelta
    link_prefix: str

    def read(self, body: bytes, signed_at: datetime) -> list[ProviderEvent]:
        """Returns the post's events, in the order of their ids.

        Raises:
            ValueError: the body is no JSON array.
        """
        records = orjson.loads(body)
        if not isinstance(records, list):
            raise ValueError("the body is no JSON array")
        return sorted((self._read_one(record, signed_at) for record in records), key=lambda event: event.event_id)

    def _read_one(self, record: object, signed_at: datetime) -> ProviderEvent:
        try:
            return self._read_known(record, signed_at)
        except (ValueError, OverflowError, OSError) as error:
            return keep_aside(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), str(error), signed_at)

    def _read_known(self, record: object, signed_at: datetime) -> ProviderEvent:
        if not isinstance(record, dict):
            raise ValueError("not an object")
        occurred_at = read_moment(record)
        email = record.get("email")
        return ProviderEvent(
            event_id=_match(EVENT_ID, record.get("sg_event_id"), "no sg_event_id"),
            event_type=_match(EVENT_TYPE, record.get("event"), "no event type"),
            occurred_at=occurred_at,
            message_id=read_message_id(record),
            provider_message_id=read_provider_message_id(record),
            address_hash=self.hash_email(email) if isinstance(email, str) else None,
            url_domain=read_domain(record.get("url")),
            reason=read_reason(record),
            is_late=signed_at - occurred_at > self.late_after,
            payload=self._read_payload(record),
        )

    def _read_payload(self, record: Mapping[str, object]) -> dict[str, Any]:
        payload: dict[str, Any] = {
            key: str(record[key])
            for key, form in KEPT_AS_IS.items()
            if isinstance(record.get(key), str | int) and form.fullmatch(str(record[key]))
        }
        if record.get("sg_machine_open") is True:
            payload["sg_machine_open"] = True
        url = record.get("url")
        if isinstance(url, str) and url.startswith(self.link_prefix):
            payload["link"] = "unsubscribe"
        return payload


def keep_aside(text: bytes, problem: str, signed_at: datetime) -> ProviderEvent:
    """Returns the row that remembers something unreadable: its hash and what is wrong with it."""
    digest = sha256(text).hexdigest()
    return ProviderEvent(
        event_id=f"{UNREADABLE}:{digest}",
        event_type=UNREADABLE,
        occurred_at=signed_at,
        payload={"problem": problem, "sha256": digest, "bytes": len(text)},
    )


def read_moment(record: Mapping[str, object]) -> datetime:
    """Reads the event's unix time in seconds."""
    seconds = record.get("timestamp")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**10:
        raise ValueError("no timestamp in unix seconds")
    return datetime.fromtimestamp(seconds, UTC)


def read_message_id(record: Mapping[str, object]) -> UUID | None:
    """Reads our own id, which the provider gives back at the event's top level."""
    value = record.get("message_id")
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def read_provider_message_id(record: Mapping[str, object]) -> str | None:
    """Reads the X-Message-Id of the call: what stands before the first dot."""
    value = record.get("sg_message_id")
    if not isinstance(value, str):
        return None
    first = value.split(".", 1)[0]
    return first if PROVIDER_MESSAGE_ID.fullmatch(first) else None


def read_domain(url: object) -> str | None:
    """Reads the host of a clicked link; its path may hold a token."""
    if not isinstance(url, str):
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host if host and host.isprintable() and len(host) <= 253 else None


def read_reason(record: Mapping[str, object]) -> str | None:
    """Reads why: the provider's own word for a drop, else the mail server's codes without its prose."""
    text = record.get("reason") or record.get("response")
    if not isinstance(text, str):
        return None
    if record.get("event") == "dropped":
        return next((known for known in DROP_REASONS if known.lower() == text.strip().lower()), "other")
    codes = SMTP_CODE.search(text)
    return codes.group(0) if codes else None


def _match(form: re.Pattern[str], value: object, problem: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(problem)
    return value
