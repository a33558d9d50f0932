"""Answers posts of apps and sites: who posts, what is kept of it, and when to come again."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import JSONResponse

from safar.clock import Clock
from safar.errors import SafarError
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.rate_limiting import RateLimits
from safar.intake.settings import IntakeSettings
from safar.intake.tracked_events import AppEvent, CallReader, Unreadable
from safar.intake.tracked_posts import Call, PostTooLarge, read_post
from safar.intake.tracked_storing import store_app_events
from safar.intake.tracked_urls import read_click_ids
from safar.intake.write_keys import WriteKey, find_write_key, read_basic_user
from safar.ledger.tombstones import Hasher
from safar.workspace import Workspace

log = logging.getLogger("safar.intake")

# A page of any site that has a key may post; what the answer says is no secret.
OPEN_TO_PAGES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding",
    "Access-Control-Max-Age": "86400",
}
RETRY_SECONDS = 60


@dataclass(frozen=True)
class TrackedAnswering:
    """What a post of calls needs."""

    settings: IntakeSettings
    reader: CallReader
    hasher: Hasher
    limits: RateLimits
    clock: Clock
    pool: LedgerPool

    @classmethod
    def open(cls, workspace: Workspace, settings: IntakeSettings, pool: LedgerPool) -> TrackedAnswering:
        """Raises:
        ConfigurationError: the key of addresses or the seed of click ids is missing.
        """
        reader = CallReader(settings.late_after, read_click_ids(workspace.settings))
        limits = RateLimits.for_events(settings)
        return cls(settings, reader, Hasher.open(workspace), limits, workspace.clock, pool)

    def answer(self, route: str, body: bytes, headers: Mapping[str, str], network: str) -> JSONResponse:
        """Returns 200 when all that can be read is kept; 429 and 503 ask the sender to come again.

        Server keys are not counted: one machine speaks for everybody.
        """
        offered = read_basic_user(headers.get("authorization"))
        key = find_write_key(self.settings.write_keys, offered)
        if (key is None or key.kind == "client") and (refusal := self.limit(network)) is not None:
            # The key may stand in the body, but a body is not parsed for anybody who asks too often.
            return refusal
        try:
            post = read_post(body, headers.get("content-encoding"), self.settings.event_body_limit_bytes)
            calls = post.list_calls(route)
        except PostTooLarge:
            return self.refuse_large()
        except ValueError as error:
            log.warning("a post of %d bytes to %s is refused: %s", len(body), route, type(error).__name__)
            return refuse(400, "invalid_request", "The body must be a JSON object; of a batch, with a list in batch.")
        key = key or find_write_key(self.settings.write_keys, post.write_key)
        if key is None:
            return refuse(401, "invalid_write_key", "No such write key: give it as the user name of Basic auth.")
        return self._keep(calls, key, headers.get("user-agent"))

    def limit(self, network: str) -> JSONResponse | None:
        """Counts a post; returns 429 when its network sent too many."""
        wait = self.limits.take(network)
        if wait is None:
            return None
        return refuse(429, "too_many_requests", "Too many posts; come again later.", retry_after=math.ceil(wait))

    def refuse_large(self) -> JSONResponse:
        limit = self.settings.event_body_limit_bytes
        return refuse(413, "too_large", f"A post may have {limit} bytes; send the calls in several.")

    def _keep(self, calls: Sequence[Call], key: WriteKey, user_agent: str | None) -> JSONResponse:
        try:
            received_at = self.clock.now()
            events, problems = self._read(calls, key, received_at, user_agent)
            new_count = self.pool.run(
                lambda connection: store_app_events(connection, events, key, received_at, self.hasher)
            )
        except (LedgerUnavailable, SafarError) as error:
            log.error("%d calls of %s must come again: %s", len(calls), key.name, error)
            return refuse(503, "unavailable", "Please post this again later.", retry_after=RETRY_SECONDS)
        log.info("%d calls of %s: %d new, %d unreadable", len(calls), key.name, new_count, len(problems))
        if problems and not events:
            return refuse(400, "invalid_request", f"{problems[0]['message']}.")
        return JSONResponse({"success": True, **({"refused": problems} if problems else {})}, headers=OPEN_TO_PAGES)

    def _read(
        self, calls: Sequence[Call], key: WriteKey, received_at: datetime, user_agent: str | None
    ) -> tuple[list[AppEvent], list[dict[str, Any]]]:
        events: list[AppEvent] = []
        problems: list[dict[str, Any]] = []
        for place, call in enumerate(calls):
            try:
                events.append(self.reader.read(call.type, call.told, key, received_at, user_agent))
            except Unreadable as error:
                problems.append({"index": place, "message": str(error)})
        return events, problems


def refuse(status: int, code: str, message: str, retry_after: int | None = None) -> JSONResponse:
    """A refusal in the form that Segment's libraries read."""
    headers = OPEN_TO_PAGES if retry_after is None else {**OPEN_TO_PAGES, "Retry-After": str(retry_after)}
    return JSONResponse({"success": False, "code": code, "message": message}, status, headers)
