"""Writes a post of events and what follows from them, in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import psycopg

from safar.intake.effects import find_suppression, find_withdrawn_topic
from safar.intake.events import ProviderEvent
from safar.intake.soft_bounces import suppress_soft_bounces
from safar.ledger.proof import accept_proven

PROVIDER = "sendgrid"

# An id that our ledger does not know stays in the payload only, so that message_id always joins.
INSERT_EVENTS = """
insert into ledger.provider_event (
    provider, event_id, message_id, provider_message_id, event_type,
    address_hash, occurred_at, url_domain, reason, is_late, payload
)
select
    %(provider)s, event.event_id, message.message_id, event.provider_message_id, event.event_type,
    event.address_hash, event.occurred_at, event.url_domain, event.reason, event.is_late,
    event.payload || case
        when message.message_id is null and event.message_id is not null
            then jsonb_build_object('message_id', event.message_id)
        else '{}'
    end
from unnest(
    %(event_id)s::text[], %(message_id)s::uuid[], %(provider_message_id)s::text[], %(event_type)s::text[],
    %(address_hash)s::text[], %(occurred_at)s::timestamptz[], %(url_domain)s::text[], %(reason)s::text[],
    %(is_late)s::boolean[], %(payload)s::jsonb[]
) as event (
    event_id, message_id, provider_message_id, event_type,
    address_hash, occurred_at, url_domain, reason, is_late, payload
)
left join ledger.message as message on message.message_id = event.message_id
order by event.event_id
on conflict (provider, event_id) do nothing
returning event_id
"""

INSERT_SUPPRESSIONS = """
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
select 'email', coalesce(event.address_hash, message.address_hash), event.reason, %(origin)s, event.event_id,
    event.occurred_at
from unnest(
    %(event_id)s::text[], %(message_id)s::uuid[], %(address_hash)s::text[], %(occurred_at)s::timestamptz[],
    %(reason)s::text[]
) as event (event_id, message_id, address_hash, occurred_at, reason)
left join ledger.message as message on message.message_id = event.message_id
where coalesce(event.address_hash, message.address_hash) is not null
on conflict (origin, origin_key) do nothing
"""

# Whoever left by an old mail does not want mail at their address of today either, under whatever name.
INSERT_WITHDRAWALS = """
with withdrawn as (
    select
        coalesce(nullif(event.topic, ''), message.topic, 'all') as topic,
        coalesce(event.address_hash, message.address_hash) as address_hash,
        message.message_id, message.contact_id, event.event_id, event.event_type, event.occurred_at
    from unnest(
        %(event_id)s::text[], %(message_id)s::uuid[], %(address_hash)s::text[], %(occurred_at)s::timestamptz[],
        %(topic)s::text[], %(event_type)s::text[]
    ) as event (event_id, message_id, address_hash, occurred_at, topic, event_type)
    left join ledger.message as message on message.message_id = event.message_id
),

subject as (
    select withdrawn.*, withdrawn.address_hash as subject_hash, withdrawn.event_id as source_key
    from withdrawn
    where withdrawn.address_hash is not null
    union all
    select withdrawn.*, address.address_hash, withdrawn.event_id || ':' || address.address_hash
    from withdrawn
    left join ledger.contact_alias as alias
        on withdrawn.contact_id = alias.alias_id and alias.until_sequence is null
    join ledger.address as address
        on coalesce(alias.contact_id, withdrawn.contact_id) = address.contact_id
        and address.channel = 'email'
        and address.until_sequence is null
        and address.address_hash <> withdrawn.address_hash
)

insert into ledger.permission_event (
    channel, topic, address_hash, contact_id, state, source, source_key, proof, occurred_at
)
select
    'email', topic, subject_hash, contact_id, 'revoked', %(origin)s, source_key,
    jsonb_strip_nulls(jsonb_build_object('message_id', message_id, 'event', event_type)),
    occurred_at
from subject
on conflict (source, source_key) do nothing
"""


def store_events(connection: psycopg.Connection, events: Sequence[ProviderEvent]) -> int:
    """Keeps each event once, by its id, with its effects; returns how many were new.

    The caller's events are sorted by id, so that two posts with the same events wait and never deadlock.
    """
    if not events:
        return 0
    rows = connection.execute(INSERT_EVENTS, _column_arrays(events)).fetchall()
    new_ids = {row[0] for row in rows}
    new = [event for event in events if event.event_id in new_ids]
    _suppress(connection, new)
    suppress_soft_bounces(connection, new)
    _withdraw(connection, new)
    accept_proven(connection, {event.message_id for event in new if event.message_id is not None})
    return len(rows)


def _suppress(connection: psycopg.Connection, events: Sequence[ProviderEvent]) -> None:
    found = [(event, reason) for event in events if (reason := find_suppression(event)) is not None]
    if found:
        values = {**_subject_arrays([event for event, _ in found]), "reason": [reason for _, reason in found]}
        connection.execute(INSERT_SUPPRESSIONS, values)


def _withdraw(connection: psycopg.Connection, events: Sequence[ProviderEvent]) -> None:
    found = [(event, topic) for event in events if (topic := find_withdrawn_topic(event)) is not None]
    if found:
        values = {
            **_subject_arrays([event for event, _ in found]),
            "topic": [topic for _, topic in found],
            "event_type": [event.event_type for event, _ in found],
        }
        connection.execute(INSERT_WITHDRAWALS, values)


def _subject_arrays(events: Sequence[ProviderEvent]) -> dict[str, object]:
    return {
        "origin": PROVIDER,
        "event_id": [event.event_id for event in events],
        "message_id": [event.message_id for event in events],
        "address_hash": [event.address_hash for event in events],
        "occurred_at": [event.occurred_at for event in events],
    }


def _column_arrays(events: Sequence[ProviderEvent]) -> dict[str, object]:
    return {
        **_subject_arrays(events),
        "provider": PROVIDER,
        "provider_message_id": [event.provider_message_id for event in events],
        "event_type": [event.event_type for event in events],
        "url_domain": [event.url_domain for event in events],
        "reason": [event.reason for event in events],
        "is_late": [event.is_late for event in events],
        "payload": [orjson.dumps(event.payload).decode() for event in events],
    }
