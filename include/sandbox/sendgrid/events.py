"""The JSON of one event as the webhook posts it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from sandbox.sendgrid.acceptance import Letter

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Thunderbird/147.0"
MACHINE_USER_AGENT = "Mozilla/5.0"
READER_IP = "192.0.2.10"
SENDER_IP = "192.0.2.25"

_SMTP_KINDS = frozenset({"processed", "deferred", "delivered", "dropped", "bounce"})
_READER: dict[str, Any] = {"ip": READER_IP, "useragent": USER_AGENT}
_EXTRAS: dict[str, dict[str, Any]] = {
    "deferred": {"response": "451 4.7.1 try again later", "attempt": "1", "ip": SENDER_IP},
    "delivered": {"response": "250 2.0.0 OK", "tls": 1, "ip": SENDER_IP},
    "bounce": {
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "bounce_classification": "Invalid Address",
        "ip": SENDER_IP,
        "tls": 1,
    },
    "blocked": {
        "type": "blocked",
        "status": "4.7.1",
        "reason": "421 4.7.1 Message blocked by the recipient's mail server",
        "bounce_classification": "Reputation",
        "ip": SENDER_IP,
        "tls": 1,
    },
    "open": {"sg_machine_open": False, "sg_content_type": "html", **_READER},
    "machine_open": {
        "sg_machine_open": True,
        "sg_content_type": "html",
        "ip": READER_IP,
        "useragent": MACHINE_USER_AGENT,
    },
    "click": {"url_offset": {"index": 0, "type": "html"}, **_READER},
    "unsubscribe": _READER,
    "group_unsubscribe": _READER,
}
# Two of our kinds are told apart from another of the vendor's only by their keys.
_VENDOR_NAMES = {"blocked": "bounce", "machine_open": "open"}


def describe_event(letter: Letter, kind: str, at: float, details: dict[str, Any], seed: int) -> dict[str, Any]:
    """One event; custom_args lie flat at the top, and never over the vendor's own keys."""
    event: dict[str, Any] = dict(letter.custom_args)
    event |= {
        "email": letter.address,
        "timestamp": int(at),
        "event": _VENDOR_NAMES.get(kind, kind),
        "sg_event_id": _make_event_id(seed, letter.mail_id, kind, at),
        "sg_message_id": name_mail(letter.x_message_id, letter.mail_id),
    }
    if letter.categories:
        event["category"] = letter.categories
    if letter.group_id is not None:
        event["asm_group_id"] = letter.group_id
    if kind in _SMTP_KINDS or kind in _VENDOR_NAMES:
        event["smtp-id"] = f"<{letter.x_message_id}@geopod-ismtpd-1>"
    return event | _EXTRAS.get(kind, {}) | details


def name_mail(x_message_id: str, mail_id: int) -> str:
    """The vendor's id of one recipient's mail: it begins with the request's."""
    return f"{x_message_id}.filter{mail_id % 10000:04d}p1las1-{mail_id}.0"


def _make_event_id(seed: int, mail_id: int, kind: str, at: float) -> str:
    digest = hashlib.sha256(f"{seed}:{mail_id}:{kind}:{at:.3f}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
