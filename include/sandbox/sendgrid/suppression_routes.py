"""/v3/suppression: the five lists; the entries of `unsubscribes` come and go by /v3/asm."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from sandbox.sendgrid.errors import bad_request, not_found
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody
from sandbox.sendgrid.personalization_rules import is_valid_address
from sandbox.sendgrid.suppressions import LISTS

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0)]

router = APIRouter(route_class=GuardedRoute)


@router.get("/v3/suppression/{name}")
def list_page(
    account: AccountHere,
    name: str,
    start_time: int = 0,
    end_time: int | None = None,
    limit: Limit = 500,
    offset: Offset = 0,
    email: str = "",
) -> list[Json]:
    _require_list(name, LISTS)
    return account.suppressions.list_page(name, start=start_time, end=end_time, part=email, limit=limit, offset=offset)


@router.delete("/v3/suppression/{name}", status_code=204)
def delete_several(account: AccountHere, name: str, body: JsonBody) -> Response:
    _require_list(name, LISTS[:-1])
    if body.get("delete_all") is True:
        account.suppressions.clear(name)
    else:
        account.suppressions.remove(name, read_addresses(body, "emails"))
    return Response(status_code=204)


@router.get("/v3/suppression/{name}/{address}")
def read(account: AccountHere, name: str, address: str) -> list[Json]:
    _require_list(name, LISTS[:-1])
    return account.suppressions.read(name, address)


@router.delete("/v3/suppression/{name}/{address}", status_code=204)
def delete(account: AccountHere, name: str, address: str) -> Response:
    _require_list(name, LISTS[:-1])
    if not account.suppressions.remove(name, [address]):
        raise not_found("email not found")
    return Response(status_code=204)


def _require_list(name: str, lists: tuple[str, ...]) -> None:
    if name not in lists:
        raise not_found()


def read_addresses(body: Json, name: str) -> list[str]:
    """The list of valid addresses under a body's name.

    Raises:
        SendGridError: 400, there is no such list.
    """
    addresses = body.get(name)
    if not isinstance(addresses, list) or not addresses or not all(map(is_valid_address, addresses)):
        raise bad_request(f"{name} must be a list of valid email addresses.", name)
    return addresses
