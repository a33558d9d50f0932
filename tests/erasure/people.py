"""One person as the vendors, a build and the ledger know them, and vendors that may be down."""

from __future__ import annotations

import json
import re
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from safar.catalogue import Catalogue
from safar.delivery.addresses import hash_address

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))

from raw_tables import create_raw_tables

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMAIL = "kanari.winter@example.com"
HASH = hash_address("test-address-key", "email", EMAIL)
CONTACT = md5(b"hubspot:1001", usedforsecurity=False).hexdigest()
ALIAS = md5(b"shopify:gid://shopify/Customer/7001", usedforsecurity=False).hexdigest()
CUSTOMER = "gid://shopify/Customer/7001"
PHONE, SHARED_PHONE = "+49 (555) 0199-777001", "+49 555 0199 777002"
"""Of the person alone, and of the line that a neighbour has too."""
WORDS = [EMAIL, PHONE, "Kanaribert", "Winterhalder", CONTACT, ALIAS, CUSTOMER, "hubspot:1001", "kanari-token"]
VERSION = {"_dlt_valid_from": NOW - timedelta(days=9), "_dlt_valid_to": None, "_deleted": None}
BUILT = """
create schema nightly_intermediate;
create table nightly_intermediate.int_contact_records (record_id text, contact_id text, alias_id text);
create schema nightly_marts;
create table nightly_marts.dim_contacts (
    contact_id text not null, email text, first_name text, hubspot_id text, total numeric
);
create schema decisions;
create table decisions.fct_entries (contact_id text, fields jsonb, entered_at timestamptz);
create table decisions.fct_decisions (
    contact_id text, fields jsonb, decided_at timestamptz, run_id text, campaign text, step text, occurrence_key text,
    outcome text
);
"""


