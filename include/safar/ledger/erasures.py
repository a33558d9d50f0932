"""Erasures that were asked for: what must still be found is kept sealed until every place is done."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, InvalidToken

from safar.errors import ConfigurationError
from safar.ledger.tombstones import Hasher


@dataclass(frozen=True)
class Person:
    """Everything by which a person can be found. All of it is personal data: never log it."""

    contact_ids: frozenset[str] = frozenset()
    records: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """(source, the vendor's id)"""
    addresses: frozenset[str] = field(default=frozenset(), repr=False)
    """E-mail addresses in lower case, without blanks around."""
    values: frozenset[str] = field(default=frozenset(), repr=False)
    """What stands in their personal columns: names, numbers, dates."""
    phones: frozenset[str] = field(default=frozenset(), repr=False)
    """The digits of numbers that are nobody else's."""

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """What gets a tombstone, by kind."""
        contacts = [("contact", contact_id) for contact_id in sorted(self.contact_ids)]
        reached = [("email", address) for address in sorted(self.addresses)]
        reached += [("phone", phone) for phone in sorted(self.phones)]
        return [*contacts, *sorted(self.records), *reached]

    def __or__(self, other: Person) -> Person:
        return Person(
            self.contact_ids | other.contact_ids,
            self.records | other.records,
            self.addresses | other.addresses,
            self.values | other.values,
            self.phones | other.phones,
        )


def seal(hasher: Hasher, person: Person) -> bytes:
    """Encrypts with a key that follows from connection safar_address_key."""
    content = {
        "contact_ids": sorted(person.contact_ids),
        "records": sorted(person.records),
        "addresses": sorted(person.addresses),
        "values": sorted(person.values),
        "phones": sorted(person.phones),
    }
    return _open_cipher(hasher).encrypt(json.dumps(content).encode())


def unseal(hasher: Hasher, sealed: bytes) -> Person:
    """Raises:
    ConfigurationError: it was sealed with another key.
    """
    try:
        content: dict[str, Any] = json.loads(_open_cipher(hasher).decrypt(bytes(sealed)))
    except InvalidToken:
        raise ConfigurationError(
            "An open erasure was sealed with another key than connection 'safar_address_key' has now. Put the former "
            "key back until `safar erase --status` lists nothing."
        ) from None
    return Person(
        frozenset(content["contact_ids"]),
        frozenset((source, record) for source, record in content["records"]),
        frozenset(content["addresses"]),
        frozenset(content["values"]),
        frozenset(content["phones"]),
    )


def request_erasure(
    connection: psycopg.Connection, hasher: Hasher, person: Person, *, origin: str, requested_by: str
) -> UUID:
    """Writes the request down, in the transaction that is open; `safar.erasure` carries it out."""
    row = connection.execute(
        "insert into ledger.erasure (origin, requested_by, sealed) values (%s, %s, %s) returning erasure_id",
        [origin, requested_by, seal(hasher, person)],
    ).fetchone()
    assert row is not None
    erasure_id: UUID = row[0]
    return erasure_id


def _open_cipher(hasher: Hasher) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"safar.erasure:" + hasher.key.encode()).digest()))
