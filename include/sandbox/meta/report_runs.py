"""Reports that Meta runs in its own time: done when they say "Job Completed", not when they say 100 percent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.answers import Refused
from sandbox.company import Company
from sandbox.company.ad_accounts import META
from sandbox.faults import declare_fault
from sandbox.meta.errors import refuse, refuse_parameter
from sandbox.meta.parameters import Report

FIRST_RUN = 6_040_000_000_000
STATES = (("Job Not Started", 0), ("Job Running", 40), ("Job Running", 100), ("Job Completed", 100))

declare_fault("job_failed", "Meta's report run ends with Job Failed, `message` saying why.", vendor="meta")
declare_fault(
    "job_skipped",
    "Meta's report run ends with Job Skipped: it stood too long and has to be started anew.",
    vendor="meta",
)


@dataclass
class Run:
    """One report that was started."""

    report: Report
    asked: int = 0
    """How often somebody asked how far it is."""
    ends_as: str = ""
    """How it ends when not well."""
    message: str = ""


class Runs:
    """The reports started since the server began."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._runs: dict[str, Run] = {}

    def start(self, report: Report) -> str:
        """Starts a run and returns its id."""
        run = Run(report)
        fault = self._company.faults.take(("job_failed", "job_skipped"), "meta", "/insights")
        if fault is not None:
            run.ends_as = {"job_failed": "Job Failed", "job_skipped": "Job Skipped"}[fault.name]
            run.message = str(fault.options.get("message", "Please reduce the amount of data you're asking for"))
        run_id = str(FIRST_RUN + len(self._runs))
        self._runs[run_id] = run
        return run_id

    def tell(self, run_id: str) -> dict[str, Any]:
        """How far a run is; each question finds it a step further."""
        run = self._find(run_id)
        state, percent = STATES[min(run.asked, len(STATES) - 1)]
        run.asked += 1
        told = {"id": run_id, "account_id": META.account_id, "async_percent_completion": percent}
        if run.ends_as and state == "Job Completed":
            return {**told, "async_status": run.ends_as, "error_code": 100, "error_message": run.message}
        return {**told, "async_status": state}

    def find_done(self, run_id: str) -> Report:
        """The report of a run that was completed.

        Raises:
            Refused: it was not.
        """
        run = self._find(run_id)
        if run.asked < len(STATES) or run.ends_as:
            raise Refused(refuse(400, 2601, "Error loading async report: the job has not completed", 1815107))
        return run.report

    def _find(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise Refused(refuse_parameter(f"Object with ID '{run_id}' does not exist", 33))
        return self._runs[run_id]
