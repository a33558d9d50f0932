"""Who must not come back: keyed hashes of erased addresses and ids, each with the random name that stands for it."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import psycopg

from safar.addresses import normalise_email
from safar.errors import ConfigurationError
from safar.workspace import ADDRESS_KEY, Workspace

EMAIL = "email"
PHONE = "phone"
CONTACT = "contact"
SHORTEST_PHONE = 7
"""Digits; what is shorter is an extension or a slip, and anybody's."""
SURROGATE = re.compile(r"erased-[0-9a-f]{24}(@erased\.invalid)?")


def spell(kind: str, value: str) -> str:
    """The one spelling under which an address, a number or an id is hashed."""
    if kind == PHONE:
        return spell_phone(value) or value
    if kind != EMAIL:
        return value
    return normalise_email(value) or value.strip().lower()


def spell_phone(value: str) -> str | None:
    """The digits of a number, without the zeros by which it is dialled; None when too few are left."""
    digits = re.sub(r"\D", "", value).lstrip("0")
    return digits if len(digits) >= SHORTEST_PHONE else None


def invent_surrogate(kind: str) -> str:
    """A random name of the same form; an address of it ends in a domain that exists nowhere (RFC 2606)."""
    name = f"erased-{secrets.token_hex(12)}"
    return f"{name}@erased.invalid" if kind == EMAIL else name


@dataclass(frozen=True)
class Hasher:
    """Hashes as the ledger does: of an e-mail address the tombstone's hash is its address_hash."""

    key: str = field(repr=False)
    key_id: str = ""

    @classmethod
    def open(cls, workspace: Workspace) -> Hasher:
        """Raises:
        ConfigurationError: connection safar_address_key is missing or empty.
        """
        connection = workspace.connections.get(ADDRESS_KEY)
        if not connection.secret:
            raise ConfigurationError("Connection 'safar_address_key' has no password. Set it: it keys every hash.")
        return cls(connection.secret, str(connection.extra.get("key_id", "")))

    def hash(self, kind: str, value: str) -> str:
        return hmac.digest(self.key.encode(), f"{kind}:{spell(kind, value)}".encode(), "sha256").hex()


@dataclass(frozen=True)
class Tombstones:
    """All tombstones of the ledger, by kind and hash. Empty is the usual case and costs nothing."""

    hasher: Hasher
    surrogates: Mapping[tuple[str, str], str]

    def __bool__(self) -> bool:
        return bool(self.surrogates)

    def find(self, kind: str, value: str) -> str | None:
        """The surrogate of an erased address or id; None for everybody else."""
        return self.surrogates.get((kind, self.hasher.hash(kind, value)))

    def is_about(self, contact_id: str) -> bool:
        """Whether this contact id is, or stands for, an erased person."""
        return contact_id in self._names or self.find(CONTACT, contact_id) is not None

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.surrogates.values())


def read_tombstones(connection: psycopg.Connection, hasher: Hasher) -> Tombstones:
    """Reads them all: one row per address and id of erased people."""
    rows = connection.execute("select kind, subject_hash, surrogate from ledger.tombstone").fetchall()
    return Tombstones(hasher, {(row[0], row[1]): row[2] for row in rows})


def raise_tombstones(
    connection: psycopg.Connection,
    hasher: Hasher,
    erasure_id: UUID,
    subjects: Iterable[tuple[str, str]],
    surrogates: Mapping[str, str] | None = None,
) -> None:
    """Writes a tombstone for each (kind, value) that has none, in the transaction that is open.

    Args:
        surrogates: by value, where the surrogate follows from another one.
    """
    given = surrogates or {}
    rows = [
        (kind, hasher.hash(kind, value), hasher.key_id, given.get(value) or invent_surrogate(kind), erasure_id)
        for kind, value in subjects
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ledger.tombstone (kind, subject_hash, address_key_id, surrogate, erasure_id) "
            "values (%s, %s, %s, %s, %s) on conflict do nothing",
            rows,
        )
