"""TikTok's part of the server: an advertiser and its reports."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused
from sandbox.company import Company
from sandbox.company.ad_accounts import TIKTOK
from sandbox.company.ads import list_ad_days, make_ads
from sandbox.company.course import PAST_DAYS
from sandbox.throttle import RollingWindow
from sandbox.tiktok.errors import refuse, refuse_pace, refuse_token, write_envelope
from sandbox.tiktok.report import describe, parse_report

PREFIX = "/open_api/v1.3"
CALLS_PER_SECOND = 10


def create_router(company: Company) -> APIRouter:
    """Builds TikTok's routes."""
    router, calls = APIRouter(), RollingWindow(CALLS_PER_SECOND, 1)
    ads = make_ads(company.seed, company.config.start.date() - timedelta(days=PAST_DAYS), TIKTOK)

    def enter(request: Request) -> None:
        if request.headers.get("access-token") != company.config.secrets.tiktok_token:
            raise Refused(refuse_token())
        if company.limits.are_on("tiktok") and not calls.take():
            raise Refused(refuse_pace())

    @router.get(f"{PREFIX}/advertiser/info/")
    async def read_advertiser(request: Request) -> Response:
        enter(request)
        try:
            asked = json.loads(request.query_params.get("advertiser_ids", ""))
            fields = json.loads(request.query_params.get("fields", '["advertiser_id", "name", "currency", "timezone"]'))
        except ValueError:
            return refuse(40002, "advertiser_ids: Not a valid list.")
        _require_own(asked)
        facts = {
            "advertiser_id": TIKTOK.account_id,
            "name": TIKTOK.name,
            "currency": TIKTOK.currency,
            "timezone": TIKTOK.zone.key,
            "status": "STATUS_ENABLE",
        }
        return write_envelope({"list": [{name: facts[name] for name in fields if name in facts}]})

    @router.get(f"{PREFIX}/report/integrated/get/")
    async def read_report(request: Request) -> Response:
        enter(request)
        query = request.query_params
        if "advertiser_id" not in query:
            return refuse(40002, "advertiser_id: Missing data for required field.")
        _require_own([query["advertiser_id"]])
        report = parse_report(query)
        found = list_ad_days(company.seed, ads, report.since, report.until, company.now)
        start = (report.page - 1) * report.page_size
        rows = [describe(one, report) for one in found[start : start + report.page_size]]
        company.faults.spoil_records("tiktok", request.url.path, rows, SPOILED)
        pages = {
            "page": report.page,
            "page_size": report.page_size,
            "total_number": len(found),
            "total_page": -(-len(found) // report.page_size),
        }
        return write_envelope({"list": rows, "page_info": pages})

    return router


SPOILED = {
    "missing_key": lambda row: row["dimensions"].pop("ad_id", None),
    "unparsable_date": lambda row: row["dimensions"].update(stat_time_day="2026-02-30 00:00:00"),
}


def _require_own(advertisers: Any) -> None:
    others = [one for one in advertisers if str(one) != TIKTOK.account_id]
    if others or not advertisers:
        raise Refused(refuse(40001, f"No permission to operate advertisers: {', '.join(map(str, others))}"))
