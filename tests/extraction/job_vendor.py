"""A tiny real vendor whose rows come from jobs: CSV in pages by a locator, and JSON lines at an address elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "right-token"
Answer = Callable[["JobHandler"], None]
"""What is sent in the place of a page."""


@dataclass
class JobVendor:
    """What the jobs come to, and what was asked."""

    states: list[str] = field(default_factory=lambda: ["Complete"])
    """Told to one poll after the other; the last one stays."""
    refusals: list[str] = field(default_factory=list)
    pages: list[bytes] = field(default_factory=list)
    """Of the CSV."""
    lines: bytes = b""
    rows: int | None = None
    reason: str = ""
    url: str | None = None
    """Where the JSON lines are."""
    people: list[list[dict[str, Any]]] = field(default_factory=list)
    """Pages of the query without a job."""
    faults: list[Answer] = field(default_factory=list)
    """Instead of a page of the CSV or of the query."""
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """Method, path, headers in small letters, query or body."""
    started: int = 0
    base_url: str = ""

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


class JobHandler(BaseHTTPRequestHandler):
    vendor: JobVendor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(json.loads(raw) if raw else {})

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: Any) -> None:
        url, vendor = urlsplit(self.path), self.vendor
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        vendor.requests.append((self.command, url.path, headers, {**query, **(body or {})}))
        if url.path == "/elsewhere":
            self.send(200, vendor.lines, {"Content-Type": "application/jsonl"})
        elif headers.get("authorization") != f"Bearer {TOKEN}":
            self.send(401, {"code": "NO"})
        elif url.path == "/jobs":
            self._start()
        elif url.path.endswith("/cancel"):
            self.send(200, {})
        elif url.path.endswith("/results") or url.path == "/people":
            (vendor.faults.pop(0) if vendor.faults else _send_page)(self)
        else:
            state = vendor.states.pop(0) if len(vendor.states) > 1 else vendor.states[0]
            self.send(200, {"state": state, "rows": vendor.rows, "reason": vendor.reason, "url": vendor.url})

    def _start(self) -> None:
        if self.vendor.refusals:
            self.send(200, {"error": {"message": self.vendor.refusals.pop(0)}})
            return
        self.vendor.started += 1
        self.send(201, {"job": {"id": f"J{self.vendor.started}"}})


def _send_page(handler: JobHandler) -> None:
    _, path, _, query = handler.vendor.requests[-1]
    if path == "/people":
        place = int(query.get("page", 0))
        more = f"/people?page={place + 1}" if place + 1 < len(handler.vendor.people) else None
        handler.send(200, {"records": handler.vendor.people[place], "next": more})
        return
    place = int(query.get("locator", "0"))
    following = str(place + 1) if place + 1 < len(handler.vendor.pages) else "null"
    handler.send(200, handler.vendor.pages[place], {"X-Locator": following, "Content-Type": "text/csv"})


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    return lambda handler: handler.send(status, body, headers)


def cut_body(handler: JobHandler) -> None:
    """Announces more than it sends, and hangs up."""
    handler.send(200, b'id,changed,note,is_on\nC9,"2026', {"Content-Length": "4000", "Content-Type": "text/csv"})
    handler.close_connection = True


@contextmanager
def open_job_vendor() -> Iterator[JobVendor]:
    vendor = JobVendor()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneJobHandler", (JobHandler,), {"vendor": vendor}))
    server.daemon_threads = True
    vendor.base_url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
