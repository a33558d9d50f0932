"""Collects what the provider knows and we may not: fates of messages, and addresses not to write to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from safar.delivery.addresses import hash_address, normalise_email
from safar.delivery.circuit_breaker import ChannelHealth, watch_channel
from safar.delivery.rules import BreakerThresholds
from safar.feedback.settings import SENDGRID, read_feedback_settings
from safar.feedback.settling import SettleReport, settle_unknown
from safar.feedback.suppressions import LISTS, Suppressed, SuppressionList, SuppressionReader, choose_since
from safar.workspace import ADDRESS_KEY, Workspace

# Somebody who left all mail at the provider has withdrawn a permission; the address itself is sound.
WITHDRAWN = "unsubscribes"
EMAIL = "email"

NEWEST = {
    True: "select max(occurred_at) from ledger.permission_event where source = %s",
    False: "select max(occurred_at) from ledger.suppression where origin = %s",
}
INSERT_WITHDRAWALS = """
insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)
select 'email', 'all', address_hash, 'revoked', %(origin)s, origin_key, occurred_at
from unnest(%(hashes)s::text[], %(keys)s::text[], %(moments)s::timestamptz[])
    as listed (address_hash, origin_key, occurred_at)
on conflict (source, source_key) do nothing
"""
INSERT_SUPPRESSIONS = """
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
select 'email', address_hash, %(reason)s, %(origin)s, origin_key, occurred_at
from unnest(%(hashes)s::text[], %(keys)s::text[], %(moments)s::timestamptz[])
    as listed (address_hash, origin_key, occurred_at)
on conflict (origin, origin_key) do nothing
"""


@dataclass(frozen=True)
class FeedbackReport:
    """What was settled, and how many new rows each of the provider's lists had."""

    settled: SettleReport
    new_counts: dict[str, int] = field(default_factory=dict)
    health: ChannelHealth | None = None

    def describe(self) -> str:
        lists = ", ".join(f"{count} {name}" for name, count in self.new_counts.items())
        health = f"; {self.health.describe()}" if self.health else ""
        return f"{self.settled.describe()}; new at the provider: {lists or 'nothing fetched'}{health}"


def collect_feedback(workspace: Workspace, thresholds: BreakerThresholds | None = None) -> FeedbackReport:
    """Settles unknown messages, looks at the channel's health, fetches the provider's suppressions; safe to repeat.

    Args:
        thresholds: from which shares of refusals, bounces and complaints the channel is stopped; None: not watched.

    Raises:
        SafarError: the provider does not answer; what came before is kept.
        ConfigurationError: connection sendgrid is missing.
    """
    settled = settle_unknown(workspace)
    health = None
    if thresholds is not None:
        with workspace.open_ledger() as connection:
            health = watch_channel(connection, EMAIL, SENDGRID, thresholds)
    return FeedbackReport(settled, fetch_suppressions(workspace), health)


def fetch_suppressions(workspace: Workspace, reader: SuppressionReader | None = None) -> dict[str, int]:
    """Copies what is new on the provider's lists into the ledger, page by page; returns new rows per list."""
    reader = reader or SuppressionReader(workspace)
    overlap = read_feedback_settings(workspace).suppression_overlap
    key = workspace.connections.get(ADDRESS_KEY).secret
    now = workspace.clock.now()
    counts: dict[str, int] = {}
    with workspace.open_ledger() as connection:
        for listed in LISTS:
            since = choose_since(_find_newest(connection, listed), overlap)
            counts[listed.name] = 0
            for page in reader.read(listed.name, since, now):
                counts[listed.name] += _store_page(connection, listed, page, lambda email: _hash(key, email))
                connection.commit()
    return counts


def _find_newest(connection: psycopg.Connection, listed: SuppressionList) -> datetime | None:
    row = connection.execute(NEWEST[listed.name == WITHDRAWN], [listed.origin]).fetchone()
    return row[0] if row else None


def _store_page(
    connection: psycopg.Connection,
    listed: SuppressionList,
    page: Sequence[Suppressed],
    hash_email: Callable[[str], str | None],
) -> int:
    hashed = [(found, row.created_at) for row in page if (found := hash_email(row.email)) is not None]
    values = {
        "reason": listed.reason,
        "origin": listed.origin,
        "hashes": [address_hash for address_hash, _ in hashed],
        "keys": [f"{address_hash}:{created_at:%Y%m%dT%H%M%SZ}" for address_hash, created_at in hashed],
        "moments": [created_at for _, created_at in hashed],
    }
    statement = INSERT_WITHDRAWALS if listed.name == WITHDRAWN else INSERT_SUPPRESSIONS
    return connection.execute(statement, values).rowcount


def _hash(key: str, email: str) -> str | None:
    address = normalise_email(email)
    return hash_address(key, "email", address) if address else None
