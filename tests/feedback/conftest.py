"""Rows as planning and dispatch leave them, and a provider with suppression lists."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from safar.delivery.addresses import hash_address
from safar.workspace import Workspace

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMAIL = "berta.quill@example.com"


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace(NOW)


@pytest.fixture
def ledger(database: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(database, autocommit=True, row_factory=dict_row, options="-c timezone=UTC") as connection:
        yield connection


@pytest.fixture
def insert(ledger: psycopg.Connection[dict[str, Any]]) -> Callable[..., None]:
    """Inserts one row into a table, given as schema and name."""

    def insert_row(schema: str, table: str, **row: Any) -> None:
        statement = sql.SQL("insert into {}.{} ({}) values ({}) on conflict do nothing").format(
            sql.Identifier(schema),
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        )
        ledger.execute(statement, row)

    return insert_row


@pytest.fixture
def write_run(insert: Callable[..., None]) -> Callable[..., str]:
    def write(run_id: str = "r1", as_of: datetime = NOW) -> str:
        insert(
            "ledger",
            "run",
            run_id=run_id,
            cadence="nightly",
            dag_id="d",
            airflow_run_id=run_id,
            as_of=as_of,
            known_at="{}",
            rules_version="v",
        )
        return run_id

    return write


@pytest.fixture
def write_message(
    ledger: psycopg.Connection[dict[str, Any]], insert: Callable[..., None], write_run: Callable[..., str]
) -> Callable[..., uuid.UUID]:
    """Writes an action with its message in a state; returns the message's id. It is also the action's."""

    def write(state: str = "accepted", attempted_at: datetime = NOW - timedelta(hours=1), **columns: Any) -> uuid.UUID:
        message_id = uuid.uuid4()
        shared: dict[str, Any] = {
            "action_id": message_id,
            "run_id": write_run(columns.pop("run_id", "r1")),
            "campaign": "reactivation",
            "step": "reminder",
            "occurrence_key": str(message_id),
            "contact_id": "c1",
            "class": columns.pop("class_", "marketing"),
            "entry_occurred_at": attempted_at,
            "due_at": attempted_at,
            "expires_at": attempted_at + timedelta(days=3),
            "planned_at": attempted_at,
        }
        shared.update({name: columns.pop(name) for name in list(columns) if name in shared})
        insert("ledger", "action", **shared, kind="message")
        message = {
            "message_id": message_id,
            "channel": "email",
            "priority": 1,
            "template": "reactivation",
            "locale": "en",
            "address": EMAIL,
            "address_hash": hash_address("test-address-key", "email", EMAIL),
            "address_key_id": "test",
            "state": state,
            "attempt_count": 1,
            "attempted_at": attempted_at,
            "claimed_at": attempted_at,
        }
        # A row in the middle of its life, as no role but the owner can write it.
        with ledger.transaction():
            ledger.execute("set local safar.rewriting = on")
            insert("ledger", "message", **{**shared, **message, **columns})
        return message_id

    return write


@pytest.fixture
def write_event(insert: Callable[..., None]) -> Callable[..., None]:
    """Writes a provider's event as the intake does, but without its effects."""

    def write(message_id: uuid.UUID | None, event_type: str = "delivered", at: datetime = NOW, **columns: Any) -> None:
        insert(
            "ledger",
            "provider_event",
            provider="sendgrid",
            event_id=str(uuid.uuid4()),
            message_id=message_id,
            event_type=event_type,
            occurred_at=at,
            **columns,
        )

    return write


class SuppressionServer(ThreadingHTTPServer):
    """SendGrid's suppression lists: paged by offset, closed to strangers, and now and then in a mood."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SuppressionRequests)
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.moods: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, email: str, created: datetime) -> None:
        row = {"created": int(created.timestamp()), "email": email, "reason": f"550 no {email}", "status": "5.1.1"}
        self.lists.setdefault(name, []).append(row)


class _SuppressionRequests(BaseHTTPRequestHandler):
    server: SuppressionServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        name = url.path.rsplit("/", 1)[1]
        if self.headers["Authorization"] != "Bearer SG.test":
            self._answer(401, {"errors": [{"message": "authorization required"}]})
        elif self.server.moods:
            self._answer(self.server.moods.pop(0), {"errors": [{"message": "not now"}]})
        else:
            self.server.asked.append((name, query))
            start, end, offset, limit = (int(query[key]) for key in ("start_time", "end_time", "offset", "limit"))
            rows = [row for row in self.server.lists.get(name, []) if start <= row["created"] <= end]
            self._answer(200, rows[offset : offset + limit])

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


@pytest.fixture
def sendgrid(connections: dict[str, dict[str, object]]) -> Iterator[SuppressionServer]:
    with SuppressionServer() as server:
        connections["sendgrid"] = {"conn_type": "http", "host": server.url, "password": "SG.test", "extra": {}}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
