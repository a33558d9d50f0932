"""Addresses that turned mail away several times in a row, and nothing in between."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from safar.intake.events import ProviderEvent

ORIGIN = "sendgrid_soft_bounces"
IN_A_ROW = 5

# Two posts about one address at once would each count without the other's bounces.
LOCK = "select pg_advisory_xact_lock(hashtextextended(address_hash, 5)) from unnest(%s::text[]) as address_hash"

# By the provider's time, so that it does not matter in which order events come. The row is named after the bounce that
# made it one too many: told again, it is the same row, and whoever was let go again is not caught by old bounces.
SUPPRESS = """
with bounces as (
    select
        event.address_hash, event.event_id, event.event_type, event.payload ->> 'type' as kind, event.occurred_at,
        count(*) filter (where event.event_type = 'delivered') over before_it as delivery_count
    from ledger.provider_event as event
    where
        event.address_hash = any(%(hashes)s::text[])
        and event.channel = 'email'
        and event.event_type in ('bounce', 'delivered')
    window before_it as (
        partition by event.address_hash
        order by event.occurred_at, event.event_type = 'delivered', event.event_id
        rows unbounded preceding
    )
),

numbered as (
    select
        *,
        row_number() over (partition by address_hash, delivery_count order by occurred_at, event_id) as bounce_number
    from bounces
    where event_type = 'bounce' and kind = 'blocked'
)

insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
select 'email', address_hash, 'soft_bounces', %(origin)s, event_id, occurred_at
from numbered
where bounce_number %% %(in_a_row)s = 0
on conflict (origin, origin_key) do nothing
"""


def is_soft_bounce(event: ProviderEvent) -> bool:
    """Whether the receiving server turned the mail away for now; ``deferred`` is still being tried and is none."""
    return event.event_type == "bounce" and event.payload.get("type") == "blocked"


def suppress_soft_bounces(connection: psycopg.Connection, events: Iterable[ProviderEvent]) -> int:
    """Suppresses addresses with `IN_A_ROW` soft bounces and no delivery between, once the events are stored."""
    hashes = sorted({event.address_hash for event in events if event.address_hash and is_soft_bounce(event)})
    if not hashes:
        return 0
    connection.execute(LOCK, [hashes])
    values = {"hashes": hashes, "origin": ORIGIN, "in_a_row": IN_A_ROW}
    return connection.execute(SUPPRESS, values).rowcount
