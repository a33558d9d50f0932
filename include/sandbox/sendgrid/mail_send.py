"""POST /v3/mail/send."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from sandbox.sendgrid.acceptance import accept_request
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.breakage import Reset, Silence
from sandbox.sendgrid.errors import FieldError, SendGridError, mail_error, server_error
from sandbox.sendgrid.faults import (
    BAD_REQUEST_FOR_ONE,
    PAYLOAD_TOO_LARGE,
    RESET_AFTER_ACCEPT,
    SERVER_ERROR_AFTER_ACCEPT,
    TIMEOUT_AFTER_ACCEPT,
)
from sandbox.sendgrid.guards import AccountHere, SendRoute
from sandbox.sendgrid.mail_validation import find_errors

PATH = "/v3/mail/send"
MAX_BYTES = 30 * 1024 * 1024


router = APIRouter(route_class=SendRoute)


@router.post(PATH)
async def send_mail(account: AccountHere, request: Request) -> Response:
    if account.take_fault(PAYLOAD_TOO_LARGE, PATH) is not None:
        raise _too_large()
    raw = _unpack(request, await request.body())
    # In a thread, so that other connections are served while this one is written down.
    return await run_in_threadpool(take_mail, account, raw)


def take_mail(account: Account, raw: bytes) -> Response:
    """Answers one request's JSON.

    Raises:
        SendGridError: 400 with everything that is wrong; nothing is kept.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise SendGridError(400, FieldError("Bad Request")) from error
    content_id = _check(account, body)
    if ((body.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable"):
        return Response(status_code=200)
    message_id = accept_request(account.storage, raw, body, content_id, account.now.timestamp(), account.company.seed)
    return _answer(account, message_id)


def _check(account: Account, body: Any) -> int | None:
    """The dynamic template's active content, or None when the mail brings its own."""
    template_id = body.get("template_id") if isinstance(body, dict) else None
    is_dynamic = isinstance(template_id, str) and template_id.startswith("d-")
    errors = find_errors(body, account.now.timestamp(), is_dynamic)
    content_id = account.templates.find_content(template_id) if isinstance(template_id, str) else None
    if template_id and content_id is None and isinstance(template_id, str):
        errors.append(
            mail_error(
                f"The template id must be a valid template id for your account. You provided {template_id}",
                "template_id",
                "template_id",
            )
        )
    if not errors:
        errors = _check_account(account, body)
    if errors:
        account.storage.count_up("refused_requests")
        raise SendGridError(400, *errors)
    return content_id


def _check_account(account: Account, body: dict[str, Any]) -> list[FieldError]:
    """What only the account can tell: its batches, its groups, and the one address that a fault refuses."""
    storage = account.storage
    errors = []
    batch_id = body.get("batch_id")
    if batch_id and storage.value("select 1 from batch where batch_id = ?", batch_id) is None:
        errors.append(mail_error("The batch_id is not valid for your account.", "batch_id", "batch_id"))
    group_id = (body.get("asm") or {}).get("group_id")
    if group_id is not None and storage.value("select 1 from unsubscribe_group where group_id = ?", group_id) is None:
        errors.append(
            mail_error(
                f"The ASM group ID must be a valid Group ID on your account. You provided {group_id}.",
                "asm.group_id",
                "asm.group_id",
            )
        )
    return errors + _refuse_one(account, body["personalizations"])


def _refuse_one(account: Account, blocks: list[dict[str, Any]]) -> list[FieldError]:
    fault = account.take_fault(BAD_REQUEST_FOR_ONE, PATH)
    if fault is None:
        account.refused_address = None
        return []
    if account.refused_address is None:
        account.refused_address = blocks[len(blocks) // 2]["to"][0]["email"]
    refused = str(fault.options.get("email") or account.refused_address).lower()
    return [
        mail_error(
            "Does not contain a valid address.", f"personalizations.{place}.to.{index}.email", "personalizations.to"
        )
        for place, block in enumerate(blocks)
        for index, recipient in enumerate(block["to"])
        if recipient["email"].lower() == refused
    ]


def _answer(account: Account, message_id: str) -> Response:
    take = account.take_fault
    fault = take(TIMEOUT_AFTER_ACCEPT, PATH)
    if fault is not None:
        return Silence(fault.number("seconds", 600))
    if take(RESET_AFTER_ACCEPT, PATH) is not None:
        return Reset()
    fault = take(SERVER_ERROR_AFTER_ACCEPT, PATH)
    if fault is not None:
        return server_error(int(fault.number("status", 500))).as_response()
    return Response(status_code=202, headers={"X-Message-Id": message_id})


def _unpack(request: Request, sent: bytes) -> bytes:
    """The request's JSON, unzipped.

    Raises:
        SendGridError: 413 over 30 MB, 415 when it is not JSON by its content type, 400 when it is no gzip.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise SendGridError(415, FieldError("Content-Type should be application/json."))
    raw = sent
    if request.headers.get("content-encoding", "").lower() == "gzip":
        try:
            raw = zlib.decompressobj(wbits=31).decompress(sent, MAX_BYTES + 1)
        except zlib.error as error:
            raise SendGridError(400, FieldError("Bad Request")) from error
    if len(raw) > MAX_BYTES:
        raise _too_large()
    return raw


def _too_large() -> SendGridError:
    return SendGridError(413, FieldError("Payload too large"))
