"""Copies what a build found out about people into the ledger, where dispatch and intake look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString
from zoneinfo import available_timezones

import psycopg
from psycopg import sql

from safar.catalogue import Campaign, Catalogue, load_catalogue
from safar.warehouse.events import EventTable
from safar.warehouse.manifest import Manifest, read_manifest
from safar.warehouse.pin import Pin, require_current
from safar.warehouse.results import NodeResult, read_recorded
from safar.warehouse.transfer import AddressBook, Row, copy_rows
from safar.warehouse.versions import VersionedTable
from safar.workspace import Workspace

ADDRESSES = VersionedTable(
    "address",
    key=("contact_id", "channel"),
    values=("address", "address_hash", "address_key_id", "is_valid", "locale", "time_zone"),
)
ALIASES = VersionedTable("contact_alias", key=("alias_id",), values=("contact_id",))
PERMISSIONS = EventTable(
    "permission_event",
    unique=("source", "source_key"),
    values=("channel", "topic", "address_hash", "contact_id", "state", "proof", "occurred_at"),
)
SUPPRESSIONS = EventTable(
    "suppression", unique=("origin", "origin_key"), values=("channel", "address_hash", "reason", "occurred_at")
)
GOALS = EventTable("goal_seen", unique=("campaign", "contact_id", "goal_at"), values=())

READ_ADDRESSES = """
select contact_id, channel, address, is_valid, locale, time_zone from {table} where address is not null
"""

# A contact is named after its first record. When two people turn out to be one, a name goes out of use, and
# what was written under it is found by alias_id: the name that a record would give to a contact.
READ_ALIASES = """
select record_id, contact_id from {table}
union all
select alias_id, contact_id from {table} where alias_id <> contact_id
"""

READ_PERMISSIONS = """
select source, source_key, channel, topic, address, contact_id, state, proof::text, occurred_at
from {table}
where address is not null
"""

READ_SUPPRESSIONS = """
select origin, origin_key, channel, address, reason, occurred_at from {table} where address is not null
"""

READ_GOALS = """
select distinct %(campaign)s, contact_id, {at} from {table}
where contact_id is not null and {at} >= %(since)s and {at} < %(as_of)s
"""


# Whoever told us to stop, by a link or at the provider, told it of themselves and not of one address: it holds at the
# address that they have by now, until a later word. What vendors say of an address they say of the new one anew.
CARRY_OVER = """
insert into ledger.permission_event (
    channel, topic, address_hash, contact_id, state, source, source_key, proof, occurred_at, recorded_at
)
select
    told.channel, told.topic, address.address_hash, address.contact_id, 'revoked', 'former_address',
    told.permission_event_id || ':' || address.address_hash,
    jsonb_build_object('permission_event_id', told.permission_event_id), told.occurred_at,
    greatest(told.recorded_at, %(recorded_at)s)
from ledger.permission_event as told
left join ledger.contact_alias as alias on told.contact_id = alias.alias_id and alias.until_sequence is null
join ledger.address as address
    on coalesce(alias.contact_id, told.contact_id) = address.contact_id
    and told.channel = address.channel
    and told.address_hash <> address.address_hash
    and address.until_sequence is null
where
    told.state = 'revoked'
    and told.source in ('unsubscribe_link', 'preference_centre', 'sendgrid')
on conflict (source, source_key) do nothing
"""

SLACK = timedelta(days=1)


@dataclass(frozen=True)
class PublishReport:
    """How many rows changed in the ledger, and which models were left out because they are not green."""

    addresses: int = 0
    aliases: int = 0
    permissions: int = 0
    suppressions: int = 0
    goals: int = 0
    skipped: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for a log."""
        text = (
            f"published {self.addresses} addresses, {self.aliases} aliases, {self.permissions} permissions, "
            f"{self.suppressions} suppressions, {self.goals} goals"
        )
        return f"{text}; left out, because not green: {', '.join(self.skipped)}" if self.skipped else text


def publish_contacts(workspace: Workspace, pin: Pin, catalogue: Catalogue | None = None) -> PublishReport:
    """Publishes the run's people and goals in one transaction; publishing again changes nothing.

    What is published is known to this run already, and to no run before it.

    Raises:
        Superseded: a newer run of the cadence is pinned, so the tables are not this run's any more.
    """
    require_current(workspace, pin)
    catalogue = catalogue or load_catalogue(workspace.settings)
    campaigns = [catalogue.campaigns[name] for name in catalogue.name_campaigns(pin.target)]
    with psycopg.connect(workspace.warehouse.dsn) as warehouse, workspace.open_ledger() as ledger:
        ledger.execute("select pg_advisory_xact_lock(hashtext('safar.publish'))")
        publication = _Publication(
            pin,
            warehouse,
            ledger,
            AddressBook(workspace),
            read_manifest(workspace.settings),
            read_recorded(workspace, pin),
        )
        return PublishReport(
            addresses=publication.publish_addresses(),
            aliases=publication.publish_aliases(),
            permissions=publication.publish_permissions() + publication.carry_withdrawals_over(),
            suppressions=publication.publish_suppressions(),
            goals=publication.publish_goals(campaigns),
            skipped=tuple(publication.skipped),
        )


