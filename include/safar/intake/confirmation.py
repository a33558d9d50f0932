"""Reads what a form says: RFC 8058's One-Click, the button of our page, or the choices made there."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Literal
from urllib.parse import parse_qsl

MAX_FIELDS = 100


def read_confirmation(content_type: str, body: bytes) -> Literal["one_click", "page"] | None:
    """Returns who confirmed: the mail program or the page's button; None when the body confirms nothing.

    Both of RFC 8058's forms are read, multipart/form-data and application/x-www-form-urlencoded.
    """
    fields = read_fields_or_none(content_type, body)
    if fields is None:
        return None
    if fields.get("list-unsubscribe", "").strip().lower() == "one-click":
        return "one_click"
    return "page" if fields.get("confirm") == "page" else None


def read_fields_or_none(content_type: str, body: bytes) -> dict[str, str] | None:
    """Reads a small form; None when it cannot be read."""
    try:
        return read_fields(content_type, body)
    except (ValueError, LookupError):
        return None


def read_fields(content_type: str, body: bytes) -> dict[str, str]:
    """Reads a small form; names in lower case."""
    if not content_type.lower().startswith("multipart/form-data"):
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=MAX_FIELDS)
        return {name.lower(): value for name, value in pairs}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    fields: dict[str, str] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name.lower()] = value.decode("utf-8", "replace")
    return fields
