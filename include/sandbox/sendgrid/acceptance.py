"""Taking a valid mail/send into the vendor's memory: one transaction, nothing rendered."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.sendgrid.storage import Storage
from sandbox.sendgrid.templates import keep_content

RECIPIENTS_PER_REQUEST = 1000
"""mail_id = request_id * 1000 + place; the vendor takes no more recipients in a request."""
PROCESSING_SECONDS = 1.0


@dataclass(frozen=True)
class Letter:
    """One recipient's mail as the request asked for it."""

    mail_id: int
    x_message_id: str
    body: dict[str, Any]
    personalization: dict[str, Any]
    address: str
    """As written in the request."""

    @property
    def categories(self) -> list[str]:
        return list(self.body.get("categories") or ())

    @property
    def custom_args(self) -> dict[str, str]:
        return {**(self.body.get("custom_args") or {}), **(self.personalization.get("custom_args") or {})}

    @property
    def headers(self) -> dict[str, str]:
        return {**(self.body.get("headers") or {}), **(self.personalization.get("headers") or {})}

    @property
    def group_id(self) -> int | None:
        asm = self.body.get("asm")
        return int(asm["group_id"]) if asm else None


def accept_request(
    storage: Storage, raw: bytes, body: dict[str, Any], content_id: int | None, now: float, seed: int
) -> str:
    """Keeps a valid request and tells its X-Message-Id; `raw` is its JSON, `now` unix seconds of the company."""
    packed = zlib.compress(raw, 1)
    blocks = body["personalizations"]
    process_at = [max(now, block.get("send_at") or body.get("send_at") or 0) + PROCESSING_SECONDS for block in blocks]
    with storage.transaction():
        request_id = storage.count_up("mail_request")
        x_message_id = _make_message_id(seed, request_id)
        if content_id is None:
            content_id = _keep_inline_content(storage, body)
        storage.execute(
            "insert into mail_request values (?, ?, ?, ?, ?, ?, ?)",
            *(request_id, x_message_id, now, min(process_at), body.get("batch_id"), content_id, packed),
        )
        campaign, step = read_campaign(body.get("categories") or ())
        shared = (body.get("custom_args") or {}).get("message_id")
        first = request_id * RECIPIENTS_PER_REQUEST
        storage.execute_many(
            "insert into mail (mail_id, personalization, address, message_id, campaign, step, process_at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    first + place,
                    index,
                    address.lower(),
                    (blocks[index].get("custom_args") or {}).get("message_id", shared),
                    campaign,
                    step,
                    process_at[index],
                )
                for place, (index, address) in enumerate(_list_recipients(blocks))
            ),
        )
    return x_message_id


def read_campaign(categories: list[str] | tuple[str, ...]) -> tuple[str | None, str | None]:
    """The first category names the campaign, the second the step."""
    return (categories[0] if categories else None, categories[1] if len(categories) > 1 else None)


def open_request(packed: bytes) -> dict[str, Any]:
    """The stored body of a mail/send."""
    body: dict[str, Any] = orjson.loads(zlib.decompress(packed))
    return body


def open_letters(request_id: int, x_message_id: str, packed: bytes) -> list[Letter]:
    """Every recipient's mail of a stored request, in the order of their mail ids."""
    body = open_request(packed)
    blocks = body["personalizations"]
    first = request_id * RECIPIENTS_PER_REQUEST
    return [
        Letter(first + place, x_message_id, body, blocks[index], address)
        for place, (index, address) in enumerate(_list_recipients(blocks))
    ]


def _list_recipients(blocks: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    for index, block in enumerate(blocks):
        for recipient in (*block["to"], *(block.get("cc") or ()), *(block.get("bcc") or ())):
            yield index, recipient["email"]


def _keep_inline_content(storage: Storage, body: dict[str, Any]) -> int:
    values = {block["type"]: block["value"] for block in body.get("content") or ()}
    return keep_content(storage, body.get("subject") or "", values.get("text/html", ""), values.get("text/plain", ""))


def _make_message_id(seed: int, request_id: int) -> str:
    digest = hashlib.sha256(f"{seed}:request:{request_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