def measure_journey(campaign: Campaign) -> timedelta:
    """How long an entry can have anything left to send: each step may come as late as max_lag allows."""
    waits = sum((step.wait_from_previous for step in campaign.steps), timedelta(0))
    return waits + len(campaign.steps) * campaign.max_lag


class _Publication:
    """One transaction of publishing: reads from the warehouse, hashes, merges into the ledger."""

    def __init__(
        self,
        pin: Pin,
        warehouse: psycopg.Connection,
        ledger: psycopg.Connection,
        book: AddressBook,
        manifest: Manifest,
        results: dict[str, NodeResult],
    ) -> None:
        self._pin = pin
        self._warehouse = warehouse
        self._ledger = ledger
        self._book = book
        self._manifest = manifest
        self._results = results
        self.skipped: list[str] = []

    def publish_addresses(self) -> int:
        spell, hash_spelling, key_id = self._book.spell, self._book.hash_spelling, self._book.key_id
        zones = available_timezones()

        def convert(row: Row) -> Row:
            contact_id, channel, address, is_valid, locale, time_zone = row
            spelling, is_sendable = spell(channel, address)
            hashed = hash_spelling(channel, spelling)
            zone = time_zone if time_zone in zones else None
            return contact_id, channel, spelling, hashed, key_id, bool(is_valid) and is_sendable, locale, zone

        return self._publish("int_contact_addresses", READ_ADDRESSES, ADDRESSES, convert)

    def publish_aliases(self) -> int:
        return self._publish("int_contact_records", READ_ALIASES, ALIASES)

    def publish_permissions(self) -> int:
        def convert(row: Row) -> Row:
            source, source_key, channel, topic, address, *others = row
            return source, source_key, channel, topic, self._book.hash(channel, address), *others

        return self._publish("int_permission_changes", READ_PERMISSIONS, PERMISSIONS, convert)

    def carry_withdrawals_over(self) -> int:
        """Lets withdrawals at former addresses hold at the addresses that were just published."""
        return self._ledger.execute(CARRY_OVER, {"recorded_at": self._pin.published_at}).rowcount

    def publish_suppressions(self) -> int:
        def convert(row: Row) -> Row:
            origin, origin_key, channel, address, *others = row
            return origin, origin_key, channel, self._book.hash(channel, address), *others

        return self._publish("int_suppression_changes", READ_SUPPRESSIONS, SUPPRESSIONS, convert)

    def publish_goals(self, campaigns: list[Campaign]) -> int:
        """Only goals that an entry which still has something to send could have reached."""
        count = 0
        for campaign in campaigns:
            if campaign.goal is None:
                continue
            parameters = {
                "campaign": campaign.name,
                "since": self._pin.as_of - measure_journey(campaign) - SLACK,
                "as_of": self._pin.as_of,
            }
            at = {"at": sql.Identifier(campaign.goal.at)}
            count += self._publish(campaign.goal.model, READ_GOALS, GOALS, None, at, parameters)
        return count

    def _publish(
        self,
        model: str,
        query: LiteralString,
        table: VersionedTable | EventTable,
        convert: Callable[[Row], Row] | None = None,
        names: Mapping[str, sql.Composable] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> int:
        node = self._manifest.find_model(model)
        if node is None or not self._is_green(node):
            self.skipped.append(model)
            return 0
        relation = sql.Identifier(*self._manifest.locate(node, self._pin.target))
        table.create_incoming(self._ledger)
        names = {"table": relation, **(names or {})}
        copy_rows(self._warehouse, query, names, self._ledger, table, convert, parameters)
        return table.merge_incoming(self._ledger, self._pin)

    def _is_green(self, node: str) -> bool:
        """Whether the run built the table and no test of it is red."""
        tests = self._manifest.list_tests({node}, built=self._manifest.tables)
        table = self._results.get(node)
        judged = [self._results[test] for test in tests if test in self._results]
        return table is not None and all(result.is_green for result in (table, *judged))
