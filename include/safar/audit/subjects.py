"""Whom or what a story is about: every id and every address hash under which the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from safar.errors import SafarError
from safar.ledger.access import SubjectKind

# Ids that name the same person now; a merge may have joined several.
LIST_IDS = """
with recursive same (id) as (
    select unnest(%s::text[])
    union
    select case alias.alias_id when same.id then alias.contact_id else alias.alias_id end
    from same
    join ledger.contact_alias as alias on same.id in (alias.alias_id, alias.contact_id)
    where alias.until_sequence is null
)
select id from same order by id
"""
LIST_HASHES = "select distinct address_hash from ledger.address where contact_id = any(%s)"
LIST_OWNERS = "select distinct contact_id from ledger.address where address_hash = %s and until_sequence is null"
IS_KNOWN = """
select
    exists (select from ledger.address where contact_id = any(%(ids)s))
    or exists (select from ledger.contact_alias where alias_id = any(%(ids)s) or contact_id = any(%(ids)s))
    or exists (select from ledger.action where contact_id = any(%(ids)s) and kind <> 'message')
    or exists (select from ledger.message where contact_id = any(%(ids)s))
    or exists (select from ledger.permission_event where contact_id = any(%(ids)s))
"""
HASH_IS_KNOWN = """
select
    exists (select from ledger.permission_event where address_hash = %(hash)s)
    or exists (select from ledger.suppression where address_hash = %(hash)s)
    or exists (select from ledger.message where address_hash = %(hash)s)
"""
FIND_MESSAGE = (
    "select contact_id, address_hash, campaign, step, occurrence_key from ledger.message where message_id = %s"
)


@dataclass(frozen=True)
class Subject:
    """A person by all their ids and hashed addresses, or one message. Empty texts mean any."""

    kind: SubjectKind
    key: str
    contact_ids: tuple[str, ...]
    hashes: tuple[str, ...]
    message_id: UUID | None = None
    campaign: str = ""
    step: str = ""
    occurrence_key: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """What the story's queries ask for."""
        return {
            "ids": list(self.contact_ids),
            "hashes": list(self.hashes),
            "message_id": self.message_id,
            "campaign": self.campaign,
            "step": self.step,
            "occurrence_key": self.occurrence_key,
        }


def find_subject(ledger: psycopg.Connection[Any], key: str) -> Subject:
    """Finds the message or the contact that an id names.

    Raises:
        SafarError: the ledger knows neither.
    """
    return _find_message(ledger, key) or _find_contact(ledger, key)


def find_by_hash(ledger: psycopg.Connection[Any], address_hash: str) -> Subject:
    """Finds the people at an address; where there is none left, what is known of the address itself.

    Raises:
        SafarError: the ledger knows nothing of it.
    """
    owners = [row[0] for row in ledger.execute(LIST_OWNERS, [address_hash])]
    if not owners and not _ask(ledger, HASH_IS_KNOWN, {"hash": address_hash}):
        raise SafarError("The ledger knows nothing of this address.")
    ids = _list_ids(ledger, owners)
    return Subject("address", address_hash, ids, tuple({address_hash, *_list_hashes(ledger, ids)}))


def _find_message(ledger: psycopg.Connection[Any], key: str) -> Subject | None:
    try:
        message_id = UUID(key)
    except ValueError:
        return None
    row = ledger.execute(FIND_MESSAGE, [message_id]).fetchone()
    if row is None:
        return None
    contact_id, address_hash, campaign, step, occurrence_key = row
    return Subject("message", key, (contact_id,), (address_hash,), message_id, campaign, step, occurrence_key)


def _find_contact(ledger: psycopg.Connection[Any], key: str) -> Subject:
    ids = _list_ids(ledger, [key])
    if not _ask(ledger, IS_KNOWN, {"ids": list(ids)}):
        raise SafarError(
            "The ledger knows no contact and no message of this id. Give a contact_id or a message_id, or an address "
            "on standard input with --address-from-stdin."
        )
    return Subject("contact", key, ids, _list_hashes(ledger, ids))


def _list_ids(ledger: psycopg.Connection[Any], ids: list[str]) -> tuple[str, ...]:
    return tuple(row[0] for row in ledger.execute(LIST_IDS, [ids]))


def _list_hashes(ledger: psycopg.Connection[Any], ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row[0] for row in ledger.execute(LIST_HASHES, [list(ids)]))


def _ask(ledger: psycopg.Connection[Any], query: str, values: dict[str, Any]) -> bool:
    row = ledger.execute(query, values).fetchone()
    return bool(row and row[0])
