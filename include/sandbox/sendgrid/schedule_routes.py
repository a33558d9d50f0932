"""/v3/mail/batch and /v3/user/scheduled_sends: pausing and cancelling what is sent later."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Response

from sandbox.sendgrid.account import Account
from sandbox.sendgrid.errors import bad_request, not_found
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody

STATUSES = ("pause", "cancel")
MAX_STOPPED = 10

router = APIRouter(route_class=GuardedRoute)


@router.post("/v3/mail/batch", status_code=201)
def create_batch(account: AccountHere) -> Json:
    with account.storage.transaction():
        number = account.storage.count_up("batch")
        batch_id = hashlib.sha256(f"{account.company.seed}:batch:{number}".encode()).hexdigest()[:48]
        account.storage.execute("insert into batch values (?, null)", batch_id)
    return {"batch_id": batch_id}


@router.get("/v3/mail/batch/{batch_id}")
def validate_batch(account: AccountHere, batch_id: str) -> Json:
    _require_batch(account, batch_id)
    return {"batch_id": batch_id}


@router.post("/v3/user/scheduled_sends", status_code=201)
def stop(account: AccountHere, body: JsonBody) -> Json:
    batch_id, status = str(body.get("batch_id") or ""), _read_status(body)
    _require_batch(account, batch_id)
    with account.storage.transaction():
        if account.storage.value("select status from batch where batch_id = ?", batch_id) is not None:
            raise bad_request("The batch_id has already a status; change it with PATCH.", "batch_id")
        if int(account.storage.value("select count(*) from batch where status is not null")) >= MAX_STOPPED:
            raise bad_request("You may have at most 10 paused or cancelled batches.", "batch_id")
        account.storage.execute("update batch set status = ? where batch_id = ?", status, batch_id)
    return {"batch_id": batch_id, "status": status}


@router.get("/v3/user/scheduled_sends")
def list_stopped(account: AccountHere) -> list[Json]:
    rows = account.storage.rows("select batch_id, status from batch where status is not null order by batch_id")
    return [dict(row) for row in rows]


@router.get("/v3/user/scheduled_sends/{batch_id}")
def read_stopped(account: AccountHere, batch_id: str) -> list[Json]:
    rows = account.storage.rows(
        "select batch_id, status from batch where batch_id = ? and status is not null", batch_id
    )
    return [dict(row) for row in rows]


@router.patch("/v3/user/scheduled_sends/{batch_id}", status_code=204)
def change(account: AccountHere, batch_id: str, body: JsonBody) -> Response:
    _require_touched(
        account.storage.execute(
            "update batch set status = ? where batch_id = ? and status is not null", _read_status(body), batch_id
        )
    )
    return Response(status_code=204)


@router.delete("/v3/user/scheduled_sends/{batch_id}", status_code=204)
def resume(account: AccountHere, batch_id: str) -> Response:
    _require_touched(
        account.storage.execute("update batch set status = null where batch_id = ? and status is not null", batch_id)
    )
    return Response(status_code=204)


def _read_status(body: Json) -> str:
    if body.get("status") not in STATUSES:
        raise bad_request("The status must be pause or cancel.", "status")
    return str(body["status"])


def _require_touched(rows_count: int) -> None:
    if not rows_count:
        raise not_found("batch id not found")


def _require_batch(account: Account, batch_id: str) -> None:
    if account.storage.value("select 1 from batch where batch_id = ?", batch_id) is None:
        raise bad_request("invalid batch id", "batch_id")
