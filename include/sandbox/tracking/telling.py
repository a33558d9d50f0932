"""Posts what happened to its collector, in batches, and keeps what was not taken until the next hour."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

import orjson

from sandbox.clock import to_seconds, write_moment
from sandbox.company import Company
from sandbox.sendgrid.reach import Caller
from sandbox.tracking.traffic import draw_hour
from sandbox.tracking.visits import Call

BATCH = 400
KEPT_BATCHES = 500
REPEATED_HOURS = 6
"""Every so many hours the answer to a post is lost on its way, and the library posts it again."""


@dataclass(frozen=True)
class Collector:
    """Where events go, and by which write keys."""

    url: str
    page_key: str
    server_key: str


@dataclass(frozen=True)
class Waiting:
    """A batch that was not taken yet."""

    key: str
    calls: list[Call]


class Teller:
    """The libraries in the company's pages, app and server."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._caller = Caller()
        self._waiting: list[Waiting] = []
        self.collector: Collector | None = None
        self.told_count = 0
        """Calls that the collector has taken, each counted once."""
        company.register_due_work(self.tell)

    @property
    def waiting_count(self) -> int:
        return sum(len(batch.calls) for batch in self._waiting)

    def tell(self, start: datetime, stop: datetime) -> None:
        """Tells of a piece of the day, once it is over."""
        if self.collector is None:
            return
        with self._company.lock:
            told = draw_hour(self._company, to_seconds(start), to_seconds(stop))
        for key, calls in ((self.collector.page_key, told.by_pages), (self.collector.server_key, told.by_server)):
            self._waiting += [Waiting(key, calls[at : at + BATCH]) for at in range(0, len(calls), BATCH)]
        del self._waiting[:-KEPT_BATCHES]
        self._waiting = [batch for batch in self._waiting if not self._post(self.collector, batch, stop)]

    def _post(self, collector: Collector, batch: Waiting, now: datetime) -> bool:
        body = orjson.dumps({"batch": batch.calls, "sentAt": write_moment(now)})
        user = b64encode(f"{batch.key}:".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {user}", "User-Agent": "safar-shop/1"}
        times = 2 if now.hour % REPEATED_HOURS == 0 else 1
        statuses = [self._caller.post(f"{collector.url}/v1/batch", body, headers) for _ in range(times)]
        if 200 not in statuses:
            return False
        self.told_count += len(batch.calls)
        return True
