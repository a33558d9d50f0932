"""SOQL over REST: query and queryAll, page by page."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.company import Company
from sandbox.company.sales_ids import make_id
from sandbox.salesforce.errors import refuse
from sandbox.salesforce.gate import Gate
from sandbox.salesforce.objects import SPOILED, write_json_record
from sandbox.salesforce.org import Org
from sandbox.salesforce.soql import Query, SoqlFault, parse_soql

DATA = "/services/data/{version}"
SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
KEPT_QUERIES = 10
"""Open queries that the vendor keeps for one user."""


@dataclass
class OpenQueries:
    """Queries whose next pages may still be asked for; the oldest is forgotten."""

    _kept: OrderedDict[str, tuple[Query, list[dict[str, Any]], int]] = field(default_factory=OrderedDict)
    _number: int = 0

    def keep(self, query: Query, found: list[dict[str, Any]], size: int) -> str:
        self._number += 1
        name = make_id("Query", self._number)
        self._kept[name] = (query, found, size)
        if len(self._kept) > KEPT_QUERIES:
            self._kept.popitem(last=False)
        return name

    def find(self, name: str) -> tuple[Query, list[dict[str, Any]], int] | None:
        return self._kept.get(name)


def parse_or_refuse(text: str) -> Query:
    """Raises:
    Refused: the vendor would not take this query.
    """
    try:
        return parse_soql(text)
    except SoqlFault as fault:
        raise Refused(refuse(400, fault.code, str(fault))) from fault


def add_query_routes(router: APIRouter, company: Company, gate: Gate, org: Org) -> None:
    """Adds query and queryAll."""
    queries = OpenQueries()

    def show(name: str, start: int, kept: tuple[Query, list[dict[str, Any]], int], place: str) -> dict[str, Any]:
        query, found, size = kept
        version = place.rsplit("/", 1)[-1]
        states = [dict(state) for state in found[start : start + size]]
        company.faults.spoil_records("salesforce", f"/query/{query.kind}", states, SPOILED)
        answer: dict[str, Any] = {"totalSize": len(found), "done": start + size >= len(found)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{place}/query/{name}-{start + size}"
        return answer | {"records": [write_json_record(query.kind, query.names, state, version) for state in states]}

    async def ask(request: Request, version: str, *, with_deleted: bool) -> Response:
        headers = gate.enter(request)
        query = parse_or_refuse(request.query_params.get("q", ""))
        async with reading(company):
            found = org.select(query, with_deleted=with_deleted)
            size = _read_size(request)
            name = queries.keep(query, found, size) if len(found) > size else ""
            answer = show(name, 0, (query, found, size), _find_place(request, version))
        return write_json(answer, headers=headers)

    @router.get(f"{DATA}/query")
    @router.get(f"{DATA}/query/")
    async def ask_living(request: Request, version: str) -> Response:
        return await ask(request, version, with_deleted=False)

    @router.get(f"{DATA}/queryAll")
    @router.get(f"{DATA}/queryAll/")
    async def ask_all(request: Request, version: str) -> Response:
        return await ask(request, version, with_deleted=True)

    @router.get(f"{DATA}/query/{{locator}}")
    @router.get(f"{DATA}/queryAll/{{locator}}")
    async def ask_next(request: Request, version: str, locator: str) -> Response:
        headers = gate.enter(request)
        name, _, start = locator.rpartition("-")
        kept = queries.find(name) if start.isdigit() else None
        if kept is None or company.faults.take(("query_forgotten",), "salesforce", f"/query/{kept[0].kind}"):
            raise Refused(refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))
        async with reading(company):
            answer = show(name, int(start), kept, _find_place(request, version))
        return write_json(answer, headers=headers)


def _find_place(request: Request, version: str) -> str:
    """The path of the version's resources on this host."""
    return request.url.path.split("/services/", 1)[0] + f"/services/data/{version}"


def _read_size(request: Request) -> int:
    told = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
    return min(max(int(told[1]), SMALLEST_PAGE), LARGEST_PAGE) if told else LARGEST_PAGE
