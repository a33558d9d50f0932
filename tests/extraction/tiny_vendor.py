"""A tiny real vendor: an HTTP server with contacts that can be listed, searched, reported and looked up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Record = dict[str, Any]
Fault = Callable[["Handler"], bool]
"""Answers instead of the vendor and returns True, or returns False to let it answer."""

TOKEN = "right-token"


@dataclass
class Vendor:
    """What the vendor knows, what it is asked, and which faults come next."""

    contacts: list[Record] = field(default_factory=list)
    archived: list[Record] = field(default_factory=list)
    days: list[Record] = field(default_factory=list)
    orders: list[Record] = field(default_factory=list)
    consents: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[Record]] = field(default_factory=dict)
    """By the contact's id."""
    tell_list: Callable[[Record], Record] | None = None
    """Answers who asks at /graphql for the next page of a list inside an order."""
    page_size: int = 2
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    tokens_given: int = 0
    base_url: str = ""

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    def bodies(self, path: str) -> list[Any]:
        return [body for _, asked, body in self.requests if asked == path]


class Handler(BaseHTTPRequestHandler):
    vendor: Vendor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        self._answer(json.loads(raw) if is_json else parse_qs(raw.decode()))

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> bool:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        return True

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: Any) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.vendor.requests.append((self.command, url.path, body if body is not None else query))
        if self.vendor.faults and self.vendor.faults.pop(0)(self):
            return
        ROUTES.get(url.path, _list_notes)(self, query, body)


def _list(handler: Handler, query: dict[str, str], _: Any) -> None:
    if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
        handler.send(401, {"message": "no"})
        return
    records = handler.vendor.archived if query.get("archived") == "true" else handler.vendor.contacts
    _send_page(handler, records, int(query.get("after", 0)))


def _search(handler: Handler, _: dict[str, str], body: Any) -> None:
    found = handler.vendor.contacts
    if "at" in body:
        found = [one for one in found if one["changed"] == body["at"] and int(one["id"]) > int(body["beyond"])]
        found = sorted(found, key=lambda one: int(one["id"]))
    else:
        found = [one for one in found if body["from"] <= one["changed"] <= body["to"]]
        found = sorted(found, key=lambda one: one["changed"])
    _send_page(handler, found, int(body.get("after", 0)))


def _list_notes(handler: Handler, query: dict[str, str], _: Any) -> None:
    contact = unquote(urlsplit(handler.path).path.split("/")[2])
    _send_page(handler, handler.vendor.notes.get(contact, []), int(query.get("after", 0)))


def _send_page(handler: Handler, records: list[Record], start: int) -> None:
    end = start + handler.vendor.page_size
    page: dict[str, Any] = {"results": records[start:end]}
    if end < len(records):
        page["paging"] = {"next": {"after": str(end)}}
    handler.send(200, page)


def _report(handler: Handler, query: dict[str, str], _: Any) -> None:
    window = json.loads(query["range"])
    days = [day for day in handler.vendor.days if window["since"] <= day["date_start"] <= window["until"]]
    start = int(query.get("page", 0))
    end = start + handler.vendor.page_size
    answer: dict[str, Any] = {"data": days[start:end], "paging": {}}
    if end < len(days):
        again = json.dumps(window)
        answer["paging"]["next"] = f"{handler.vendor.base_url}/report?page={end}&range={again}"
    handler.send(200, answer)


def _look_up(handler: Handler, _: dict[str, str], body: Any) -> None:
    consents = handler.vendor.consents
    statuses = [
        {"address": one, "statuses": [{"address": one, "topic": 1, "status": consents.get(one)}]}
        for one in body["inputs"]
    ]
    handler.send(200, {"results": statuses})


def _read(handler: Handler, _: dict[str, str], body: Any) -> None:
    asked = {one["number"] if isinstance(one, dict) else one for one in body["inputs"]}
    known = [*handler.vendor.contacts, *handler.vendor.archived]
    handler.send(200, {"results": [one for one in known if one["id"] in asked]})


def _give_token(handler: Handler, _: dict[str, str], body: Any) -> None:
    if body.get("client_secret") != ["shop-secret"]:
        handler.send(400, {"error": "invalid_client"})
        return
    handler.vendor.tokens_given += 1
    handler.send(200, {"access_token": f"token-{handler.vendor.tokens_given}", "expires_in": 3600})


def _graphql(handler: Handler, _: dict[str, str], body: Any) -> None:
    if handler.headers.get("X-Shop-Token") != f"token-{handler.vendor.tokens_given}":
        handler.send(401, {"errors": "no"})
        return
    if "list" in body["variables"] and handler.vendor.tell_list is not None:
        handler.send(200, {"data": {"node": handler.vendor.tell_list(body["variables"])}})
        return
    start = int(body["variables"]["after"] or 0)
    end = start + handler.vendor.page_size
    orders = handler.vendor.orders
    info = {"hasNextPage": end < len(orders), "endCursor": str(end)}
    handler.send(200, {"data": {"orders": {"nodes": orders[start:end], "pageInfo": info}}})


ROUTES: dict[str, Callable[[Handler, dict[str, str], Any], None]] = {
    "/contacts": _list,
    "/contacts/search": _search,
    "/contacts/read": _read,
    "/report": _report,
    "/consents": _look_up,
    "/token": _give_token,
    "/graphql": _graphql,
}


@contextmanager
def open_vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    handler = type("VendorHandler", (Handler,), {"vendor": vendor})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    vendor.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Fault:
    """The next request gets this instead."""
    return lambda handler: handler.send(status, body, headers)


def let_pass(_: Handler) -> bool:
    """The next request is answered as usual."""
    return False


def cut_body(handler: Handler) -> bool:
    """Promises more bytes than it sends, then hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"results": [{"id": "1"')
    handler.close_connection = True
    return True


def hang_up(handler: Handler) -> bool:
    """Closes the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()
    return True
