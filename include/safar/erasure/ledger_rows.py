"""The person's rows in the ledger: nothing more is sent, then the rows go on under a surrogate."""

from __future__ import annotations

import psycopg

from safar.erasure.replacing import Replacement
from safar.ledger.tombstones import EMAIL, Hasher

ORIGIN = "erasure"
SUPPRESS = """
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
select 'email', subject_hash, 'erased', %(origin)s, subject_hash, %(now)s
from unnest(%(hashes)s::text[]) as one (subject_hash)
on conflict (origin, origin_key) do nothing
"""
STOP = """
insert into ledger.stop (contact_id, reason, created_by)
select contact_id, 'erased', %(origin)s
from unnest(%(contacts)s::text[]) as one (contact_id)
where not exists (
    select from ledger.stop where stop.contact_id = one.contact_id and stop.created_by = %(origin)s
)
"""
# A dispatcher marks its batch attempting and commits before it calls: what is only claimed has not left, and no
# longer can, for the row is locked by whoever comes first.
CANCEL = """
with waiting as materialized (
    select message_id
    from ledger.message
    where contact_id = any(%(contacts)s) and state in ('planned', 'claimed')
    order by message_id
    for update
)
update ledger.message as message
set state = 'cancelled', reason = 'erased', state_at = clock_timestamp()
from waiting
where message.message_id = waiting.message_id and message.state in ('planned', 'claimed')
"""
IN_FLIGHT = "select count(*) from ledger.message where contact_id = any(%s) and state = 'attempting'"
FORGET = (
    "select ledger.forget_person(%(erasure)s, %(former)s, %(surrogates)s, %(patterns)s, %(replacements)s, %(hashes)s)"
)


def stop_messages(ledger: psycopg.Connection, replacement: Replacement, hasher: Hasher, now: object) -> int:
    """Forbids every further message and takes back those that have not left; commits. Returns how many were cancelled.

    Args:
        now: business time.
    """
    contacts = sorted(replacement.contacts)
    values = {"origin": ORIGIN, "now": now, "contacts": contacts, "hashes": _hash_addresses(replacement, hasher)}
    ledger.execute(SUPPRESS, values)
    ledger.execute(STOP, values)
    ledger.commit()
    count = ledger.execute(CANCEL, values).rowcount
    ledger.commit()
    return count


def count_in_flight(ledger: psycopg.Connection, replacement: Replacement) -> int:
    """Messages whose call to the provider is being made now, or died: their lease settles them."""
    row = ledger.execute(IN_FLIGHT, [sorted(replacement.contacts)]).fetchone()
    ledger.rollback()
    return int(row[0]) if row else 0


def forget_person(ledger: psycopg.Connection, erasure_id: object, replacement: Replacement, hasher: Hasher) -> int:
    """Rewrites the ledger's rows in one transaction; returns how many."""
    former = sorted(replacement.contacts)
    row = ledger.execute(
        FORGET,
        {
            "erasure": erasure_id,
            "former": former,
            "surrogates": [replacement.contacts[key] for key in former],
            "patterns": [pattern for pattern, _ in replacement.patterns],
            "replacements": [surrogate for _, surrogate in replacement.patterns],
            "hashes": _hash_addresses(replacement, hasher),
        },
    ).fetchone()
    ledger.commit()
    return int(row[0]) if row else 0


def _hash_addresses(replacement: Replacement, hasher: Hasher) -> list[str]:
    return [hasher.hash(EMAIL, address) for address in sorted(replacement.addresses)]
