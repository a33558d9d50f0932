"""Fetches SendGrid's suppression lists: what its events may have failed to tell us."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import orjson
from python_http_client.exceptions import HTTPError

from safar.delivery.sendgrid_client import open_reader
from safar.errors import SafarError
from safar.feedback.settings import SENDGRID
from safar.workspace import Workspace

PAGE_SIZE = 500
ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class SuppressionList:
    """One of the provider's lists, and why its addresses are not written to."""

    name: str
    reason: str

    @property
    def origin(self) -> str:
        return f"{SENDGRID}_{self.name}"


# Not among them: blocks, which are a server's mood of the hour and stop no later mail.
LISTS = (
    SuppressionList("bounces", "hard_bounce"),
    SuppressionList("invalid_emails", "invalid_address"),
    SuppressionList("spam_reports", "complaint"),
    SuppressionList("unsubscribes", "unsubscribed"),
)


@dataclass(frozen=True)
class Suppressed:
    """One row of a list. ``email`` is personal data: hash it before it goes anywhere."""

    email: str
    created_at: datetime


class SuppressionReader:
    """Reads the lists through the vendor's SDK, at the host of connection sendgrid."""

    def __init__(self, workspace: Workspace, sleep: Callable[[float], None] = time.sleep) -> None:
        connection = workspace.connections.get(SENDGRID)
        self._client = open_reader(workspace.settings, connection)
        self._sleep = sleep

    def read(self, name: str, since: datetime, until: datetime) -> Iterator[list[Suppressed]]:
        """Yields the pages of what was put on the list from ``since`` up to ``until``, both included.

        The window is closed before the first page is asked for, so that new rows do not move the later pages.

        Raises:
            SafarError: the provider refuses, or does not answer after some attempts.
        """
        offset = 0
        window = {"start_time": int(since.timestamp()), "end_time": int(until.timestamp()), "limit": PAGE_SIZE}
        while True:
            rows = self._ask(name, {**window, "offset": offset})
            yield [_read_row(name, row) for row in rows]
            if len(rows) < PAGE_SIZE:
                return
            offset += len(rows)

    def _ask(self, name: str, query: dict[str, int]) -> list[Any]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                rows = orjson.loads(self._client.suppression._(name).get(query_params=query).body)
            except HTTPError as error:
                if error.status_code != 429 and error.status_code < 500:
                    raise SafarError(
                        f"SendGrid refused to list suppression/{name} with status {error.status_code}. "
                        "Check that the API key in connection sendgrid may read suppressions."
                    ) from error
                self._await_next(name, attempt, error)
                continue
            except (HTTPException, OSError) as error:
                self._await_next(name, attempt, error)
                continue
            except ValueError as error:
                raise SafarError(f"SendGrid's suppression/{name} answered something that is not JSON.") from error
            if isinstance(rows, list):
                return rows
            raise SafarError(f"SendGrid's suppression/{name} answered something that is no list.")
        raise AssertionError("unreachable: the last attempt raises")

    def _await_next(self, name: str, attempt: int, error: Exception) -> None:
        if attempt == ATTEMPTS:
            raise SafarError(
                f"SendGrid's suppression/{name} did not answer {ATTEMPTS} times ({type(error).__name__}). "
                "What was fetched is kept; run collect_feedback again later."
            ) from error
        self._sleep(find_wait(error, attempt, datetime.now(UTC)))


def find_wait(error: Exception, attempt: int, now: datetime) -> float:
    """Returns how many seconds to wait: until the provider's limit is reset, else longer each time."""
    headers = getattr(error, "headers", None) or {}
    try:
        reset = float(headers["X-RateLimit-Reset"]) - now.timestamp()
    except (KeyError, TypeError, ValueError):
        reset = 0.0
    if 0 < reset <= LONGEST_WAIT_SECONDS:
        return reset
    return min(float(2**attempt), LONGEST_WAIT_SECONDS)


def choose_since(newest_known: datetime | None, overlap: timedelta) -> datetime:
    """Returns where to begin: a little before the newest row known, or with the list's first."""
    return newest_known - overlap if newest_known else datetime.fromtimestamp(0, UTC)


def _read_row(name: str, row: Any) -> Suppressed:
    try:
        return Suppressed(str(row["email"]), datetime.fromtimestamp(int(row["created"]), UTC))
    except (KeyError, TypeError, ValueError) as error:
        raise SafarError(f"A row of SendGrid's suppression/{name} has no email or no created time.") from error
