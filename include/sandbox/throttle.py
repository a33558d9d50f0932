"""How vendors count calls. By wall time, as clients wait by wall time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


class Limits:
    """Which vendors throttle at present; POST /limits changes it."""

    def __init__(self, are_on: bool) -> None:
        self._default = are_on
        self._vendors: dict[str, bool] = {}

    def are_on(self, vendor: str) -> bool:
        return self._vendors.get(vendor, self._default)

    def switch(self, are_on: bool, vendor: str | None = None) -> None:
        """Switches one vendor's limits, or everybody's."""
        if vendor is None:
            self._default = are_on
            self._vendors.clear()
        else:
            self._vendors[vendor] = are_on


@dataclass
class RollingWindow:
    """At most so many calls in any span of so many seconds."""

    allowed: int
    seconds: float
    tell_time: Callable[[], float] = time.monotonic
    _calls: deque[float] = field(default_factory=deque)

    def take(self) -> bool:
        """Counts a call; False when it comes too early (it then does not count)."""
        now = self._forget_old()
        if len(self._calls) >= self.allowed:
            return False
        self._calls.append(now)
        return True

    @property
    def remaining(self) -> int:
        self._forget_old()
        return self.allowed - len(self._calls)

    def _forget_old(self) -> float:
        now = self.tell_time()
        while self._calls and self._calls[0] <= now - self.seconds:
            self._calls.popleft()
        return now


@dataclass
class PointsBucket:
    """A bucket of points that fills steadily up to its size."""

    size: float
    restore_rate: float
    """Points per second of wall time."""
    tell_time: Callable[[], float] = time.monotonic
    _available: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._available, self._at = self.size, self.tell_time()

    @property
    def available(self) -> float:
        now = self.tell_time()
        self._available = min(self.size, self._available + (now - self._at) * self.restore_rate)
        self._at = now
        return self._available

    def take(self, points: float) -> bool:
        """Takes points; False when there are too few (none are then taken)."""
        if self.available < points:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        """Returns what a query turned out not to need."""
        self._available = min(self.size, self.available + points)
