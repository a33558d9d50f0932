"""Meta's part of the server: the insights edge of one ad account."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, bearer_token, write_json
from sandbox.company import Company
from sandbox.company.ads import ACCOUNT_ID, ACCOUNT_NAME, ACCOUNT_ZONE, make_ads
from sandbox.company.course import PAST_DAYS
from sandbox.meta.errors import refuse_pace, refuse_parameter, refuse_token
from sandbox.meta.insights import CURRENCY, DEFAULT, FIELDS, describe, list_ad_days
from sandbox.throttle import RollingWindow

VERSION = "v26.0"
MOST_ROWS = 5000
MOST_DAYS = 37 * 30
CALLS_PER_HOUR = 600 + 400 * 24
"""600 and 400 for each active ad."""


@dataclass
class Gate:
    """One system user's door: its token, and the account's calls within an hour."""

    company: Company
    _calls: RollingWindow = field(default_factory=lambda: RollingWindow(CALLS_PER_HOUR, 3600))

    def enter(self, request: Request) -> dict[str, str]:
        """Lets a call in and returns its usage headers.

        Raises:
            Refused: wrong token or too many calls.
        """
        token = request.query_params.get("access_token") or bearer_token(request)
        if token != self.company.config.secrets.meta_token:
            raise Refused(refuse_token())
        if self.company.limits.are_on("meta") and not self._calls.take():
            response = refuse_pace()
            response.headers.update(self._describe(minutes=5))
            raise Refused(response)
        return self._describe(minutes=0)

    def _describe(self, minutes: int) -> dict[str, str]:
        percent = 100 - self._calls.remaining * 100 // CALLS_PER_HOUR
        usage = {
            "type": "ads_insights",
            "call_count": percent,
            "total_cputime": percent // 2,
            "total_time": percent // 2,
            "estimated_time_to_regain_access": minutes,
        }
        throttle = {"app_id_util_pct": percent, "acc_id_util_pct": percent, "ads_api_access_tier": "standard_access"}
        return {
            "X-Business-Use-Case-Usage": json.dumps({ACCOUNT_ID: [usage]}),
            "X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": percent}),
            "X-Fb-Ads-Insights-Throttle": json.dumps(throttle),
        }


def create_router(company: Company) -> APIRouter:
    """Builds Meta's routes."""
    router, gate = APIRouter(), Gate(company)
    ads = make_ads(company.seed, company.config.start.date() - timedelta(days=PAST_DAYS))
    path = f"/{VERSION}/act_{ACCOUNT_ID}"

    @router.get(path)
    async def read_account(request: Request) -> Response:
        headers = gate.enter(request)
        facts = {
            "account_id": ACCOUNT_ID,
            "name": ACCOUNT_NAME,
            "currency": CURRENCY,
            "timezone_name": ACCOUNT_ZONE.key,
            "account_status": 1,
        }
        asked = request.query_params.get("fields", "account_id").split(",")
        answer = {name: facts[name] for name in asked if name in facts} | {"id": f"act_{ACCOUNT_ID}"}
        return write_json(answer, headers=headers)

    @router.get(f"{path}/insights")
    async def read_insights(request: Request) -> Response:
        headers = gate.enter(request)
        query = request.query_params
        fields = _read_fields(query.get("fields"))
        _require_daily_ads(query.get("level"), query.get("time_increment"))
        since, until = _read_range(query.get("time_range"), company.now.astimezone(ACCOUNT_ZONE).date())
        limit, start = _read_limit(query.get("limit", "25")), _read_cursor(query.get("after"))
        found = list_ad_days(company.seed, ads, since, until, company.now)
        rows = [describe(one, fields) for one in found[start : start + limit]]
        company.faults.spoil_records("meta", f"{path}/insights", rows, SPOILED)
        answer: dict[str, Any] = {"data": rows}
        if rows:
            end = start + len(rows)
            cursors = {"before": _write_cursor(start), "after": _write_cursor(end)}
            answer["paging"] = {"cursors": cursors}
            if end < len(found):
                answer["paging"]["next"] = str(request.url.include_query_params(after=cursors["after"]))
        return write_json(answer, headers=headers)

    return router


SPOILED = {
    "missing_key": lambda row: row.pop("ad_id", None),
    "unparsable_date": lambda row: row.update(date_start="2026-02-30"),
}


def _read_fields(text: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip()) or DEFAULT
    for name in names:
        if name not in FIELDS:
            raise Refused(refuse_parameter(f"{name} is not valid for fields param"))
    return names


def _require_daily_ads(level: str | None, increment: str | None) -> None:
    if level != "ad":
        raise Refused(refuse_parameter("This account is simulated at level=ad alone; ask for level=ad"))
    if increment != "1":
        raise Refused(refuse_parameter("This account is simulated by the day alone; ask for time_increment=1"))


def _read_range(text: str | None, today: date) -> tuple[date, date]:
    if not text:
        return today - timedelta(days=30), today - timedelta(days=1)
    try:
        wanted = json.loads(text)
        since, until = date.fromisoformat(wanted["since"]), date.fromisoformat(wanted["until"])
    except (ValueError, KeyError, TypeError) as error:
        message = "param time_range must be a JSON object with since and until as YYYY-MM-DD"
        raise Refused(refuse_parameter(message)) from error
    if since > until:
        raise Refused(refuse_parameter("The since date cannot be after the until date", 1487124))
    if since < today - timedelta(days=MOST_DAYS):
        message = "The start date of the time range cannot be beyond 37 months from the current date"
        raise Refused(refuse_parameter(message, 3018))
    return since, min(until, today)


def _read_limit(text: str) -> int:
    limit = int(text) if text.isdigit() else 0
    if limit < 1:
        raise Refused(refuse_parameter("param limit must be a number above 0"))
    if limit > MOST_ROWS:
        message = "Please reduce the amount of data you're asking for, then retry your request"
        raise Refused(refuse_parameter(message, 1487534))
    return limit


def _write_cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=") or "MAZDZD"


def _read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise Refused(refuse_parameter("Invalid cursors values")) from error
