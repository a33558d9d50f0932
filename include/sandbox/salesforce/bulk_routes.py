"""Bulk API 2.0: query jobs, whose results are CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, read_object, reading, write_json
from sandbox.clock import write_seconds
from sandbox.company import Company
from sandbox.company.sales_ids import make_id
from sandbox.salesforce.errors import refuse
from sandbox.salesforce.gate import Gate
from sandbox.salesforce.objects import SPOILED, write_csv_record
from sandbox.salesforce.org import Org
from sandbox.salesforce.query_routes import DATA, parse_or_refuse
from sandbox.salesforce.soql import Query

JOBS = f"{DATA}/jobs/query"
RECORDS_AT_ONCE = 50_000
STEPS = ("UploadComplete", "InProgress", "JobComplete")


@dataclass
class BulkJob:
    """A query that is carried out apart; each look at it brings it one step further."""

    job_id: str
    operation: str
    version: str
    query: Query
    found: list[dict[str, Any]]
    created_at: int
    step: int = 0
    ended: str = ""
    """Aborted or Failed, once it has."""

    @property
    def state(self) -> str:
        return self.ended or STEPS[self.step]

    def describe(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.query.kind,
            "createdById": make_id("User", 0),
            "createdDate": f"{write_seconds(self.created_at)[:19]}.000+0000",
            "systemModstamp": f"{write_seconds(self.created_at)[:19]}.000+0000",
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version.removeprefix("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if self.state == "JobComplete":
            told |= {"numberRecordsProcessed": len(self.found), "retries": 0, "totalProcessingTime": 1200}
        if self.ended == "Failed":
            told["errorMessage"] = "ApiBatchItems Failed: QUERY_TIMEOUT"
        return told


@dataclass
class BulkJobs:
    """All jobs of the org, and what one may do with them."""

    company: Company
    gate: Gate
    org: Org
    _jobs: dict[str, BulkJob] = field(default_factory=dict)
    _number: int = 0

    async def start(self, request: Request, version: str) -> Response:
        headers = self.gate.enter(request)
        wanted = await _read_wanted(request)
        query = parse_or_refuse(wanted["query"])
        async with reading(self.company):
            found = self.org.select(query, with_deleted=wanted["operation"] == "queryAll")
            self._number += 1
            job_id = make_id("Job", self._number)
            job = BulkJob(job_id, wanted["operation"], version, query, found, self.company.seconds)
        self._jobs[job_id] = job
        if self.company.faults.take(("job_failed",), "salesforce", f"/jobs/query/{query.kind}"):
            job.ended = "Failed"
        return write_json(job.describe(), headers=headers)

    async def look_at(self, request: Request, job_id: str) -> Response:
        headers, job = self.gate.enter(request), self._find(job_id)
        answer = write_json(job.describe(), headers=headers)
        job.step = min(job.step + 1, len(STEPS) - 1)
        return answer

    async def abort(self, request: Request, job_id: str) -> Response:
        headers, job = self.gate.enter(request), self._find(job_id)
        if (await read_object(request)).get("state") != "Aborted" or job.state == "JobComplete":
            raise Refused(refuse(400, "INVALIDJOBSTATE", "Only a job that is not complete can be aborted"))
        job.ended = "Aborted"
        return write_json(job.describe(), headers=headers)

    async def forget(self, request: Request, job_id: str) -> Response:
        headers, job = self.gate.enter(request), self._find(job_id)
        del self._jobs[job.job_id]
        return Response(status_code=204, headers=headers)

    async def read_results(self, request: Request, version: str, job_id: str) -> Response:
        headers, job = self.gate.enter(request), self._find(job_id)
        if version != job.version:
            message = "The API version of the results must be that of the job"
            raise Refused(refuse(409, "API_VERSION_MISMATCH", message))
        if job.state != "JobComplete":
            raise Refused(refuse(400, "INVALIDJOBSTATE", f"The job has the state {job.state}, not JobComplete"))
        start = _read_number(request, "locator", 0)
        size = max(1, min(_read_number(request, "maxRecords", RECORDS_AT_ONCE), RECORDS_AT_ONCE))
        states = [dict(state) for state in job.found[start : start + size]]
        self.company.faults.spoil_records("salesforce", f"/jobs/query/{job.query.kind}", states, SPOILED)
        is_last = start + size >= len(job.found)
        headers["Sforce-Locator"] = "null" if is_last else str(start + size)
        headers["Sforce-NumberOfRecords"] = str(len(states))
        return Response(_write_csv(job.query, states), 200, headers, "text/csv; charset=UTF-8")

    def _find(self, job_id: str) -> BulkJob:
        if job_id not in self._jobs:
            raise Refused(refuse(404, "NOT_FOUND", "The requested resource does not exist"))
        return self._jobs[job_id]


def add_bulk_routes(router: APIRouter, company: Company, gate: Gate, org: Org) -> None:
    """Adds the life of a query job."""
    jobs = BulkJobs(company, gate, org)

    @router.post(JOBS)
    async def start_job(request: Request, version: str) -> Response:
        return await jobs.start(request, version)

    @router.get(JOBS + "/{job_id}")
    async def look_at_job(request: Request, version: str, job_id: str) -> Response:
        return await jobs.look_at(request, job_id)

    @router.patch(JOBS + "/{job_id}")
    async def abort_job(request: Request, version: str, job_id: str) -> Response:
        return await jobs.abort(request, job_id)

    @router.delete(JOBS + "/{job_id}")
    async def forget_job(request: Request, version: str, job_id: str) -> Response:
        return await jobs.forget(request, job_id)

    @router.get(JOBS + "/{job_id}/results")
    async def read_results(request: Request, version: str, job_id: str) -> Response:
        return await jobs.read_results(request, version, job_id)


async def _read_wanted(request: Request) -> dict[str, str]:
    try:
        wanted = await read_object(request)
    except ValueError as error:
        raise Refused(refuse(400, "JSON_PARSER_ERROR", str(error))) from error
    if wanted.get("operation") not in ("query", "queryAll") or not isinstance(wanted.get("query"), str):
        raise Refused(refuse(400, "INVALIDJOB", "operation must be query or queryAll, and query a text"))
    for name, only in (("contentType", "CSV"), ("columnDelimiter", "COMMA"), ("lineEnding", "LF")):
        if wanted.get(name, only) != only:
            raise Refused(refuse(400, "INVALIDJOB", f"{name} is simulated as {only} alone"))
    return wanted


def _read_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if text and not text.isdigit():
        raise Refused(refuse(400, "INVALID_QUERY_LOCATOR", f"{name} must be a value that these results have given"))
    return int(text) if text else default


def _write_csv(query: Query, states: list[dict[str, Any]]) -> str:
    """Every value in quotes, as the vendor writes them; the header line on each page."""
    text = io.StringIO()
    lines = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    lines.writerow(query.names)
    lines.writerows(write_csv_record(query.kind, query.names, state) for state in states)
    return text.getvalue()