@dataclass
class Company:
    """A database with the declared raw tables, in which one person and a neighbour live."""

    dsn: str
    warehouse_dsn: str
    catalogue: Catalogue

    def __post_init__(self) -> None:
        create_raw_tables(self.warehouse_dsn, self.catalogue.sources.values())
        with psycopg.connect(self.warehouse_dsn) as warehouse:
            warehouse.execute(BUILT)

    def execute(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.dsn, autocommit=True, options="-c timezone=UTC") as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def insert(self, schema: str, table: str, **row: Any) -> None:
        statement = sql.SQL("insert into {}.{} ({}) values ({})").format(
            sql.Identifier(schema),
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        )
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement, row)

    def add_people(self) -> None:
        """Kanaribert in the CRM, twice told, and in the shop, with an order and a cart; a neighbour with one more."""
        for first_name, until in (("Kanaribert", NOW - timedelta(days=5)), ("Kanaribert", None)):
            version = {**VERSION, "_dlt_id": str(uuid.uuid4()), "_dlt_valid_to": until}
            self.insert(
                "raw_hubspot",
                "contacts",
                id="1001",
                properties__email=f" {EMAIL.title()} ",
                properties__firstname=first_name,
                properties__lastname="Winterhalder",
                properties__phone=f" {PHONE}",
                **version,
            )
        self.insert(
            "raw_hubspot",
            "contacts",
            id="10010",
            properties__email="neighbour@example.com",
            properties__firstname="Anna",
            properties__phone=SHARED_PHONE,
            _dlt_id="n",
            **VERSION,
        )
        self.insert(
            "raw_hubspot",
            "subscription_statuses",
            subscriber_id_string=EMAIL,
            subscription_id=441,
            status="SUBSCRIBED",
            _dlt_id="s",
            **VERSION,
        )
        self.insert(
            "raw_hubspot",
            "form_submissions",
            form_id="f",
            conversion_id="s1",
            submitted_at=NOW - timedelta(days=9),
            values__email=EMAIL.title(),
            values__message="I am Kanaribert Winterhalder.",
            _dlt_id="f",
            **VERSION,
        )
        self.insert("raw_hubspot", "list_contacts", list_id="9", contact_id="1001", _dlt_id="l", **VERSION)
        self.insert(
            "raw_shopify",
            "customers",
            id=CUSTOMER,
            email=EMAIL,
            first_name="Kanaribert",
            phone=SHARED_PHONE.replace(" ", ""),
            tags=Jsonb(["Winterhalder"]),
            _dlt_id="c",
            **VERSION,
        )
        for number, customer in ((1, CUSTOMER), (2, "gid://shopify/Customer/70010")):
            self.insert(
                "raw_shopify",
                "orders",
                id=f"o{number}",
                name=f"#{number}",
                customer__id=customer,
                email=EMAIL if number == 1 else "neighbour@example.com",
                total_price_set__shop_money__amount="12.50",
                _dlt_id=f"o{number}",
                **VERSION,
            )
        self.insert(
            "raw_shopify",
            "abandoned_checkouts",
            id="a1",
            customer__id=CUSTOMER,
            customer__email=EMAIL,
            abandoned_checkout_url="https://shop.example.com/kanari-token",
            _dlt_id="a",
            **VERSION,
        )
        for record in ("hubspot:1001", f"shopify:{CUSTOMER}"):
            alias = md5(record.encode(), usedforsecurity=False).hexdigest()
            self.insert(
                "nightly_intermediate", "int_contact_records", record_id=record, contact_id=CONTACT, alias_id=alias
            )
        self.insert(
            "nightly_marts",
            "dim_contacts",
            contact_id=CONTACT,
            email=EMAIL,
            first_name="Kanaribert",
            hubspot_id="1001",
            total=12.5,
        )
        self.insert(
            "nightly_marts",
            "dim_contacts",
            contact_id="neighbour",
            email="neighbour@example.com",
            first_name="Anna",
            hubspot_id="10010",
            total=12.5,
        )
        for table, moment in (("fct_entries", "entered_at"), ("fct_decisions", "decided_at")):
            fields = Jsonb({"first_name": "Kanaribert", "url": "https://shop.example.com/kanari-token", "amount": 12.5})
            decided = {"run_id": "r1", "campaign": "reactivation", "step": "reminder", "occurrence_key": "once"}
            more = {**decided, "outcome": "held_out"} if table == "fct_decisions" else {}
            self.insert("decisions", table, contact_id=CONTACT, fields=fields, **{moment: NOW}, **more)
        self.insert(
            "ledger",
            "address",
            contact_id=CONTACT,
            channel="email",
            address=EMAIL,
            address_hash=HASH,
            address_key_id="test",
            is_valid=True,
            locale="de",
            from_sequence=1,
        )
        for alias in (CONTACT, ALIAS):
            self.insert("ledger", "contact_alias", alias_id=alias, contact_id=CONTACT, from_sequence=1)
        self.insert(
            "ledger",
            "permission_event",
            channel="email",
            topic="all",
            address_hash=HASH,
            contact_id=CONTACT,
            state="granted",
            source="hubspot",
            source_key=md5(EMAIL.encode()).hexdigest(),
            proof=Jsonb({"form": "newsletter", "name": "Kanaribert"}),
            occurred_at=NOW,
        )

    def add_message(self, state: str = "planned", **columns: Any) -> uuid.UUID:
        """A message to the person, as planning writes it, then carried on to the state as a dispatcher would."""
        message_id = uuid.uuid4()
        self.execute(
            "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version) "
            "values ('r1', 'nightly', 'd', 'r1', %s, '{}', 'v') on conflict do nothing",
            NOW,
        )
        shared = {
            "action_id": message_id,
            "run_id": "r1",
            "campaign": "reactivation",
            "step": "reminder",
            "occurrence_key": str(message_id),
            "contact_id": CONTACT,
            "class": "marketing",
            "entry_occurred_at": NOW,
            "due_at": NOW,
            "expires_at": NOW + timedelta(days=3),
            "planned_at": NOW,
        }
        self.insert("ledger", "action", **shared, kind="message")
        self.insert(
            "ledger",
            "message",
            **{
                **shared,
                "message_id": message_id,
                "channel": "email",
                "priority": 1,
                "template": "reactivation_reminder",
                "locale": "en",
                "address": EMAIL,
                "address_hash": HASH,
                "address_key_id": "test",
                "fields": Jsonb({"first_name": "Kanaribert"}),
                **columns,
            },
        )
        road = {
            "claimed": ["claimed"],
            "attempting": ["claimed", "attempting"],
            "accepted": ["claimed", "attempting", "accepted"],
        }.get(state, [])
        if road:
            self.execute(
                "insert into ledger.claim (claim_id, lease_until, message_ids) values (%s, now() + interval '1 hour', %s)",
                str(message_id),
                [message_id],
            )
        for step in road:
            self.move(message_id, step)
        return message_id

    def move(self, message_id: uuid.UUID, state: str) -> None:
        changes = {
            "claimed": "claimed_at = now(), claimed_by = message_id::text",
            "attempting": "attempted_at = now(), attempt_count = attempt_count + 1",
            "accepted": "accepted_at = now()",
        }
        self.execute(f"update ledger.message set state = '{state}', {changes[state]} where message_id = %s", message_id)

    def list_mentions(self, words: list[str]) -> list[str]:
        """Tables of any schema that hold one of the words."""
        tables = self.execute(
            "select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
            "where relkind in ('r', 'm') and nspname not in ('pg_catalog', 'information_schema') and nspname not like 'pg\\_%'"
        )
        found = []
        for schema, table in tables:
            text = "\n".join(
                row[0] or "" for row in self.execute(f'select told::text from "{schema}"."{table}" as told')
            )
            found += [
                f"{schema}.{table}: {word}"
                for word in words
                if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
            ]
        return found


@dataclass
class Vendors:
    """A listener that answers as the vendors' erase endpoints do (the sandbox holds them against their SDKs)."""

    url: str
    calls: list[tuple[str, Any]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    """Part of a path -> the status with which it answers."""


@contextmanager
def listen() -> Iterator[Vendors]:
    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "access_token" in self.path:
                self._answer(200, {"access_token": "t", "expires_in": 3600})
                return
            vendors.calls.append((self.path, json.loads(body)))
            status = next((code for part, code in vendors.statuses.items() if part in self.path), None)
            if status is not None:
                self._answer(status, {"message": "not now"})
            elif "graphql" in self.path:
                self._answer(200, {"data": {"customerRequestDataErasure": {"customerId": "x", "userErrors": []}}})
            else:
                self._answer(202 if "erasejob" in self.path else 204, {"job_id": "j"})

        def _answer(self, status: int, content: Any) -> None:
            body = b"" if status == 204 else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not worth a line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        vendors = Vendors(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield vendors
        server.shutdown()
        thread.join()
