"""LinkedIn's part of the server: an ad account, its campaigns and groups of them, and analytics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, bearer_token, write_json
from sandbox.company import Company
from sandbox.company.ad_accounts import LINKEDIN
from sandbox.company.ads import list_ad_days, make_ads
from sandbox.company.course import PAST_DAYS
from sandbox.faults import declare_fault
from sandbox.linkedin.analytics import MOST_ROWS, describe, parse_analytics
from sandbox.linkedin.errors import refuse, refuse_pace, refuse_parameter, refuse_token
from sandbox.throttle import RollingWindow

VERSIONS = ("202512", "202603", "202606", "202609")
CALLS_PER_MINUTE = 300
MOST_PER_PAGE = 1000

declare_fault(
    "row_cap",
    "LinkedIn's analytics end after `rows` rows (default 100) instead of 15,000, without a word.",
    vendor="linkedin",
)


@dataclass
class Gate:
    """The door of all routes: a token, a version that still lives, and so many calls a minute."""

    company: Company
    _calls: RollingWindow = field(default_factory=lambda: RollingWindow(CALLS_PER_MINUTE, 60))

    def enter(self, request: Request) -> None:
        """Raises:
        Refused: it stays shut.
        """
        if bearer_token(request) != self.company.config.secrets.linkedin_token:
            raise Refused(refuse_token())
        version = request.headers.get("linkedin-version")
        if version is None:
            message = "A version must be present. Please specify a version by adding the LinkedIn-Version header."
            raise Refused(refuse(400, "VERSION_MISSING", message))
        if version not in VERSIONS:
            raise Refused(refuse(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active"))
        if self.company.limits.are_on("linkedin") and not self._calls.take():
            raise Refused(refuse_pace())


def create_router(company: Company) -> APIRouter:
    """Builds LinkedIn's routes."""
    router, enter = APIRouter(), Gate(company).enter
    ads = make_ads(company.seed, company.config.start.date() - timedelta(days=PAST_DAYS), LINKEDIN)
    account = f"/rest/adAccounts/{LINKEDIN.account_id}"
    urn = f"urn:li:sponsoredAccount:{LINKEDIN.account_id}"
    groups = {ad.campaign_id: ad.campaign_name for ad in ads}
    campaigns = {ad.adset_id: ad for ad in ads}

    @router.get(account)
    async def read_account(request: Request) -> Response:
        enter(request)
        facts = {"id": int(LINKEDIN.account_id), "name": LINKEDIN.name, "currency": LINKEDIN.currency}
        return write_json(_project(request, {**facts, "status": "ACTIVE", "type": "BUSINESS"}))

    @router.get(f"{account}/adCampaignGroups")
    async def list_groups(request: Request) -> Response:
        enter(request)
        return _write_page(request, [{"id": int(one), "name": name, "account": urn} for one, name in groups.items()])

    @router.get(f"{account}/adCampaigns")
    async def list_campaigns(request: Request) -> Response:
        enter(request)
        found = [
            {
                "id": int(one),
                "name": ad.adset_name,
                "account": urn,
                "campaignGroup": f"urn:li:sponsoredCampaignGroup:{ad.campaign_id}",
                "status": "ACTIVE",
            }
            for one, ad in campaigns.items()
        ]
        return _write_page(request, found)

    @router.get("/rest/adAnalytics")
    async def read_analytics(request: Request) -> Response:
        enter(request)
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            return refuse_parameter("X-Restli-Protocol-Version 2.0.0 is needed for List(...)")
        asked = parse_analytics(request.scope["query_string"].decode())
        cap = company.faults.take(("row_cap",), "linkedin", request.url.path)
        most = int(cap.number("rows", 100)) if cap else MOST_ROWS
        # Nothing is told, and no error, about an account that one may not see.
        is_own = asked.account_id == LINKEDIN.account_id
        found = list_ad_days(company.seed, ads, asked.since, asked.until, company.now) if is_own else []
        rows = [describe(one, asked.fields) for one in found[:most]]
        company.faults.spoil_records("linkedin", request.url.path, rows, SPOILED)
        return write_json({"elements": rows, "paging": {"start": 0, "count": 10, "links": []}})

    return router


SPOILED = {
    "missing_key": lambda row: row.pop("pivotValues", None),
    "unparsable_date": lambda row: row["dateRange"]["start"].update(month=2, day=30),
}


def _write_page(request: Request, found: list[dict[str, Any]]) -> Response:
    """A page of a search; the next one is asked for by its token, and the last one has none."""
    query = request.query_params
    size, start = query.get("pageSize", "100"), query.get("pageToken", "0")
    if query.get("q") != "search" or not (size.isdigit() and start.isdigit()) or not 0 < int(size) <= MOST_PER_PAGE:
        return refuse_parameter("Invalid query parameters: q=search, pageSize from 1 to 1000 and pageToken are known")
    end = int(start) + int(size)
    metadata = {"nextPageToken": str(end)} if end < len(found) else {}
    return write_json({"elements": [_project(request, one) for one in found[int(start) : end]], "metadata": metadata})


def _project(request: Request, record: dict[str, Any]) -> dict[str, Any]:
    """The asked fields alone, where some are asked for."""
    names = request.query_params.get("fields")
    return record if names is None else {name: record[name] for name in names.split(",") if name in record}
