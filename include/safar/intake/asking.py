"""Asks for a permission: writes that it is pending and plans the mail in which its owner confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from safar.delivery.addresses import hash_address
from safar.intake.settings import IntakeSettings
from safar.intake.topics import Topic
from safar.permission import PermissionRequest, request_confirmation
from safar.workspace import ADDRESS_KEY, Workspace

DAY = timedelta(days=1)

# Two requests at once for one address, or from one network, are counted one after the other.
LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 11))"
COUNT_OF_ADDRESS = """
select count(*)
from ledger.permission_event
where
    address_hash = %s
    and channel = %s
    and state = 'pending'
    and source = 'double_opt_in'
    and occurred_at > %s
"""
COUNT_OF_NETWORK = """
select count(*) from ledger.confirmation_origin where network_hash = %s and requested_at > %s
"""
FORGET_ORIGINS = "delete from ledger.confirmation_origin where requested_at <= %s"
INSERT_ORIGIN = """
insert into ledger.confirmation_origin (request_id, network_hash, requested_at) values (%s, %s, %s)
"""
PLAN = "select ledger.plan_confirmation(%s, %s, %s, %s, %s, %s, %s)"


class Asked(StrEnum):
    """What became of the wish for more."""

    PLANNED = "planned"
    ADDRESS_CAPPED = "address_capped"
    NETWORK_CAPPED = "network_capped"


@dataclass(frozen=True)
class Wish:
    """A permission that somebody would like to give. ``address`` is normalised, ``language`` that of the mail."""

    channel: str
    topic: Topic
    address: str
    language: str
    form: str
    text_version: str
    network: str


@dataclass(frozen=True)
class Asking:
    """What a request for permission needs."""

    key: str
    key_id: str
    valid_for: timedelta
    per_address: int
    per_network: int

    @classmethod
    def open(cls, workspace: Workspace, settings: IntakeSettings) -> Asking:
        """Reads the key by which addresses and networks are hashed.

        Raises:
            ConfigurationError: connection safar_address_key is missing.
        """
        connection = workspace.connections.get(ADDRESS_KEY)
        return cls(
            connection.secret,
            str(connection.extra.get("key_id") or ""),
            settings.confirmation_lifetime,
            settings.opt_ins_per_address,
            settings.opt_ins_per_network,
        )

    def ask(self, connection: psycopg.Connection[Any], wish: Wish, now: datetime) -> Asked:
        """Plans one confirmation mail in the caller's transaction, unless a cap of the last day is reached.

        Args:
            now: business time.
        """
        address_hash = hash_address(self.key, wish.channel, wish.address)
        network_hash = hash_address(self.key, "network", wish.network)
        for subject in sorted((address_hash, network_hash)):
            connection.execute(LOCK, [subject])
        connection.execute(FORGET_ORIGINS, [now - DAY])
        if _count(connection, COUNT_OF_NETWORK, network_hash, now - DAY) >= self.per_network:
            return Asked.NETWORK_CAPPED
        if _count(connection, COUNT_OF_ADDRESS, address_hash, wish.channel, now - DAY) >= self.per_address:
            return Asked.ADDRESS_CAPPED
        request = PermissionRequest(wish.channel, wish.topic.name, address_hash, wish.text_version, wish.form)
        request_id = request_confirmation(connection, request, now=now)
        connection.execute(INSERT_ORIGIN, [request_id, network_hash, now])
        hours = f"{self.valid_for / timedelta(hours=1):g}"
        fields = Jsonb({"topic_label": wish.topic.label(wish.language), "valid_hours": hours})
        values = [request_id, wish.address, self.key_id, wish.language, fields, now, now + self.valid_for]
        connection.execute(PLAN, values)
        return Asked.PLANNED


def _count(connection: psycopg.Connection[Any], query: str, *values: object) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
