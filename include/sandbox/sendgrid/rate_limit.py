"""The vendor's limit of calls."""

from __future__ import annotations

import threading
import time

from sandbox.sendgrid.errors import too_many_requests

CALLS_PER_WINDOW = 600
WINDOW_SECONDS = 60


class RateLimit:
    """Calls per endpoint and minute of wall time; mail/send is not counted, as at the vendor."""

    def __init__(self, limit: int = CALLS_PER_WINDOW) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def count(self, endpoint: str, is_on: bool, limit: int | None = None) -> dict[str, str]:
        """Counts one call and gives its headers.

        Args:
            limit: the endpoint's own, where it has one.

        Raises:
            SendGridError: 429 until the window's end.
        """
        limit = self.limit if limit is None else limit
        window = int(time.time()) // WINDOW_SECONDS
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[endpoint] = used = self._counts.get(endpoint, 0) + 1
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used)),
            "X-RateLimit-Reset": str((window + 1) * WINDOW_SECONDS),
        }
        if is_on and used > limit:
            raise too_many_requests(headers)
        return headers
