"""Who may call HubSpot's API, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request

from sandbox.answers import Refused, bearer_token
from sandbox.company import Company
from sandbox.hubspot.errors import refuse_pace, refuse_token
from sandbox.throttle import RollingWindow

CALLS, WINDOW_SECONDS = 190, 10
DAILY_CALLS = 650_000
SEARCHES_PER_SECOND = 5


@dataclass
class Gate:
    """One private app's door: its token, 190 calls in 10 seconds, and 5 searches a second."""

    company: Company
    _calls: RollingWindow = field(default_factory=lambda: RollingWindow(CALLS, WINDOW_SECONDS))
    _searches: RollingWindow = field(default_factory=lambda: RollingWindow(SEARCHES_PER_SECOND, 1))
    _calls_today: int = 0

    def enter(self, request: Request, is_search: bool = False) -> dict[str, str]:
        """Lets a call in and returns its rate-limit headers; a search's answer has none.

        Raises:
            Refused: wrong token (401) or too many calls (429).
        """
        if bearer_token(request) != self.company.config.secrets.hubspot_token:
            raise Refused(refuse_token())
        if self.company.limits.are_on("hubspot"):
            self._count(is_search)
        self._calls_today += 1
        return {} if is_search else self._describe()

    def _count(self, is_search: bool) -> None:
        if is_search and self._searches.remaining == 0:
            raise Refused(refuse_pace("SECONDLY", "You have reached your secondly limit."))
        if not self._calls.take():
            raise Refused(refuse_pace("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."))
        if is_search:
            self._searches.take()

    def _describe(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(CALLS),
            "X-HubSpot-RateLimit-Remaining": str(self._calls.remaining),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW_SECONDS * 1000),
            "X-HubSpot-RateLimit-Daily": str(DAILY_CALLS),
            "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY_CALLS - self._calls_today),
        }
