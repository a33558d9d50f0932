"""/v3/messages: Email Activity, an add-on with a limit of its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from sandbox.sendgrid.activity import list_mails, read_mail
from sandbox.sendgrid.activity_query import BadQuery, parse_query
from sandbox.sendgrid.errors import bad_request, not_found
from sandbox.sendgrid.guards import AccountHere, GuardedRoute, Json


class ActivityRoute(GuardedRoute):
    """Six calls a minute, as the vendor says."""

    calls_per_window = 6


router = APIRouter(route_class=ActivityRoute)


@router.get("/v3/messages")
def list_messages(
    account: AccountHere, query: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 10
) -> Json:
    """The newest messages that fit the query; there are no further pages, only narrower queries."""
    try:
        condition = parse_query(query) if query else None
    except BadQuery as error:
        raise bad_request(str(error), "query") from error
    return {"messages": list_mails(account.storage, condition, limit)}


@router.get("/v3/messages/{msg_id}")
def read_message(account: AccountHere, msg_id: str) -> Json:
    found = read_mail(account.storage, msg_id)
    if found is None:
        raise not_found()
    return found
