"""/v3/asm: global unsubscribes and unsubscribe groups."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sandbox.sendgrid.errors import bad_request
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody
from sandbox.sendgrid.suppression_routes import Limit, Offset, read_addresses

router = APIRouter(route_class=GuardedRoute)


@router.post("/v3/asm/suppressions/global", status_code=201)
def add_global(account: AccountHere, body: JsonBody) -> Json:
    addresses = read_addresses(body, "recipient_emails")
    with account.storage.transaction():
        for address in addresses:
            account.suppressions.add("unsubscribes", address, account.timestamp)
    return {"recipient_emails": addresses}


@router.get("/v3/asm/suppressions/global")
def list_global(
    account: AccountHere,
    start_time: int = 0,
    end_time: int | None = None,
    limit: Limit = 500,
    offset: Offset = 0,
    email: str = "",
) -> list[Json]:
    return account.suppressions.list_page(
        "unsubscribes", start=start_time, end=end_time, part=email, limit=limit, offset=offset
    )


@router.get("/v3/asm/suppressions/global/{address}")
def read_global(account: AccountHere, address: str) -> Json:
    found = account.suppressions.read("unsubscribes", address)
    return {"recipient_email": found[0]["email"]} if found else {}


@router.delete("/v3/asm/suppressions/global/{address}", status_code=204)
def delete_global(account: AccountHere, address: str) -> Response:
    account.suppressions.remove("unsubscribes", [address])
    return Response(status_code=204)


@router.post("/v3/asm/groups", status_code=201)
def create_group(account: AccountHere, body: JsonBody) -> Json:
    if not isinstance(body.get("name"), str) or not body["name"] or len(body["name"]) > 30:
        raise bad_request("The name must be a string of 1 to 30 characters.", "name")
    return account.suppressions.create_group(
        body["name"], str(body.get("description") or ""), bool(body.get("is_default"))
    )


@router.get("/v3/asm/groups")
def list_groups(account: AccountHere) -> list[Json]:
    return account.suppressions.list_groups()


@router.get("/v3/asm/groups/{group_id}")
def read_group(account: AccountHere, group_id: int) -> Json:
    return account.suppressions.read_group(group_id)


@router.delete("/v3/asm/groups/{group_id}", status_code=204)
def delete_group(account: AccountHere, group_id: int) -> Response:
    account.suppressions.delete_group(group_id)
    return Response(status_code=204)


@router.get("/v3/asm/groups/{group_id}/suppressions")
def list_members(account: AccountHere, group_id: int) -> list[str]:
    return account.suppressions.list_group(group_id)


@router.post("/v3/asm/groups/{group_id}/suppressions", status_code=201)
def add_members(account: AccountHere, group_id: int, body: JsonBody) -> Json:
    addresses = read_addresses(body, "recipient_emails")
    account.suppressions.add_to_group(group_id, addresses, account.timestamp)
    return {"recipient_emails": addresses}


@router.post("/v3/asm/groups/{group_id}/suppressions/search")
def search_members(account: AccountHere, group_id: int, body: JsonBody) -> list[str]:
    wanted = {address.lower() for address in read_addresses(body, "recipient_emails")}
    return [address for address in account.suppressions.list_group(group_id) if address in wanted]


@router.delete("/v3/asm/groups/{group_id}/suppressions/{address}", status_code=204)
def remove_member(account: AccountHere, group_id: int, address: str) -> Response:
    account.suppressions.remove_from_group(group_id, address)
    return Response(status_code=204)
