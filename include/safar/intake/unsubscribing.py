"""What an unsubscribe link stands for, and what its use writes into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

SOURCE = "unsubscribe_link"

FIND = """
select message_id, channel, topic, address_hash, contact_id, address, locale, planned_at
from ledger.message
where message_id = %s
"""

FIND_REQUEST = """
select occurrence_key
from ledger.message
where message_id = %s and run_id = 'on_request' and campaign = 'permission_confirmation'
"""

# The first use of a link is always written down. A later one is written only when the permission was given
# again in between; the number makes it a key of its own, and of two uses at once only one is kept.
# Whoever has another address by now, or another name, does not want mail there either. And a yes that some clock dates
# later than now is taken back too: at the same instant the withdrawal counts.
WITHDRAW = """
with subject as (
    select %(address_hash)s as address_hash, %(link)s as link
    union
    select address.address_hash, %(link)s || ':' || address.address_hash
    from ledger.address as address
    where
        address.contact_id = coalesce((
            select alias.contact_id
            from ledger.contact_alias as alias
            where alias.alias_id = %(contact_id)s and alias.until_sequence is null
        ), %(contact_id)s)
        and address.channel = %(channel)s
        and address.until_sequence is null
        and address.address_hash <> %(address_hash)s
)

insert into ledger.permission_event (
    channel, topic, address_hash, contact_id, state, source, source_key, proof, occurred_at
)
select
    %(channel)s, %(topic)s, subject.address_hash, %(contact_id)s, 'revoked', %(source)s,
    subject.link || ':' || earlier.used_count, %(proof)s,
    case when latest.state = 'granted' then greatest(%(now)s, latest.occurred_at) else %(now)s end
from subject
cross join lateral (
    select count(*) as used_count
    from ledger.permission_event as event
    where
        event.source = %(source)s
        and starts_with(event.source_key, %(link)s)
        and event.address_hash = subject.address_hash
) as earlier
left join lateral (
    select event.state, event.occurred_at
    from ledger.permission_event as event
    where
        event.address_hash = subject.address_hash
        and event.channel = %(channel)s
        and event.topic in (%(topic)s, 'all')
        and event.state <> 'pending'
    order by event.occurred_at desc, event.state = 'revoked' desc
    limit 1
) as latest on true
where earlier.used_count = 0 or latest.state = 'granted'
on conflict (source, source_key) do nothing
"""


@dataclass(frozen=True)
class UnsubscribeLink:
    """The message that a link came with, as far as the link's use needs it. Times are business time."""

    message_id: UUID
    channel: str
    topic: str
    address_hash: str
    contact_id: str
    address: str | None
    locale: str
    planned_at: datetime

    def is_expired(self, now: datetime, lifetime: timedelta) -> bool:
        return now - self.planned_at > lifetime


def find_link(connection: psycopg.Connection, message_id: UUID) -> UnsubscribeLink | None:
    """Reads the message of a link; None when this ledger does not know it."""
    with connection.cursor(row_factory=class_row(UnsubscribeLink)) as cursor:
        return cursor.execute(FIND, [message_id]).fetchone()


def find_request(connection: psycopg.Connection, message_id: UUID) -> str | None:
    """Reads which request a message asks its recipient to confirm; None when it asks nothing."""
    row = connection.execute(FIND_REQUEST, [message_id]).fetchone()
    return row[0] if row else None


def withdraw_permission(connection: psycopg.Connection, link: UnsubscribeLink, method: str, now: datetime) -> bool:
    """Writes that the recipient wants no more of the message's topic, at any address; returns whether that was news.

    Args:
        method: how it was said: ``one_click`` by the mail program, ``page`` by the button of our page.
        now: business time.
    """
    proof: dict[str, Any] = {"message_id": str(link.message_id), "method": method}
    values = {
        "channel": link.channel,
        "topic": link.topic,
        "address_hash": link.address_hash,
        "contact_id": link.contact_id,
        "source": SOURCE,
        "link": str(link.message_id),
        "proof": Jsonb(proof),
        "now": now,
    }
    return connection.execute(WITHDRAW, values).rowcount > 0
