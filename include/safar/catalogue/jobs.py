"""Rows that come from a job at the vendor: started, waited for, then fetched by the endpoint that names it.

The endpoint's own request is the one that fetches the result. It and the requests of the job know ``{job.id}``,
and the endpoint also ``{job.<name>}`` for each name under ``keep``::

    endpoint:
      path: /jobs/query/{job.id}/results
      format: csv
      next_page: {header: Sforce-Locator, param: locator, last: ["null"]}
      job:
        start: {path: /jobs/query, json: {operation: query, query: "select ..."}}
        id: id
        poll: {path: "/jobs/query/{job.id}", method: GET}
        state: state
        running: [UploadComplete, InProgress]
        done: [JobComplete]
        failed: [Failed, Aborted]

A load that dies while a job runs has landed nothing and kept nothing: the next one starts a job of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from safar.catalogue.duration import Duration
from safar.catalogue.frozen import Frozen

States = tuple[str, ...]


class JobRequest(Frozen):
    """One request of a job's life; ``{job.id}`` stands for its id once it has one."""

    path: str
    method: Literal["GET", "POST", "PATCH", "DELETE"] = "POST"
    params: dict[str, Any] = Field(default_factory=dict)
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    headers: dict[str, str] = Field(default_factory=dict)


class Job(Frozen):
    """What the vendor does before there is a result. Paths are dotted and lead into the body of an answer."""

    start: JobRequest
    id: str
    """Where in the answer to ``start`` the job's id stands."""
    refused: str | None = None
    """Where that answer, though good, may say why no job was started."""
    busy: tuple[str, ...] = ()
    """Words of such a refusal by which another job is still running; we wait for it and ask again."""
    poll: JobRequest
    state: str
    """Where in the answer to ``poll`` the state stands; one that is listed nowhere below is an error."""
    running: States
    done: States
    failed: States
    anew: States = ()
    """States in which the vendor has dropped the job, and another may be started in its place."""
    starts: int = Field(default=3, gt=0)
    """At most so many jobs, the first one counted."""
    problem: str | None = None
    """Where in the answer to ``poll`` the vendor says why a job failed."""
    every: Duration = timedelta(seconds=5)
    """Between two polls. The first waits are shorter, so that small jobs are not slept through."""
    longest: Duration = timedelta(hours=2)
    """How long we wait in all before we give the job up."""
    cancel: JobRequest | None = None
    """Sent for a job that we give up, so that it does not run on for nobody."""
    count: str | None = None
    """Where in the last answer to ``poll`` stands how many records (JSON lines: lines) the result has. None of them:
    it is not fetched. Fewer than that: an error, and nothing is landed."""
    keep: dict[str, str] = Field(default_factory=dict)
    """Name -> where in the last answer to ``poll`` its value stands, for ``{job.<name>}`` in the endpoint."""

    @field_validator("keep")
    @classmethod
    def _id_is_taken(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in value if name == "id" or not name.isidentifier() or name.lower() != name]
        if wrong:
            raise ValueError(f"{wrong[0]!r} cannot be kept; choose another name of small letters and underscores")
        return value

    @model_validator(mode="after")
    def _states_differ(self) -> Job:
        states = [*self.running, *self.done, *self.failed, *self.anew]
        twice = sorted({state for state in states if states.count(state) > 1})
        if twice:
            raise ValueError(f"the state {twice[0]!r} stands in two lists; a state means one thing")
        return self


class NextPage(Frozen):
    """How the pages of a result that is a file follow each other."""

    header: str
    """The header of an answer that names the next page."""
    param: str
    """The query parameter by which that page is asked for."""
    last: tuple[str, ...] = ()
    """Values of the header that mean: this was the last page. So does the header's absence."""


class Nesting(Frozen):
    """JSON lines whose children stand on lines of their own, after their parent's and before the next parent's."""

    parent: str = "__parentId"
    """The field of a child that holds its parent's id."""
    id: str = "id"
    """The field that parents are known by."""
    into: dict[str, str]
    """Dotted path in the parent, where the list of these children is put -> how their ids begin (empty: all).
    A parent without children gets empty lists, as it would from a query that pages."""
