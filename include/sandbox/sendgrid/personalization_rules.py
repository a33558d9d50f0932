"""The vendor's rules for one personalization, and for what it shares with the whole message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from sandbox.sendgrid.errors import FieldError, mail_error

MAX_PERSONALIZATIONS = 1000
MAX_RECIPIENTS = 1000
MAX_CUSTOM_ARGS_BYTES = 10_000
MAX_SUBSTITUTIONS_BYTES = 10_000
MAX_SCHEDULE_SECONDS = 72 * 3600
RESERVED_HEADERS = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_matches_address = re.compile(rf"(?=.{{1,254}}\Z){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]+").fullmatch

Body = dict[str, Any]
Errors = Iterator[FieldError]


def is_valid_address(address: object) -> bool:
    """Whether the vendor takes it as an e-mail address; says nothing about a mailbox behind it."""
    return isinstance(address, str) and _matches_address(address) is not None


def check_personalizations(body: Body, now: float, is_dynamic: bool) -> Errors:
    blocks = body.get("personalizations")
    if not isinstance(blocks, list) or not blocks:
        yield mail_error(
            "The personalizations field is required and must have at least one personalization.",
            "personalizations",
            "personalizations",
        )
        return
    if len(blocks) > MAX_PERSONALIZATIONS:
        yield mail_error(
            "The personalization block is limited to 1000 personalizations per API request. You have provided "
            f"{len(blocks)} personalizations. Please consider splitting this into multiple requests and resending "
            "your request.",
            "personalizations",
            "personalizations",
        )
        return
    shared = body.get("custom_args")
    shared = shared if isinstance(shared, dict) else {}
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        yield from _check_block(block, f"personalizations.{place}", shared, now, is_dynamic)
        yield from _check_recipients(block, place, seen)
    if len(seen) > MAX_RECIPIENTS:
        yield mail_error(
            "There is a limit of 1000 total recipients (to + cc + bcc) per request.",
            "personalizations",
            "personalizations",
        )


def _check_block(block: object, path: str, shared: Body, now: float, is_dynamic: bool) -> Errors:
    if not isinstance(block, dict):
        yield mail_error("Each personalization must be an object.", path, "personalizations")
        return
    if "custom_args" in block:
        yield from check_custom_args(block["custom_args"], shared, f"{path}.custom_args")
    if "headers" in block:
        yield from check_headers(block["headers"], f"{path}.headers")
    if "send_at" in block:
        yield from check_send_at(block, f"{path}.send_at", "personalizations.send_at", now)
    if block.get("subject") is not None and not (isinstance(block["subject"], str) and block["subject"]):
        yield mail_error(
            "The subject of your email must be a string at least one character in length.",
            f"{path}.subject",
            "personalizations.subject",
        )
    if not isinstance(block.get("dynamic_template_data", {}), dict):
        yield mail_error(
            "dynamic_template_data must be an object.",
            f"{path}.dynamic_template_data",
            "personalizations.dynamic_template_data",
        )
    if "substitutions" in block:
        yield from _check_substitutions(block["substitutions"], f"{path}.substitutions", is_dynamic)


def _check_recipients(block: object, place: int, seen: set[str]) -> Errors:
    if not isinstance(block, dict):
        return
    recipients = block.get("to")
    if not isinstance(recipients, list) or not recipients:
        yield mail_error(
            "The to array is required for all personalization objects, and must have at least one email object with "
            "a valid email address.",
            f"personalizations.{place}.to",
            "personalizations.to",
        )
    own: set[str] = set()
    for kind in ("to", "cc", "bcc"):
        listed = block.get(kind)
        if kind != "to" and listed is not None and not isinstance(listed, list):
            path = f"personalizations.{place}.{kind}"
            yield mail_error(f"{kind} must be an array.", path, f"personalizations.{kind}")
        for index, recipient in enumerate(listed if isinstance(listed, list) else ()):
            path = f"personalizations.{place}.{kind}.{index}.email"
            yield from _check_recipient(recipient, place, kind, path, own, seen)
    seen |= own


def _check_recipient(recipient: object, place: int, kind: str, path: str, own: set[str], seen: set[str]) -> Errors:
    address = recipient.get("email") if isinstance(recipient, dict) else None
    if not isinstance(address, str) or _matches_address(address) is None:
        yield mail_error("Does not contain a valid address.", path, f"personalizations.{kind}")
        return
    address = address.lower()
    if address in own:
        yield mail_error(
            "Each email address in the personalization block should be unique between to, cc, and bcc. We found the "
            f"first duplicate instance of [{address}] in the personalizations.{place}.{kind} field.",
            f"personalizations.{place}",
            "recipient-errors",
        )
    elif address in seen:
        yield mail_error(
            "Each unique email address in the personalizations array should only be included once. You have "
            f"included [{address}] more than once.",
            path,
            "personalizations",
        )
    own.add(address)


def check_custom_args(arguments: object, shared: Body, path: str) -> Errors:
    if arguments is None:
        return
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        yield mail_error("All values of custom arguments object must be strings.", path, "personalizations.custom_args")
    elif len(orjson.dumps({**shared, **arguments})) > MAX_CUSTOM_ARGS_BYTES:
        yield mail_error(
            "The combined size of both global and personalization custom arguments may not exceed 10,000 bytes per "
            "personalization.",
            path,
            "personalizations.custom_args",
        )


def check_headers(headers: object, path: str) -> Errors:
    if headers is None:
        return
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        yield mail_error("All values of the headers object must be strings.", path, "personalizations.headers")
        return
    for name in headers:
        if name.lower() in RESERVED_HEADERS:
            yield mail_error(f"The header [{name}] is one of the reserved keys.", path, "personalizations.headers")
        elif not name.isascii() or " " in name or not name:
            yield mail_error(
                "Header keys can't contain non-ASCII characters or empty spaces.", path, "personalizations.headers"
            )


def check_send_at(holder: Body, path: str, topic: str, now: float) -> Errors:
    send_at = holder.get("send_at")
    if send_at is None:
        return
    if not is_whole(send_at):
        yield mail_error(
            "The send_at parameter is expecting a UNIX timestamp as an integer. We will send immediately if you "
            "include a send_at timestamp that is in the past.",
            path,
            topic,
        )
    elif send_at > now + MAX_SCHEDULE_SECONDS:
        yield mail_error("Scheduling more than 72 hours in advance is forbidden.", path, topic)


def _check_substitutions(substitutions: object, path: str, is_dynamic: bool) -> Errors:
    topic = "personalizations.substitutions"
    if is_dynamic:
        yield mail_error("Substitutions may not be used with dynamic templating", path, topic)
    elif not isinstance(substitutions, dict) or not all(isinstance(value, str) for value in substitutions.values()):
        yield mail_error(
            "The substitution values must be an object of key/value pairs, where the values are all strings.",
            path,
            topic,
        )
    elif len(orjson.dumps(substitutions)) > MAX_SUBSTITUTIONS_BYTES:
        yield mail_error("Substitutions are limited to 10,000 bytes per personalization block.", path, topic)


def is_recipient(recipient: object) -> bool:
    return isinstance(recipient, dict) and is_valid_address(recipient.get("email"))


def is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
