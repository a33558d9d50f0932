"""Answers an access request: all that is held about a person, from raw versions to messages and why."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from safar.addresses import normalise_email
from safar.catalogue import Catalogue
from safar.erasure.finding import PersonFinder
from safar.erasure.raw_tables import list_raw_tables
from safar.erasure.replacing import make_mentions
from safar.errors import SafarError
from safar.ledger.access import record_access
from safar.ledger.erasures import Person
from safar.ledger.tombstones import CONTACT, EMAIL, Hasher, read_tombstones
from safar.workspace import Workspace

FOLDER = "exports"
LIST_TABLES = """
select namespace.nspname, class.relname
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where
    class.relkind in ('r', 'm') and class.relpersistence <> 't'
    and namespace.nspname not in ('pg_catalog', 'information_schema')
    and namespace.nspname not like 'pg\\_%%'
    and (namespace.nspname = 'ledger') = %s
    and class.relname not in ('tombstone', 'erasure', 'erasure_place')
    and has_table_privilege(class.oid, 'select')
order by 1, 2
"""
# Of the ledger also what follows from a message without naming anybody.
EVENTS = """
select event.* from ledger.provider_event as event
where event.message_id in (select message_id from ledger.message where contact_id = any(%(contacts)s))
    or event.address_hash = any(%(hashes)s)
order by event.occurred_at
"""
TRANSITIONS = """
select transition.* from ledger.message_transition as transition
where transition.message_id in (select message_id from ledger.message where contact_id = any(%(contacts)s))
order by transition.transition_id
"""
# What somebody did in the app, also before they were known there.
APP_EVENTS = """
select event.* from ledger.app_event as event
where event.user_id = any(%(users)s)
    or (event.user_id is null and event.anonymous_id in (
        select own.anonymous_id from ledger.app_event as own where own.user_id = any(%(users)s)
    ))
