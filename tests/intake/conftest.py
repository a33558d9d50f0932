"""A running intake: real uvicorn, real HTTP, real PostgreSQL, and posts signed as the provider signs them."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest
import requests
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg.rows import dict_row

from safar.delivery.addresses import hash_address
from safar.delivery.unsubscribe_tokens import sign_confirmation_token, sign_unsubscribe_token
from safar.intake import create_app
from safar.intake.serving import AccessLog
from safar.intake.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from safar.workspace import Workspace

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMAIL = "berta.quill@example.com"


@dataclass(frozen=True)
class Provider:
    """Signs as SendGrid does."""

    private_key: EllipticCurvePrivateKey

    @property
    def public_key(self) -> str:
        der = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(der).decode()

    def sign(self, body: bytes, at: datetime = NOW) -> dict[str, str]:
        timestamp = str(int(at.timestamp()))
        signature = self.private_key.sign(timestamp.encode() + body, ECDSA(SHA256()))
        return {SIGNATURE_HEADER: b64encode(signature).decode(), TIMESTAMP_HEADER: timestamp}


@dataclass(frozen=True)
class RunningIntake:
    """The intake's address, and the provider that posts to it."""

    url: str
    provider: Provider

    def post(self, events: list[Any], at: datetime = NOW) -> requests.Response:
        body = json.dumps(events).encode() + b"\r\n"
        return self.post_raw(body, self.provider.sign(body, at))

    def post_raw(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        return requests.post(f"{self.url}/webhooks/sendgrid", data=body, headers=headers, timeout=30)


@pytest.fixture(scope="session")
def provider() -> Provider:
    return Provider(generate_private_key(SECP256R1()))


@pytest.fixture
def connections(connections: dict[str, dict[str, object]], provider: Provider) -> dict[str, dict[str, object]]:
    extra = {"event_public_key": provider.public_key}
    return {**connections, "sendgrid": {"conn_type": "http", "host": "http://127.0.0.1:1", "extra": extra}}


@pytest.fixture
def write_keys(connections: dict[str, dict[str, object]]) -> dict[str, str]:
    """The write keys of a shop: of its pages, of its app, of its own server; an intake that starts later knows them."""
    keys = {"web": "client", "phone": "client", "backend": "server"}
    known = {sha256(f"{name}-key".encode()).hexdigest(): {"name": name, "kind": kind} for name, kind in keys.items()}
    connections["safar_intake"] = {**connections["safar_intake"], "extra": {"write_keys": known}}
    return {name: f"{name}-key" for name in keys}


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace(NOW)


@pytest.fixture
def serve(provider: Provider) -> Callable[..., Any]:
    """Serves a workspace's intake within a ``with`` block."""

    @contextmanager
    def serve_workspace(workspace: Workspace, port: int = 0) -> Iterator[RunningIntake]:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            AccessLog(create_app(workspace)), access_log=False, log_config=None, proxy_headers=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield RunningIntake(f"http://127.0.0.1:{listener.getsockname()[1]}", provider)
        finally:
            server.should_exit = True
            thread.join(20)
            listener.close()

    return serve_workspace


@pytest.fixture
def intake(workspace: Workspace, serve: Callable[[Workspace], Any]) -> Iterator[RunningIntake]:
    with serve(workspace) as running:
        yield running


@pytest.fixture
def ledger(database: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(database, autocommit=True, row_factory=dict_row, options="-c timezone=UTC") as connection:
        yield connection


@pytest.fixture
def write_message(ledger: psycopg.Connection[dict[str, Any]]) -> Callable[..., uuid.UUID]:
    """Writes a message as planning and dispatch leave it; returns its id."""

    def write(state: str = "accepted", planned_at: datetime = NOW - timedelta(hours=1), **columns: Any) -> uuid.UUID:
        message_id, action_id = uuid.uuid4(), uuid.uuid4()
        row: dict[str, Any] = {
            "message_id": message_id,
            "action_id": action_id,
            "run_id": "r1",
            "campaign": "reactivation",
            "step": "reminder",
            "occurrence_key": str(message_id),
            "contact_id": "c1",
            "channel": "email",
            "class": "marketing",
            "topic": "marketing",
            "priority": 1,
            "template": "reactivation",
            "locale": "en",
            "address": EMAIL,
            "address_hash": hash_address("test-address-key", "email", EMAIL),
            "address_key_id": "test",
            "state": state,
            "entry_occurred_at": planned_at,
            "due_at": planned_at,
            "expires_at": planned_at + timedelta(days=1),
            "planned_at": planned_at,
            "attempted_at": planned_at if state != "planned" else None,
            **columns,
        }
        # A row in the middle of its life, as no role but the owner can write it.
        with ledger.transaction():
            ledger.execute("set local safar.rewriting = on")
            ledger.execute(
                "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)"
                " values ('r1', 'nightly', 'd', 'a', %s, '{}', 'v') on conflict do nothing",
                [planned_at],
            )
            shared = ("action_id", "run_id", "campaign", "step", "occurrence_key", "contact_id", "class")
            action = {name: row[name] for name in (*shared, "entry_occurred_at", "due_at", "expires_at", "planned_at")}
            _insert(ledger, "action", {**action, "kind": "message"})
            _insert(ledger, "message", row)
        return message_id

    return write


@pytest.fixture
def link(intake: RunningIntake) -> Callable[[uuid.UUID], str]:
    """The unsubscribe link of a message."""
    return lambda message_id: f"{intake.url}/unsubscribe/{sign_unsubscribe_token('test-token-key', message_id)}"


@pytest.fixture
def preferences(intake: RunningIntake) -> Callable[[uuid.UUID], str]:
    """The preference link of a message."""
    return lambda message_id: f"{intake.url}/preferences/{sign_unsubscribe_token('test-token-key', message_id)}"


@pytest.fixture
def confirm(intake: RunningIntake, ledger: psycopg.Connection[dict[str, Any]]) -> Callable[..., str]:
    """The link of the newest confirmation mail, or of a message."""

    def find(message_id: uuid.UUID | None = None) -> str:
        newest = "select message_id from ledger.message where step = 'ask' order by message_id desc limit 1"
        chosen = message_id or ledger.execute(newest).fetchone()["message_id"]
        return f"{intake.url}/confirm/{sign_confirmation_token('test-token-key', chosen)}"

    return find


@pytest.fixture
def permit(ledger: psycopg.Connection[dict[str, Any]]) -> Callable[..., None]:
    """Writes what somebody has said, a day ago."""

    def write(topic: str = "marketing", state: str = "granted", channel: str = "email", address: str = EMAIL) -> None:
        ledger.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key,"
            " occurred_at) values (%s, %s, %s, 'c1', %s, 'form', gen_random_uuid()::text, %s)",
            [channel, topic, hash_address("test-address-key", channel, address), state, NOW - timedelta(days=1)],
        )

    return write


@pytest.fixture
def read_state(ledger: psycopg.Connection[dict[str, Any]]) -> Callable[..., str | None]:
    """What holds now for a topic over a channel, as the claim reads it."""

    def read(topic: str = "marketing", channel: str = "email", address: str = EMAIL) -> str | None:
        row = ledger.execute(
            "select state from ledger.find_permission(%s, %s, %s, 'infinity', 'infinity')",
            [hash_address("test-address-key", channel, address), channel, topic],
        ).fetchone()
        return row["state"] if row else None

    return read


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """An event with everything that the vendor tells, personal data included."""
    count = iter(range(1_000_000))

    def make(kind: str = "delivered", at: datetime = NOW, **keys: Any) -> dict[str, Any]:
        number = next(count)
        made: dict[str, Any] = {
            "email": "Berta.Quill@Example.com",
            "timestamp": int(at.timestamp()),
            "event": kind,
            "sg_event_id": f"event-{number}",
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
            "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "category": ["reactivation", "reminder"],
            "ip": "203.0.113.77",
            "useragent": "Mozilla/5.0 (Quillphone)",
            "response": "250 2.0.0 OK for berta.quill@example.com",
            **keys,
        }
        return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in made.items()}

    return make


@pytest.fixture
def ledger_down(database: str) -> Callable[[], Any]:
    """Makes the ledger's database refuse everybody within a ``with`` block."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    elsewhere = psycopg.conninfo.make_conninfo(database, dbname="postgres")

    @contextmanager
    def refuse() -> Iterator[None]:
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute(f'alter database "{name}" allow_connections false')
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            try:
                yield
            finally:
                connection.execute(f'alter database "{name}" allow_connections true')

    return refuse


def _insert(connection: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    values = psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, row))
    statement = psycopg.sql.SQL("insert into ledger.{} ({}) values ({})")
    connection.execute(statement.format(psycopg.sql.Identifier(table), columns, values), row)
