"""Jobs at a vendor: started, waited for, started anew where the vendor dropped them, cancelled when given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safar.catalogue.fetching import Endpoint
from safar.catalogue.jobs import Job, JobRequest
from safar.errors import SafarError
from safar.extraction.client import VendorClient
from safar.extraction.paths import look_up
from safar.extraction.placeholders import fill_placeholders

FIRST_WAIT = 0.25
"""Seconds before the first poll; doubled each time up to the declared interval."""


@dataclass(frozen=True)
class JobResult:
    """A job that is done."""

    known: Mapping[str, Any]
    """Placeholders for the endpoint that fetches the result: ``job.id`` and what the job keeps."""
    count: int | None
    """How many records or lines the vendor says there are; None when it does not."""


def run_job(client: VendorClient, table: str, endpoint: Endpoint, known: Mapping[str, Any]) -> JobResult:
    """Starts the endpoint's job and waits until it is done.

    Raises:
        SafarError: it was refused, failed or took too long; the message says what the vendor told.
    """
    assert endpoint.job is not None
    run = _JobRun(client, table, endpoint.job, known, endpoint)
    for _ in range(endpoint.job.starts):
        run.start()
        result = run.await_end()
        if result is not None:
            return result
    raise run.fail(f"was dropped {endpoint.job.starts} times by the vendor", "Run the load again later.")


@dataclass
class _JobRun:
    client: VendorClient
    table: str
    job: Job
    known: Mapping[str, Any]
    endpoint: Endpoint
    waited: float = 0.0
    """Seconds in all."""
    job_id: str = ""

    def start(self) -> None:
        wait = FIRST_WAIT
        while True:
            answer = self.ask(self.job.start)
            refusal = look_up(answer, self.job.refused) if self.job.refused else None
            if not refusal:
                break
            told = _shorten(refusal)
            if not any(words in told for words in self.job.busy):
                raise self.fail(f"was not started: {told}", "Compare `job.start` with it.")
            wait = self.rest(wait, f"was not started: {told}")
        job_id = look_up(answer, self.job.id)
        if job_id in (None, ""):
            raise self.fail(f"was started, but the answer has no {self.job.id!r}", "Compare `job.id` with it.")
        self.job_id = str(job_id)

    def await_end(self) -> JobResult | None:
        """The result, or None when the vendor dropped the job."""
        wait = FIRST_WAIT
        try:
            while True:
                answer = self.ask(self.job.poll)
                state = str(look_up(answer, self.job.state))
                if state not in self.job.running:
                    break
                wait = self.rest(wait, f"still has the state {state!r}")
        except BaseException:
            self.cancel()
            raise
        if state in self.job.done:
            return self.describe(answer)
        if state in self.job.anew:
            return None
        why = look_up(answer, self.job.problem) if self.job.problem else None
        told = f": {_shorten(why)}" if why else ""
        if state in self.job.failed:
            raise self.fail(f"ended with the state {state!r}{told}", "Compare `job.start` with what the vendor tells.")
        raise self.fail(f"has the state {state!r}, which no list names{told}", "Add it to running, done or failed.")

    def describe(self, answer: Any) -> JobResult:
        kept = {f"job.{name}": look_up(answer, path) for name, path in self.job.keep.items()}
        count = look_up(answer, self.job.count) if self.job.count else None
        try:
            return JobResult({"job.id": self.job_id, **kept}, None if count is None else int(count))
        except (TypeError, ValueError):
            raise self.fail(f"tells no number at {self.job.count!r}", "Compare `job.count` with it.") from None

    def rest(self, wait: float, why: str) -> float:
        """Waits, and returns how long to wait next time."""
        if self.waited >= self.job.longest.total_seconds():
            raise self.fail(f"{why} after {self.waited:.0f} seconds", "Run the load again, or raise `job.longest`.")
        wait = min(wait, self.job.every.total_seconds())
        self.client.session.patience.sleep(wait)
        self.waited += wait
        return wait * 2

    def cancel(self) -> None:
        """Tells the vendor that nobody waits any more; what it answers changes nothing for us."""
        if self.job.cancel is not None:
            try:
                self.ask(self.job.cancel)
            except SafarError:
                return

    def ask(self, request: JobRequest) -> Any:
        filled = {**self.client.known, **self.known, "job.id": self.job_id}
        self.client.pace(self.endpoint)
        response = self.client.rest.request(
            path=fill_placeholders(request.path, filled),
            method=request.method,
            params=fill_placeholders(request.params, filled) or None,
            json=fill_placeholders(request.json_, filled),
            headers=fill_placeholders(request.headers, filled) or None,
        )
        return response.json() if response.content else None

    def fail(self, what: str, remedy: str) -> SafarError:
        source = self.client.source
        name = f"job {self.job_id}" if self.job_id else "the job"
        return SafarError(f"{source.name}.{self.table}: {name} {what}. Nothing was landed. {remedy} See {source.file}.")


def _shorten(told: Any) -> str:
    return " ".join(str(told).split())[:300]