order by event.occurred_at
"""

Rows = list[dict[str, Any]]


def export_person(
    workspace: Workspace, catalogue: Catalogue, contact_id: str | None, *, address: str | None = None
) -> tuple[Path, Path]:
    """Writes a JSON file and the same as a page, both for their owner alone (0600); the use is logged first.

    Raises:
        SafarError: nobody is known by that id or address.
    """
    hasher = Hasher.open(workspace)
    known = _read_request(contact_id, address)
    with workspace.open_ledger() as ledger, psycopg.connect(workspace.warehouse.dsn) as warehouse:
        named = contact_id and (read_tombstones(ledger, hasher).find(CONTACT, contact_id) or contact_id)
        kind, subject = ("contact", named) if named else ("address", hasher.hash(EMAIL, str(address)))
        record_access(ledger, "export", kind, str(subject))  # type: ignore[arg-type]
        ledger.commit()
        person = PersonFinder(ledger, warehouse, catalogue, hasher).find(known)
        content = _Collector(ledger, warehouse, catalogue, hasher, person).collect()
    if not content.keys() - {"ledger.access_log"}:
        raise SafarError("Nothing is held about such a person. Look the contact_id up in dim_contacts.")
    folder = workspace.settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"person-{hasher.hash('export', str(subject))[:16]}-{workspace.clock.now():%Y%m%dT%H%M%SZ}"
    as_json = _write(folder / f"{name}.json", orjson.dumps(content, default=str, option=orjson.OPT_INDENT_2))
    return as_json, _write(folder / f"{name}.html", _write_page(content).encode())


def _read_request(contact_id: str | None, address: str | None) -> Person:
    if contact_id and "@" in contact_id:
        raise SafarError(
            "An address does not belong on a command line, where history and process lists keep it. "
            "Write it to standard input: safar export --address-from-stdin."
        )
    if contact_id:
        return Person(contact_ids=frozenset({contact_id}))
    spelling = normalise_email(address)
    if spelling is None:
        raise SafarError("What came on standard input is no e-mail address.")
    return Person(addresses=frozenset({spelling}))


class _Collector:
    """Reads every table of both databases for rows about one person."""

    def __init__(
        self,
        ledger: psycopg.Connection,
        warehouse: psycopg.Connection,
        catalogue: Catalogue,
        hasher: Hasher,
        person: Person,
    ) -> None:
        self._ledger = ledger
        self._warehouse = warehouse
        self._catalogue = catalogue
        self._person = person
        self._pattern = make_mentions(person)
        self._hashes = [hasher.hash(EMAIL, address) for address in sorted(person.addresses)]

    def collect(self) -> dict[str, Rows]:
        """Rows by table; tables without any are left out."""
        found = {name: rows for name, rows in [*self._read_raw(), *self._read_tables(), *self._read_ledger()] if rows}
        return dict(sorted(found.items()))

    def _read_raw(self) -> Iterator[tuple[str, Rows]]:
        for table in list_raw_tables(self._warehouse, self._catalogue):
            owned = table.belongs_to(self._person)
            if owned is not None:
                statement = sql.SQL("select * from {} where {}").format(table.identifier, owned[0])
                yield f"{table.source.schema_name}.{table.table.name}", _fetch(self._warehouse, statement, owned[1])

    def _read_tables(self) -> Iterator[tuple[str, Rows]]:
        declared = {
            (source.schema_name, table.name) for source in self._catalogue.sources.values() for table in source.tables
        }
        for schema, name in self._warehouse.execute(LIST_TABLES, [False]).fetchall():
            if (schema, name) not in declared:
                yield f"{schema}.{name}", self._search(self._warehouse, schema, name)

    def _read_ledger(self) -> Iterator[tuple[str, Rows]]:
        users = [f"{source}:{record}" for source, record in sorted(self._person.records) if source == "app"]
        values = {"contacts": sorted(self._person.contact_ids), "hashes": self._hashes, "users": users}
        for _, name in self._ledger.execute(LIST_TABLES, [True]).fetchall():
            if name == "provider_event":
                yield "ledger.provider_event", _fetch(self._ledger, sql.SQL(EVENTS), values)
            elif name == "app_event":
                yield "ledger.app_event", _fetch(self._ledger, sql.SQL(APP_EVENTS), values)
            elif name == "message_transition":
                yield "ledger.message_transition", _fetch(self._ledger, sql.SQL(TRANSITIONS), values)
            else:
                yield f"ledger.{name}", self._search(self._ledger, "ledger", name)

    def _search(self, connection: psycopg.Connection, schema: str, name: str) -> Rows:
        statement = sql.SQL("select told.* from {} as told where told::text ~* %(pattern)s").format(
            sql.Identifier(schema, name)
        )
        hashes = "|".join(self._hashes)
        pattern = f"{self._pattern}|{hashes}" if hashes else self._pattern
        return _fetch(connection, statement, {"pattern": pattern})


def _fetch(connection: psycopg.Connection, statement: sql.SQL | sql.Composed, values: dict[str, Any]) -> Rows:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows: Rows = cursor.execute(statement, values).fetchall()
        return rows


def _write(path: Path, content: bytes) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    path.chmod(0o600)
    return path


def _write_page(content: dict[str, Rows]) -> str:
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>What is held about you</title>"]
    parts.append("<style>body{font:16px/1.5 sans-serif;margin:2rem}td,th{padding:.2rem .6rem;text-align:left;")
    parts.append("vertical-align:top;border-bottom:1px solid #ccc}</style><h1>What is held about you</h1>")
    for table, rows in content.items():
        parts.append(f"<h2>{html.escape(table)}</h2>")
        for row in rows:
            cells = "".join(
                f"<tr><th scope='row'>{html.escape(name)}<td>{html.escape(_write_value(value))}"
                for name, value in row.items()
                if value is not None
            )
            parts.append(f"<table>{cells}</table>")
    return "".join(parts) + "</html>"


def _write_value(value: object) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
