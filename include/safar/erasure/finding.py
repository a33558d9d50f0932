"""Finds everything by which a person is known: contact ids, vendors' records, addresses, and what goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
from psycopg import sql

from safar.catalogue import Catalogue
from safar.erasure.raw_tables import DIGITS, SPELLED, RawTable, list_raw_tables
from safar.ledger.erasures import Person
from safar.ledger.tombstones import CONTACT, EMAIL, SHORTEST_PHONE, SURROGATE, Hasher, Tombstones

CONTACT_RECORDS = """
select schemaname from pg_catalog.pg_tables where tablename = 'int_contact_records' order by schemaname
"""
FIND_RECORDS = """
select contact_id, alias_id, record_id
from {table}
where contact_id = any(%(contacts)s) or alias_id = any(%(contacts)s) or record_id = any(%(records)s)
"""
FIND_ALIASES = """
select alias_id, contact_id
from ledger.contact_alias
where alias_id = any(%(contacts)s) or contact_id = any(%(contacts)s)
union
select contact_id, contact_id from ledger.address where address_hash = any(%(hashes)s)
"""
FIND_ADDRESSES = """
select lower(btrim(address)) from ledger.address where contact_id = any(%(contacts)s) and address is not null
union
select lower(btrim(address)) from ledger.message where contact_id = any(%(contacts)s) and address is not null
"""
FIND_APP_USERS = "select distinct user_id from ledger.app_event where address_hash = any(%s)"
FIND_APP_ADDRESSES = (
    "select distinct lower(btrim(email)) from ledger.app_event where user_id = any(%s) and email is not null"
)
LIST_APP_USERS = "select distinct user_id, email from ledger.app_event where user_id is not null"
APP = "app"
# Whoever filled in a form and is known to no source has no other name than the hash of the address.
BY_ADDRESS = "address:"
FIND_FORMS = (
    "select distinct contact_id from ledger.message where address_hash = any(%s) and contact_id like 'address:%%'"
)
CONTACT_IDS = """
select contact_id from ledger.action
union select contact_id from ledger.address
union select alias_id from ledger.contact_alias
union select contact_id from ledger.permission_event where contact_id is not null
"""


class PersonFinder:
    """Looks in the ledger, in the identities that builds have made, and in the raw versions."""

    def __init__(
        self, ledger: psycopg.Connection, warehouse: psycopg.Connection, catalogue: Catalogue, hasher: Hasher
    ) -> None:
        self._ledger = ledger
        self._warehouse = warehouse
        self._hasher = hasher
        self._tables = list(list_raw_tables(warehouse, catalogue))
        self._identities = [row[0] for row in warehouse.execute(CONTACT_RECORDS)]

    def find(self, known: Person) -> Person:
        """Completes what is known of a person.

        People are one when the builds say so. An address or a number that by now belongs to somebody else's open record
        is left to them.
        """
        by_address = Person(frozenset(one for one in known.contact_ids if one.startswith(BY_ADDRESS)))
        known = replace(known, addresses=known.addresses | self._read_addresses(by_address))
        at_addresses = self._records_at(known.addresses) | self._app_users_at(known.addresses)
        person = replace(known, records=known.records | at_addresses)
        while (grown := self._grow(person)) != person:
            person = grown
        person = replace(person, addresses=person.addresses | self._read_addresses(person))
        person = replace(person, addresses=person.addresses - self._taken(person, "address", SPELLED, person.addresses))
        person = replace(
            person,
            contact_ids=person.contact_ids | self._read_forms(person.addresses),
            records=person.records | self._app_users_at(person.addresses),
        )
        phones = person.phones | self._read_phones(person)
        phones -= self._taken(person, "phone", DIGITS, phones)
        return replace(person, values=person.values | self._read_values(person), phones=phones)

    def find_erased(self, tombstones: Tombstones) -> dict[str, Person]:
        """People who are back although a tombstone stands for them, as after a restore, by the surrogate."""
        found: dict[str, Person] = {}
        for kind, value in self._list_subjects():
            surrogate = None if SURROGATE.fullmatch(value) else tombstones.find(kind, value)
            if surrogate is None:
                continue
            person = Person()
            if kind == EMAIL:
                person = Person(addresses=frozenset({value}))
            elif kind == CONTACT:
                person = Person(contact_ids=frozenset({value}))
            else:
                person = Person(records=frozenset({(kind, value)}))
            found[surrogate] = person
        return found

    def _list_subjects(self) -> list[tuple[str, str]]:
        subjects = [(CONTACT, row[0]) for row in self._ledger.execute(CONTACT_IDS)]
        for user_id, email in self._ledger.execute(LIST_APP_USERS):
            subjects += [(APP, user_id.removeprefix(f"{APP}:")), *([(EMAIL, email)] if email else [])]
        for table in self._tables:
            for name in table.name_columns("record"):
                subjects += [(table.source.name, value) for value in self._distinct(table, sql.Identifier(name))]
            for name in table.name_columns("address"):
                subjects += [(EMAIL, value) for value in self._distinct(table, SPELLED.format(sql.Identifier(name)))]
        return subjects

    def _distinct(self, table: RawTable, value: sql.Composable) -> list[str]:
        statement = sql.SQL("select distinct {} as value from {}").format(value, table.identifier)
        return [row[0] for row in self._warehouse.execute(statement) if row[0]]

    def _grow(self, person: Person) -> Person:
        contacts, records = set(person.contact_ids), set(person.records)
        hashes = [self._hasher.hash(EMAIL, address) for address in person.addresses]
        for row in self._ledger.execute(FIND_ALIASES, {"contacts": sorted(contacts), "hashes": hashes}):
            contacts.update(row)
        known = {"contacts": sorted(contacts), "records": [f"{source}:{record}" for source, record in records]}
        for schema in self._identities:
            statement = sql.SQL(FIND_RECORDS).format(table=sql.Identifier(schema, "int_contact_records"))
            for contact_id, alias_id, record_id in self._warehouse.execute(statement, known):
                contacts.update((contact_id, alias_id))
                source, _, record = record_id.partition(":")
                records.add((source, record))
        return replace(person, contact_ids=frozenset(contacts), records=frozenset(records))

    def _records_at(self, addresses: frozenset[str]) -> frozenset[tuple[str, str]]:
        """Records of people whose open version has one of the addresses."""
        found: set[tuple[str, str]] = set()
        for table in self._tables:
            names = table.name_columns("record")
            if addresses and table.is_of_people and names:
                found |= {
                    (table.source.name, row[0])
                    for name in table.name_columns("address")
                    for row in self._open_at(table, SPELLED.format(sql.Identifier(name)), addresses, names[0])
                }
        return frozenset(found)

    def _app_users_at(self, addresses: frozenset[str]) -> frozenset[tuple[str, str]]:
        """Users of the app of whom our own server has told one of the addresses."""
        hashes = [self._hasher.hash(EMAIL, address) for address in addresses]
        rows = self._ledger.execute(FIND_APP_USERS, [hashes]).fetchall() if hashes else []
        return frozenset((APP, row[0].removeprefix(f"{APP}:")) for row in rows)

    def _open_at(
        self, table: RawTable, spelled: sql.Composable, wanted: frozenset[str], record: str
    ) -> list[tuple[str, str]]:
        statement = sql.SQL(
            "select distinct {record}, {spelled} from {table} where _dlt_valid_to is null and {spelled} = any(%s)"
        ).format(record=sql.Identifier(record), spelled=spelled, table=table.identifier)
        return [(row[0], row[1]) for row in self._warehouse.execute(statement, [sorted(wanted)])]

    def _taken(self, person: Person, kind: str, spelling: sql.SQL, wanted: frozenset[str]) -> set[str]:
        """Those of the wanted values that stand in an open record of somebody else."""
        taken: set[str] = set()
        for table in self._tables:
            names = table.name_columns("record")
            if table.is_of_people and names:
                for name in table.name_columns(kind):
                    rows = self._open_at(table, spelling.format(sql.Identifier(name)), wanted, names[0])
                    taken |= {spelled for record, spelled in rows if (table.source.name, record) not in person.records}
        return taken

    def _read_addresses(self, person: Person) -> frozenset[str]:
        found = {row[0] for row in self._ledger.execute(FIND_ADDRESSES, {"contacts": sorted(person.contact_ids)})}
        users = [f"{APP}:{record}" for source, record in sorted(person.records) if source == APP]
        found |= {row[0] for row in self._ledger.execute(FIND_APP_ADDRESSES, [users])}
        for table in self._tables:
            columns = [SPELLED.format(sql.Identifier(name)) for name in table.name_columns("address")]
            found |= self._read(table, person, columns)
        return frozenset(address for address in found if not SURROGATE.fullmatch(address))

    def _read_forms(self, addresses: frozenset[str]) -> frozenset[str]:
        if not addresses:
            return frozenset()
        hashes = [self._hasher.hash(EMAIL, address) for address in addresses]
        return frozenset(row[0] for row in self._ledger.execute(FIND_FORMS, [hashes]))

    def _read_phones(self, person: Person) -> frozenset[str]:
        found: set[str] = set()
        for table in self._tables:
            columns = [DIGITS.format(sql.Identifier(name)) for name in table.name_columns("phone")]
            found |= self._read(table, person, columns)
        return frozenset(phone for phone in found if len(phone) >= SHORTEST_PHONE)

    def _read_values(self, person: Person) -> frozenset[str]:
        found: set[str] = set()
        for table in self._tables:
            names = [name for name in table.name_columns(True, "phone") if table.types[name] != "jsonb"]
            found |= self._read(
                table, person, [sql.SQL("btrim({}::text)").format(sql.Identifier(name)) for name in names]
            )
        return frozenset(found)

    def _read(self, table: RawTable, person: Person, columns: Sequence[sql.Composable]) -> set[str]:
        owned = table.belongs_to(person)
        if owned is None or not columns:
            return set()
        condition, parameters = owned
        statement = sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(columns), table.identifier, condition
        )
        return {value for row in self._warehouse.execute(statement, parameters) for value in row if value}


def group_by_erasure(ledger: psycopg.Connection, found: dict[str, Person]) -> dict[UUID, Person]:
    """Joins what belongs to one erasure, which is one person."""
    rows = ledger.execute(
        "select surrogate, erasure_id from ledger.tombstone where surrogate = any(%s)", [sorted(found)]
    ).fetchall()
    people: dict[UUID, Person] = {}
    for surrogate, erasure_id in rows:
        people[erasure_id] = people.get(erasure_id, Person()) | found[surrogate]
    return people
