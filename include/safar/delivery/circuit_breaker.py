"""Stops a channel by itself when its refusals, bounces or complaints say that something is wrong."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg

from safar.delivery.rules import BreakerThresholds
from safar.delivery.sql import read_statement

logger = logging.getLogger(__name__)

CREATED_BY = "circuit breaker"

OPEN = """
insert into ledger.stop (channel, reason, created_by)
values (%s, %s, %s)
on conflict (channel) where created_by = 'circuit breaker' and lifted_at is null do nothing
"""


@dataclass(frozen=True)
class ChannelHealth:
    """What became of the latest messages of one provider account of a channel."""

    channel: str
    provider: str
    accepted_count: int
    refused_count: int
    """Refused at the call, dropped by the provider, or blocked by the receiving server."""
    bounced_count: int
    """The address does not exist."""
    complaint_count: int
    attempted_count: int

    def describe(self) -> str:
        return (
            f"latest {self.attempted_count} messages of {self.provider}: {self.refused_count} refused, "
            f"{self.bounced_count} bounced, {self.complaint_count} complaints"
        )

    def find_warnings(self, thresholds: BreakerThresholds) -> list[str]:
        """What a person should look at, a sentence each; what opens the breaker is not among it."""
        if self.find_reasons(thresholds) or not self._is_enough(thresholds):
            return []
        return self._compare("complaints", self.complaint_count, self.accepted_count, thresholds.complaints_warn)

    def find_reasons(self, thresholds: BreakerThresholds) -> list[str]:
        """Why the channel must stop, a sentence each; an opened mail, by man or machine, is no part of it."""
        if not self._is_enough(thresholds):
            return []
        return [
            *self._compare("refusals", self.refused_count, self.attempted_count, thresholds.refusals),
            *self._compare("bounces", self.bounced_count, self.accepted_count, thresholds.bounces),
            *self._compare("complaints", self.complaint_count, self.accepted_count, thresholds.complaints),
        ]

    def _is_enough(self, thresholds: BreakerThresholds) -> bool:
        return self.attempted_count >= thresholds.min_messages

    def _compare(self, name: str, count: int, total: int, limit: Decimal) -> list[str]:
        if not count or count < limit * total:
            return []
        share = f" ({count / total:.2%})" if total else ""
        return [f"{count} {name} among the latest {total} messages of {self.provider}{share}, limit {limit:.2%}."]


def measure_health(
    connection: psycopg.Connection[Any], channel: str, provider: str, thresholds: BreakerThresholds
) -> ChannelHealth:
    """Counts over the latest messages since a person last closed the breaker; a message counts once per kind."""
    parameters = {"channel": channel, "provider": provider, "last_messages": thresholds.last_messages}
    row = connection.execute(read_statement("measure_health"), parameters).fetchone()
    assert row is not None
    accepted, failed, refused, bounced, complaints = row
    return ChannelHealth(channel, provider, accepted, failed + refused, bounced, complaints, accepted + failed)


def watch_channel(
    connection: psycopg.Connection[Any], channel: str, provider: str, thresholds: BreakerThresholds
) -> ChannelHealth:
    """Measures, and stops the channel when it must; commits. Only a person lets it go on: `safar resume`."""
    health = measure_health(connection, channel, provider, thresholds)
    for warning in health.find_warnings(thresholds):
        logger.warning("Channel %s: %s", channel, warning)
    reasons = health.find_reasons(thresholds)
    if reasons and connection.execute(OPEN, [channel, " ".join(reasons), CREATED_BY]).rowcount:
        logger.error(
            "Channel %s is stopped: %s Mend the cause, then: safar resume --channel %s",
            channel,
            " ".join(reasons),
            channel,
        )
    connection.commit()
    return health


class ChannelWatch:
    """Watches one channel during a dispatch. Its workers share it."""

    def __init__(self, channel: str, provider: str, thresholds: BreakerThresholds | None, every: timedelta) -> None:
        self._channel = channel
        self._provider = provider
        self._thresholds = thresholds
        self._every = every.total_seconds()
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def look(self, connection: psycopg.Connection[Any]) -> None:
        """Measures now. The connection has no transaction open; what stops is read by the next claim."""
        if self._thresholds is not None:
            self._looked_at = time.monotonic()
            watch_channel(connection, self._channel, self._provider, self._thresholds)

    def look_when_due(self, connection: psycopg.Connection[Any]) -> None:
        """Measures when the last look is long enough ago and no other worker is at it."""
        if time.monotonic() - self._looked_at >= self._every and self._lock.acquire(blocking=False):
            try:
                self.look(connection)
            finally:
                self._lock.release()
