"""Suppressions by hand: for whoever asked by letter, has died, or bounced by our own mistake."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg

from safar.delivery.addresses import hash_address, normalise_email
from safar.errors import SafarError
from safar.workspace import ADDRESS_KEY, Workspace

ORIGIN = "manual"
REASON = re.compile(r"[a-z][a-z0-9_]{0,49}")

# Under every name that the person has had: what was planned before people were merged still goes to the other address.
FIND_ADDRESSES = """
with person as (
    select coalesce((
        select contact_id from ledger.contact_alias where alias_id = %(contact_id)s and until_sequence is null
    ), %(contact_id)s) as person_id
),

named as (
    select person_id as contact_id from person
    union
    select alias.alias_id
    from ledger.contact_alias as alias
    inner join person on alias.contact_id = person.person_id
    where alias.until_sequence is null
    union
    select %(contact_id)s
)

select distinct address.channel, address.address_hash
from ledger.address as address
inner join named on address.contact_id = named.contact_id
"""

SUPPRESS = """
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
select channel, address_hash, %(reason)s, %(origin)s, %(key)s || ':' || channel || ':' || address_hash, %(now)s
from unnest(%(channels)s::text[], %(hashes)s::text[]) as subject (channel, address_hash)
where not exists (
    select from ledger.suppression_in_force as known
    where
        known.channel = subject.channel
        and known.address_hash = subject.address_hash
        and known.reason = %(reason)s
        and known.origin = %(origin)s
)
"""

LIST_IN_FORCE = """
select known.suppression_id, known.origin = 'erasure' or known.reason = 'erased' as is_erased
from ledger.suppression_in_force as known
inner join unnest(%(channels)s::text[], %(hashes)s::text[]) as subject (channel, address_hash)
    on known.channel = subject.channel and known.address_hash = subject.address_hash
"""

LIFT = """
insert into ledger.suppression_lift (suppression_id, reason, lifted_by, occurred_at)
select suppression_id, %(reason)s, %(lifted_by)s, %(now)s
from unnest(%(ids)s::bigint[]) as lifted (suppression_id)
on conflict (suppression_id) do nothing
"""

Subject = tuple[str, str]
"""A channel and the keyed hash of an address."""


def suppress_contact(workspace: Workspace, contact_id: str, reason: str) -> int:
    """Suppresses every address that the ledger knows of the person; returns how many rows are new.

    Raises:
        SafarError: the ledger knows no address of that contact, or the reason has no acceptable name.
    """
    with workspace.open_ledger() as ledger:
        return _suppress(workspace, ledger, _find_addresses(ledger, contact_id), reason)


def suppress_address(workspace: Workspace, email: str, reason: str) -> int:
    """Suppresses one e-mail address, whether or not anybody is known to have it.

    Raises:
        SafarError: it is no address (the message does not repeat it), or the reason has no acceptable name.
    """
    with workspace.open_ledger() as ledger:
        return _suppress(workspace, ledger, [_read_address(workspace, email)], reason)


def unsuppress_contact(workspace: Workspace, contact_id: str, reason: str) -> int:
    """Lifts what keeps the person's addresses from being written to; returns how many suppressions were lifted.

    Raises:
        SafarError: the ledger knows no address of that contact, the person was erased, or the reason has no
            acceptable name.
    """
    with workspace.open_ledger() as ledger:
        return _lift(workspace, ledger, _find_addresses(ledger, contact_id), reason)


def unsuppress_address(workspace: Workspace, email: str, reason: str) -> int:
    """The same for one e-mail address."""
    with workspace.open_ledger() as ledger:
        return _lift(workspace, ledger, [_read_address(workspace, email)], reason)


def _suppress(workspace: Workspace, ledger: psycopg.Connection[Any], subjects: Sequence[Subject], reason: str) -> int:
    values = {
        **_describe(workspace, subjects, reason),
        "origin": ORIGIN,
        "key": str(uuid4()),
    }
    return ledger.execute(SUPPRESS, values).rowcount


def _lift(workspace: Workspace, ledger: psycopg.Connection[Any], subjects: Sequence[Subject], reason: str) -> int:
    values = _describe(workspace, subjects, reason)
    found = ledger.execute(LIST_IN_FORCE, values).fetchall()
    if any(is_erased for _, is_erased in found):
        raise SafarError("This person was erased. Such a suppression is never lifted; nothing was changed.")
    ids = [suppression_id for suppression_id, _ in found]
    return ledger.execute(LIFT, {**values, "ids": ids, "lifted_by": getpass.getuser()}).rowcount


def _describe(workspace: Workspace, subjects: Sequence[Subject], reason: str) -> dict[str, Any]:
    if not REASON.fullmatch(reason):
        raise SafarError("--reason is one name in small letters, digits and _, such as deceased or asked_by_letter.")
    return {
        "channels": [channel for channel, _ in subjects],
        "hashes": [address_hash for _, address_hash in subjects],
        "reason": reason,
        "now": workspace.clock.now(),
    }


def _find_addresses(ledger: psycopg.Connection[Any], contact_id: str) -> list[Subject]:
    rows = ledger.execute(FIND_ADDRESSES, {"contact_id": contact_id}).fetchall()
    if not rows:
        raise SafarError(
            f"The ledger knows no address of contact {contact_id!r}. Take the contact_id from dim_contacts, or give "
            "the address on standard input."
        )
    return [(channel, address_hash) for channel, address_hash in rows]


def _read_address(workspace: Workspace, email: str) -> Subject:
    address = normalise_email(email)
    if address is None:
        raise SafarError("What came on standard input is no e-mail address. Give one address on one line.")
    return "email", hash_address(workspace.connections.get(ADDRESS_KEY).secret, "email", address)
