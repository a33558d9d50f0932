"""Stays just below a vendor's published rate, so that its calls are used and none is refused."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from safar.catalogue.fetching import RateLimit

REMEMBERED = 10_000
"""Calls that we remember while the vendor has not told its limit."""


class Pacer:
    """Lets at most ``requests`` calls begin in any ``per`` seconds; safe between threads.

    The limit is the one that the vendor's headers tell, or the declared one while none has been told.
    """

    def __init__(
        self,
        limit: RateLimit | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = limit
        self._requests = limit.requests if limit else None
        self._per = limit.per.total_seconds() if limit else 0.0
        self._clock = clock
        self._sleep = sleep
        self._remaining = 0
        self._begun: deque[float] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Blocks until one more call may begin."""
        with self._lock:
            if self._limit is None:
                return
            while self._must_wait():
                rest = self._begun[0] + self._per - self._clock()
                if rest <= 0:
                    self._begun.popleft()
                else:
                    self._sleep(rest)
            self._begun.append(self._clock())
            self._remaining = max(0, self._remaining - 1)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes over the limit that an answer's headers tell, when the source names such headers."""
        if self._limit is None:
            return
        requests = _read_number(headers, self._limit.requests_header)
        per_ms = _read_number(headers, self._limit.per_ms_header)
        with self._lock:
            if requests is not None and per_ms is not None:
                self._requests, self._per = max(1, requests), per_ms / 1000
            self._remaining = _read_number(headers, self._limit.remaining_header) or 0

    def _must_wait(self) -> bool:
        return self._remaining == 0 and self._requests is not None and len(self._begun) >= self._requests


def _read_number(headers: Mapping[str, str], name: str | None) -> int | None:
    text = headers.get(name, "") if name else ""
    return int(text) if text.isdigit() else None
