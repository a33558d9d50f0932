"""/v3/user/webhooks/event: where events are posted, and the key they are signed with.

The paths without an id are the vendor's older ones; they act on the oldest webhook.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from sandbox.sendgrid.account import Account
from sandbox.sendgrid.errors import bad_request, not_found
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody
from sandbox.sendgrid.webhooks import MAX_WEBHOOKS

PATH = "/v3/user/webhooks/event"

router = APIRouter(route_class=GuardedRoute)


@router.post(f"{PATH}/settings", status_code=201)
def create(account: AccountHere, body: JsonBody) -> Json:
    return account.webhooks.create(body, account.now)


@router.get(f"{PATH}/settings")
def read_first(account: AccountHere) -> Json:
    return account.webhooks.read(_find_first(account))


@router.patch(f"{PATH}/settings")
def update_first(account: AccountHere, body: JsonBody) -> Json:
    webhook_id = account.webhooks.first_id()
    if webhook_id is None:
        return account.webhooks.create(body, account.now)
    return account.webhooks.update(webhook_id, body, account.now)


@router.get(f"{PATH}/settings/all")
def list_all(account: AccountHere) -> Json:
    return {"max_allowed": MAX_WEBHOOKS, "webhooks": account.webhooks.list_all()}


@router.get(f"{PATH}/settings/signed")
def read_first_key(account: AccountHere) -> Json:
    return dict(account.webhooks.read_key(_find_first(account)))


@router.patch(f"{PATH}/settings/signed")
def sign_first(account: AccountHere, body: JsonBody) -> Json:
    return dict(account.webhooks.set_signed(_find_first(account), _read_enabled(body)))


@router.get(f"{PATH}/settings/signed/{{webhook_id}}")
def read_key(account: AccountHere, webhook_id: str) -> Json:
    return dict(account.webhooks.read_key(webhook_id))


@router.patch(f"{PATH}/settings/signed/{{webhook_id}}")
def sign(account: AccountHere, webhook_id: str, body: JsonBody) -> Json:
    return dict(account.webhooks.set_signed(webhook_id, _read_enabled(body)))


@router.get(f"{PATH}/settings/{{webhook_id}}")
def read(account: AccountHere, webhook_id: str) -> Json:
    return account.webhooks.read(webhook_id)


@router.patch(f"{PATH}/settings/{{webhook_id}}")
def update(account: AccountHere, webhook_id: str, body: JsonBody) -> Json:
    return account.webhooks.update(webhook_id, body, account.now)


@router.delete(f"{PATH}/settings/{{webhook_id}}", status_code=204)
def delete(account: AccountHere, webhook_id: str) -> Response:
    account.webhooks.delete(webhook_id)
    return Response(status_code=204)


@router.post(f"{PATH}/test", status_code=204)
def post_test(account: AccountHere, body: JsonBody) -> Response:
    account.webhooks.post_test(str(body.get("url") or ""), account.timestamp)
    return Response(status_code=204)


def _read_enabled(body: Json) -> bool:
    enabled = body.get("enabled")
    if not isinstance(enabled, bool):
        raise bad_request("enabled must be true or false.", "enabled")
    return enabled


def _find_first(account: Account) -> str:
    webhook_id = account.webhooks.first_id()
    if webhook_id is None:
        raise not_found("Webhook not found.")
    return webhook_id
