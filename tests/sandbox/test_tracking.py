"""The company's site, app and server as a collector hears them: always the same, and to the vendors as if unheard."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

MORNING = "2026-03-02T08:00:00Z"
EVENING = "2026-03-03T20:00:00Z"
PEOPLE = 1500


@dataclass
class Collector:
    """A listener that takes batches, or refuses them for a while."""

    url: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200

    @property
    def ids(self) -> list[str]:
        return [call["messageId"] for _, call in self.calls]

    def of(self, key: str) -> list[dict[str, Any]]:
        return [call for by, call in self.calls if by == key]


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = b64decode(self.headers["Authorization"].split()[1]).decode().rstrip(":")
            assert self.path == "/v1/batch"
            if listening.status == 200:
                listening.calls += [(key, call) for call in body["batch"]]
            self.send_response(listening.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not worth a line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        listening = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield listening
        server.shutdown()
        thread.join()


def listen(sandbox: Any, url: str) -> requests.Response:
    wanted = {"url": url, "page_key": "page", "server_key": "server"}
    return requests.post(f"{sandbox.root}/tracking/collector", json=wanted, timeout=30)


def test_one_seed_tells_the_same_and_the_vendors_tell_nothing_else(
    start_sandbox: Any, tmp_path: Path, collector: Collector
) -> None:
    told, truths = [], []
    for name, steps in (("whole", [EVENING]), ("in steps", [MORNING, EVENING]), ("unheard", [EVENING])):
        sandbox = start_sandbox(tmp_path / name, people=PEOPLE)
        if name != "unheard":
            assert listen(sandbox, collector.url).status_code == 200
        for step in steps:
            sandbox.move_clock(step)
        truths.append(
            {view: sandbox.get(f"/truth/{view}") for view in ("summary", "orders", "carts", "people", "contacts")}
        )
        told.append(sorted(set(collector.ids)))
        assert sandbox.get("/tracking/told")["told"] == len(told[-1])
        collector.calls.clear()
        sandbox.stop()
    assert told[0] == told[1]
    assert len(told[0]) > 200
    assert told[2] == []
    assert truths[0] == truths[1] == truths[2]


def test_who_tells_what(start_sandbox: Any, tmp_path: Path, collector: Collector) -> None:
    sandbox = start_sandbox(tmp_path, people=PEOPLE)
    listen(sandbox, collector.url)
    sandbox.move_clock(EVENING)
    pages, server = collector.of("page"), collector.of("server")
    assert len(collector.ids) > len(set(collector.ids)), "some batches are posted twice"
    events = {call.get("event") for call in pages}
    assert {"Product Viewed", "Product Added", "Checkout Started", "Products Searched", "Product List Viewed"} <= events
    assert {call["type"] for call in pages} == {"track", "page", "screen", "identify"}
    assert "@" not in json.dumps(pages), "no page knows an address"
    assert any("Googlebot" in call["context"]["userAgent"] for call in pages)
    logins = {call["userId"]: call["traits"]["email"] for call in server if call["type"] == "identify"}
    people = {person["email"] for person in sandbox.get("/truth/people")}
    assert logins
    assert {email.strip().lower() for email in logins.values()} <= people
    orders = {
        call["messageId"]: call["properties"]["total"] for call in server if call.get("event") == "Order Completed"
    }
    assert orders
    devices = {call["anonymousId"] for call in pages if "userId" in call}
    before = [call for call in pages if "userId" not in call and call["anonymousId"] in devices]
    assert before, "what was done before somebody logged in"
    sandbox.stop()


def test_what_was_not_taken_is_told_later(start_sandbox: Any, tmp_path: Path, collector: Collector) -> None:
    sandbox = start_sandbox(tmp_path, people=PEOPLE)
    listen(sandbox, collector.url)
    collector.status = 503
    sandbox.move_clock(MORNING)
    waiting = sandbox.get("/tracking/told")
    assert waiting["told"] == 0
    assert waiting["waiting"] > 0
    collector.status = 200
    sandbox.move_clock("2026-03-02T09:00:00Z")
    after = sandbox.get("/tracking/told")
    assert after["waiting"] == 0
    assert after["told"] == len(set(collector.ids)) >= waiting["waiting"]
    sandbox.stop()


def test_it_tells_nobody_outside_of_this_machine(sandbox: Any) -> None:
    assert listen(sandbox, "https://collector.example.com").status_code == 400
    assert requests.post(f"{sandbox.root}/tracking/collector", json={"url": "x"}, timeout=30).status_code == 400
