"""Google's part of the server: tokens, and the search of one customer account below a manager."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from zlib import crc32

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, bearer_token, read_object, write_json
from sandbox.company import Company
from sandbox.company.ad_accounts import GOOGLE, GOOGLE_WITHOUT_ADS
from sandbox.company.ads import list_ad_days, make_ads
from sandbox.company.course import PAST_DAYS
from sandbox.faults import declare_fault
from sandbox.google.errors import refuse, refuse_pace, refuse_query
from sandbox.google.query import describe, parse_query
from sandbox.google.tokens import Tokens
from sandbox.throttle import RollingWindow

VERSION = "v26"
MANAGER_ID = "1112223333"
PAGE_ROWS = 10_000
CALLS_PER_DAY = 15_000

declare_fault(
    "small_pages",
    "Google's pages hold `rows` rows (default 100) instead of 10,000: larger accounts page.",
    vendor="google",
)


def create_router(company: Company) -> APIRouter:
    """Builds Google's routes."""
    router, tokens = APIRouter(), Tokens(company.config.secrets)
    calls = RollingWindow(CALLS_PER_DAY, 86_400)
    first_day = company.config.start.date() - timedelta(days=PAST_DAYS)
    ads = {
        "ad_group_ad": make_ads(company.seed, first_day, GOOGLE),
        "campaign": make_ads(company.seed, first_day, GOOGLE_WITHOUT_ADS),
    }

    def enter(request: Request, customer_id: str) -> None:
        tokens.require(bearer_token(request))
        developer = request.headers.get("developer-token")
        if developer not in (None, company.config.secrets.google_developer_token):
            message = "The developer token is not allowed with the project sent in the request."
            raise Refused(refuse(403, "authorizationError", "DEVELOPER_TOKEN_PROHIBITED", message))
        known = customer_id in (GOOGLE.account_id, MANAGER_ID)
        if not known or request.headers.get("login-customer-id") != MANAGER_ID:
            message = (
                "User doesn't have permission to access customer. Note: If you're accessing a client customer, the "
                "manager's customer id must be set in the 'login-customer-id' header."
            )
            raise Refused(refuse(403, "authorizationError", "USER_PERMISSION_DENIED", message))
        if company.limits.are_on("google") and not calls.take():
            raise Refused(refuse_pace("3600"))

    @router.post("/token")
    async def mint_token(request: Request) -> Response:
        return tokens.mint(dict(parse_qsl((await request.body()).decode(errors="replace"))))

    @router.post(f"/{VERSION}/customers/{{customer_id}}/googleAds:search")
    async def search(request: Request, customer_id: str) -> Response:
        enter(request, customer_id)
        wanted = await _read(request)
        text, path = str(wanted["query"]), request.url.path
        query = parse_query(text)
        if customer_id == MANAGER_ID:
            raise Refused(refuse_query("REQUESTED_METRICS_FOR_MANAGER", "metrics of a manager account."))
        start = _read_token(text, wanted.get("pageToken"))
        small = company.faults.take(("small_pages",), "google", path)
        size = int(small.number("rows", 100)) if small else PAGE_ROWS
        found = list_ad_days(company.seed, ads[query.resource], query.since, query.until, company.now)
        rows = [describe(one, query) for one in found[start : start + size]]
        company.faults.spoil_records("google", path, rows, SPOILED)
        answer: dict[str, Any] = {"fieldMask": query.field_mask, "requestId": uuid4().hex[:22]}
        if rows:  # an empty list is left out
            answer["results"] = rows
        if start + size < len(found):
            answer["nextPageToken"] = _write_token(text, start + size)
        return write_json(answer)

    return router


SPOILED = {
    "missing_key": lambda row: row.pop("adGroupAd", None),
    "unparsable_date": lambda row: row["segments"].update(date="2026-02-30"),
}


async def _read(request: Request) -> dict[str, Any]:
    try:
        wanted = await read_object(request)
    except ValueError as error:
        raise Refused(refuse(400, "requestError", "UNKNOWN", "Invalid JSON payload received.")) from error
    if "pageSize" in wanted:
        message = "Setting the page size is not supported. Search responses have fixed pages of 10,000 rows."
        raise Refused(refuse(400, "requestError", "PAGE_SIZE_NOT_SUPPORTED", message))
    if not wanted.get("query"):
        raise Refused(refuse(400, "requestError", "REQUIRED_FIELD_MISSING", "Required field is missing: query"))
    return wanted


def _write_token(query: str, place: int) -> str:
    return base64.urlsafe_b64encode(f"{crc32(query.encode())}:{place}".encode()).decode()


def _read_token(query: str, token: Any) -> int:
    """The place from which to go on; a token is good for the query alone that it came with."""
    if not token:
        return 0
    try:
        mark, place = base64.urlsafe_b64decode(str(token)).decode().split(":")
        if int(mark) == crc32(query.encode()):
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise Refused(refuse(400, "requestError", "INVALID_PAGE_TOKEN", "The page token is invalid."))
