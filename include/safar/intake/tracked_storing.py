"""Writes events of apps into the ledger, each once, and none about anybody who was erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import orjson
import psycopg

from safar.intake.tracked_events import SOURCE, AppEvent
from safar.intake.write_keys import WriteKey
from safar.ledger.tombstones import EMAIL, Hasher

INSERT = """
insert into ledger.app_event (
    key_name, key_kind, event_id, call, event_name, user_id, anonymous_id, email, address_hash, occurred_at,
    received_at, is_late, is_bot, page_host, page_path, referrer_host, campaign, click_id_name, click_id, platform,
    app_version, locale, time_zone, push_token, properties, traits
)
select
    %(key_name)s, %(key_kind)s, event_id, call, event_name, user_id, anonymous_id, email, address_hash, occurred_at,
    %(received_at)s, is_late, is_bot, page_host, page_path, referrer_host, campaign, click_id_name, click_id, platform,
    app_version, locale, time_zone, push_token, properties, traits
from unnest(
    %(event_id)s::text[], %(call)s::text[], %(event_name)s::text[], %(user_id)s::text[], %(user_hash)s::text[],
    %(anonymous_id)s::text[], %(email)s::text[], %(address_hash)s::text[], %(occurred_at)s::timestamptz[],
    %(is_late)s::boolean[], %(is_bot)s::boolean[], %(page_host)s::text[], %(page_path)s::text[],
    %(referrer_host)s::text[], %(campaign)s::jsonb[], %(click_id_name)s::text[], %(click_id)s::text[],
    %(platform)s::text[], %(app_version)s::text[], %(locale)s::text[], %(time_zone)s::text[], %(push_token)s::text[],
    %(properties)s::jsonb[], %(traits)s::jsonb[]
) as event (
    event_id, call, event_name, user_id, user_hash, anonymous_id, email, address_hash, occurred_at, is_late, is_bot,
    page_host, page_path, referrer_host, campaign, click_id_name, click_id, platform, app_version, locale, time_zone,
    push_token, properties, traits
)
where not exists (
    select from ledger.tombstone as stone
    where (stone.kind, stone.subject_hash) in ((%(user_kind)s, event.user_hash), (%(email_kind)s, event.address_hash))
)
order by event.event_id
on conflict (key_name, event_id) do nothing
returning event_id
"""


def store_app_events(
    connection: psycopg.Connection, events: Sequence[AppEvent], key: WriteKey, received_at: datetime, hasher: Hasher
) -> int:
    """Keeps each event once, by its key's name and its id; returns how many were new.

    They are written in the order of their ids, so that two posts with the same events wait and never deadlock.
    """
    if not events:
        return 0
    columns = {
        "key_name": key.name,
        "key_kind": key.kind,
        "received_at": received_at,
        "user_kind": SOURCE,
        "email_kind": EMAIL,
        **{name: [read(event) for event in events] for name, read in COLUMNS.items()},
        "user_hash": [_hash_user(event, hasher) for event in events],
        "address_hash": [hasher.hash(EMAIL, event.email) if event.email else None for event in events],
    }
    return len(connection.execute(INSERT, columns).fetchall())


def _hash_user(event: AppEvent, hasher: Hasher) -> str | None:
    return hasher.hash(SOURCE, event.user_id.removeprefix(f"{SOURCE}:")) if event.user_id else None


def _write_json(value: object) -> str:
    return orjson.dumps(value).decode()


COLUMNS: dict[str, Callable[[AppEvent], object]] = {
    "event_id": lambda event: event.event_id,
    "call": lambda event: event.call,
    "event_name": lambda event: event.event_name,
    "user_id": lambda event: event.user_id,
    "anonymous_id": lambda event: event.anonymous_id,
    "email": lambda event: event.email,
    "occurred_at": lambda event: event.occurred_at,
    "is_late": lambda event: event.is_late,
    "is_bot": lambda event: event.is_bot,
    "page_host": lambda event: event.visit.host,
    "page_path": lambda event: event.visit.path,
    "referrer_host": lambda event: event.referrer_host,
    "campaign": lambda event: _write_json(event.visit.campaign),
    "click_id_name": lambda event: event.visit.click_id_name,
    "click_id": lambda event: event.visit.click_id,
    "platform": lambda event: event.platform,
    "app_version": lambda event: event.app_version,
    "locale": lambda event: event.locale,
    "time_zone": lambda event: event.time_zone,
    "push_token": lambda event: event.push_token,
    "properties": lambda event: _write_json(event.properties),
    "traits": lambda event: _write_json(event.traits),
}
