"""/v3/recipients/erasejob: deletes what the provider knows of recipients."""

from __future__ import annotations

import uuid

import orjson
from fastapi import APIRouter

from sandbox.sendgrid.errors import bad_request
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json, JsonBody
from sandbox.sendgrid.suppression_routes import read_addresses

MOST_ADDRESSES = 5_000
MOST_BYTES = 256 * 1024

router = APIRouter(route_class=GuardedRoute)


@router.post("/v3/recipients/erasejob", status_code=202)
def erase(account: AccountHere, body: JsonBody) -> Json:
    addresses = read_addresses(body, "email_addresses")
    if len(addresses) > MOST_ADDRESSES or len(orjson.dumps(body)) > MOST_BYTES:
        raise bad_request(f"At most {MOST_ADDRESSES} addresses and {MOST_BYTES} bytes.", "email_addresses")
    job_id = str(uuid.uuid4())
    with account.storage.transaction():
        for address in {address.lower() for address in addresses}:
            account.storage.execute("insert into erased (job_id, address) values (?, ?)", job_id, address)
    return {"job_id": job_id}
