"""Double opt-in: a yes that is pending until the owner of the address confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from safar.errors import SafarError
from safar.permission.proof import ConfirmedProof, StatedProof

SOURCE = "double_opt_in"

INSERT = """
insert into ledger.permission_event (
    channel, topic, address_hash, contact_id, state, source, source_key, proof, occurred_at
)
values (
    %(channel)s, %(topic)s, %(address_hash)s, %(contact_id)s, %(state)s, %(source)s, %(source_key)s, %(proof)s,
    %(occurred_at)s
)
on conflict (source, source_key) do nothing
"""

FIND_PENDING = """
select
    pending.channel, pending.topic, pending.address_hash, pending.contact_id, pending.proof, pending.occurred_at,
    exists (
        select from ledger.permission_event as confirmation
        where confirmation.source = pending.source and confirmation.source_key = %(confirmation_key)s
    ) as is_confirmed,
    exists (
        select from ledger.permission_event as withdrawal
        where
            withdrawal.address_hash = pending.address_hash
            and withdrawal.channel = pending.channel
            and withdrawal.topic in (pending.topic, 'all')
            and withdrawal.state = 'revoked'
            and withdrawal.occurred_at >= pending.occurred_at
    ) as is_withdrawn
from ledger.permission_event as pending
where pending.source = %(source)s and pending.source_key = %(request_id)s and pending.state = 'pending'
"""


class Confirmation(StrEnum):
    """What became of a confirmation; only GRANTED wrote a row."""

    GRANTED = "granted"
    ALREADY_CONFIRMED = "already_confirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PermissionRequest:
    """What somebody asked for. ``text_version`` and ``form`` are names: letters, digits and ``_ . : / -``."""

    channel: str
    topic: str
    address_hash: str
    text_version: str
    form: str
    contact_id: str | None = None


def request_confirmation(connection: psycopg.Connection[Any], request: PermissionRequest, *, now: datetime) -> str:
    """Writes a pending permission in the caller's transaction; returns the id that a confirmation names.

    Args:
        now: business time, with zone.

    Raises:
        SafarError: the text's version or the form has no acceptable name.
    """
    request_id = str(uuid4())
    proof = _require(StatedProof, text_version=request.text_version, form=request.form, stated_at=now)
    _insert(connection, "pending", request_id, vars(request), proof, now)
    return request_id


def confirm_permission(
    connection: psycopg.Connection[Any],
    request_id: str,
    *,
    method: str,
    now: datetime,
    valid_for: timedelta | None = None,
) -> Confirmation:
    """Grants what was requested, in the caller's transaction; safe to repeat.

    A request after which the same address withdrew the topic (or all) grants nothing any more.

    Args:
        method: how it was confirmed, a name such as ``email_link``.
        now: business time, with zone.
        valid_for: how long after the request a confirmation still counts, business time; None is for ever.

    Raises:
        SafarError: the method has no acceptable name.
    """
    confirmation_key = f"{request_id}:confirmed"
    # Two clicks at once: the second waits and then finds the row of the first.
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 3))", [request_id])
    pending = _find_pending(connection, request_id, confirmation_key)
    if pending is None:
        return Confirmation.UNKNOWN
    if pending["is_confirmed"]:
        return Confirmation.ALREADY_CONFIRMED
    if pending["is_withdrawn"]:
        return Confirmation.WITHDRAWN
    if valid_for is not None and now - pending["occurred_at"] > valid_for:
        return Confirmation.EXPIRED
    proof = _require(
        ConfirmedProof, **pending["proof"], confirms=request_id, confirmed_at=now, confirmation_method=method
    )
    _insert(connection, "granted", confirmation_key, pending, proof, max(now, pending["occurred_at"]))
    return Confirmation.GRANTED


def _find_pending(connection: psycopg.Connection[Any], request_id: str, confirmation_key: str) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"source": SOURCE, "request_id": request_id, "confirmation_key": confirmation_key}
        return cursor.execute(FIND_PENDING, values).fetchone()


def _insert(
    connection: psycopg.Connection[Any],
    state: str,
    source_key: str,
    subject: dict[str, Any],
    proof: StatedProof,
    occurred_at: datetime,
) -> None:
    values = {name: subject[name] for name in ("channel", "topic", "address_hash", "contact_id")}
    row = {
        **values,
        "state": state,
        "source": SOURCE,
        "source_key": source_key,
        "proof": Jsonb(proof.model_dump(mode="json")),
        "occurred_at": occurred_at,
    }
    connection.execute(INSERT, row)


def _require(model: type[StatedProof], **values: Any) -> StatedProof:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SafarError(
            f"The proof of a permission, field {'.'.join(map(str, first['loc']))}: {first['msg']}. "
            "Name the text's version, the form and the method in letters, digits and _ . : / - alone."
        ) from error
