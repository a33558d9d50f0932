"""An event that names our message proves that the provider took it, whatever became of its answer."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import psycopg

# Ordered, so that two posts that prove the same messages wait for each other and never deadlock.
LOCK_DOUBTFUL = """
select message_id
from ledger.message
where message_id = any(%s) and state in ('unknown', 'presumed_lost')
order by message_id
for update
"""

ACCEPT = """
update ledger.message as message
set
    state = 'accepted',
    reason = 'proven by an event',
    accepted_at = greatest(message.attempted_at, proof.occurred_at),
    provider = coalesce(message.provider, proof.provider),
    provider_message_id = coalesce(message.provider_message_id, proof.provider_message_id),
    state_at = clock_timestamp()
from (
    select
        message_id,
        min(occurred_at) as occurred_at,
        min(provider) as provider,
        min(provider_message_id) as provider_message_id
    from ledger.provider_event
    where message_id = any(%(message_ids)s)
    group by message_id
) as proof
where message.message_id = proof.message_id and message.state in ('unknown', 'presumed_lost')
"""


def accept_proven(connection: psycopg.Connection, message_ids: Collection[UUID]) -> int:
    """Sets those of the messages that are in doubt and have an event to accepted, at the first event's time.

    Safe beside dispatch and beside itself: it touches only rows whose call is over. Returns how many it settled.
    """
    if not message_ids:
        return 0
    doubtful = [row[0] for row in connection.execute(LOCK_DOUBTFUL, [list(message_ids)])]
    if not doubtful:
        return 0
    return connection.execute(ACCEPT, {"message_ids": doubtful}).rowcount
