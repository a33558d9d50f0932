"""Meta's part of the server: the insights edge of one ad account, at once or by a report that is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from sandbox.answers import write_json
from sandbox.company import Company
from sandbox.company.ad_accounts import META
from sandbox.company.ads import list_ad_days, make_ads
from sandbox.company.course import PAST_DAYS
from sandbox.meta.gate import Gate
from sandbox.meta.insights import describe
from sandbox.meta.parameters import Report, parse_report, read_cursor, read_limit, write_cursor
from sandbox.meta.report_runs import Runs

VERSION = "v26.0"


def create_router(company: Company) -> APIRouter:
    """Builds Meta's routes."""
    router, gate, runs = APIRouter(), Gate(company), Runs(company)
    ads = make_ads(company.seed, company.config.start.date() - timedelta(days=PAST_DAYS))
    path = f"/{VERSION}/act_{META.account_id}"

    @router.get(path)
    async def read_account(request: Request) -> Response:
        headers = gate.enter(request)
        facts = {
            "account_id": META.account_id,
            "name": META.name,
            "currency": META.currency,
            "timezone_name": META.zone.key,
            "account_status": 1,
        }
        asked = request.query_params.get("fields", "account_id").split(",")
        answer = {name: facts[name] for name in asked if name in facts} | {"id": f"act_{META.account_id}"}
        return write_json(answer, headers=headers)

    def write_page(request: Request, report: Report, headers: dict[str, str], spoiled: str) -> Response:
        query = request.query_params
        limit, start = read_limit(query.get("limit", "25")), read_cursor(query.get("after"))
        found = list_ad_days(company.seed, ads, report.since, report.until, company.now)
        rows = [describe(one, report.fields) for one in found[start : start + limit]]
        company.faults.spoil_records("meta", spoiled, rows, SPOILED)
        answer: dict[str, Any] = {"data": rows}
        if rows:
            end = start + len(rows)
            cursors = {"before": write_cursor(start), "after": write_cursor(end)}
            answer["paging"] = {"cursors": cursors}
            if end < len(found):
                answer["paging"]["next"] = str(request.url.include_query_params(after=cursors["after"]))
        return write_json(answer, headers=headers)

    def parse(given: Mapping[str, str]) -> Report:
        return parse_report(given, company.now.astimezone(META.zone).date())

    @router.get(f"{path}/insights")
    async def read_insights(request: Request) -> Response:
        headers = gate.enter(request)
        return write_page(request, parse(request.query_params), headers, f"{path}/insights")

    @router.post(f"{path}/insights")
    async def start_run(request: Request) -> Response:
        headers = gate.enter(request)
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        run_id = runs.start(parse({**request.query_params, **form}))
        return write_json({"report_run_id": run_id}, headers=headers)

    @router.get(f"/{VERSION}/{{run_id}}")
    async def read_run(request: Request, run_id: str) -> Response:
        headers = gate.enter(request)
        return write_json(runs.tell(run_id), headers=headers)

    @router.get(f"/{VERSION}/{{run_id}}/insights")
    async def read_result(request: Request, run_id: str) -> Response:
        headers = gate.enter(request)
        return write_page(request, runs.find_done(run_id), headers, f"{path}/insights")

    return router


SPOILED = {
    "missing_key": lambda row: row.pop("ad_id", None),
    "unparsable_date": lambda row: row.update(date_start="2026-02-30"),
}
