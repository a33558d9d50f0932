"""How many requests one network, one link and everybody together may make: token buckets in this process."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from safar.intake.settings import IntakeSettings

# Whoever has been silent for longest is forgotten first, which gives them a full bucket again.
MAX_BUCKETS = 100_000
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Allowance:
    """How a bucket fills: ``burst`` requests at once, then ``per_minute``."""

    burst: int
    per_minute: float


@dataclass
class RateLimits:
    """Counts requests by wall time. Threads may share it.

    Args:
        each: what one network or one link may do.
        total: what all of them may do together.
    """

    each: Allowance
    total: Allowance
    tell_time: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def from_settings(cls, settings: IntakeSettings) -> RateLimits:
        return cls(
            Allowance(settings.network_burst, settings.network_per_minute),
            Allowance(settings.total_burst, settings.total_per_minute),
        )

    @classmethod
    def for_events(cls, settings: IntakeSettings) -> RateLimits:
        """Counts posts of apps and sites apart: however many come, mails' links still open."""
        return cls(
            Allowance(settings.event_network_burst, settings.event_network_per_minute),
            Allowance(settings.total_burst, settings.total_per_minute),
        )

    def take(self, who: str) -> float | None:
        """Counts one request; returns None when it is allowed, else the seconds until the next one is.

        A refused request costs the others nothing.
        """
        with self._lock:
            now = self.tell_time()
            waits = [self._find_wait(who, self.each, now), self._find_wait(EVERYBODY, self.total, now)]
            if any(waits):
                return max(waits)
            for name in (who, EVERYBODY):
                tokens, seen_at = self._buckets[name]
                self._buckets[name] = (tokens - 1, seen_at)
            return None

    def _find_wait(self, name: str, allowance: Allowance, now: float) -> float:
        tokens, seen_at = self._buckets.get(name, (float(allowance.burst), now))
        per_second = allowance.per_minute / 60
        tokens = min(float(allowance.burst), tokens + (now - seen_at) * per_second)
        self._buckets[name] = (tokens, now)
        self._buckets.move_to_end(name)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if tokens >= 1 else (1 - tokens) / per_second


def read_network(host: str | None) -> str:
    """Returns the network of an address: its IPv4 /24 or IPv6 /64, which is what one customer of a provider has."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network((address, prefix), strict=False))
