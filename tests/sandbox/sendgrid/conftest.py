"""A started sandbox server, driven by the vendor's own SDK, and a listener for what it posts."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import uvicorn
from sendgrid import SendGridAPIClient

from sandbox.app import create_app
from sandbox.company import Company, Person
from sandbox.config import SandboxConfig
from sandbox.sendgrid.account import Account, find_account

HTML = """<html><head><style>p { color: red }</style></head><body>
<div style="display:none">Waiting for {{first_name}}</div>
<h1>Hello {{first_name}}</h1><p>You left {{#each items}}{{title}}{{#unless @last}}, {{/unless}}{{/each}}.</p>
<a href="https://shop.example.com/cart/{{n}}">Back to the cart</a>
<a href="{{unsubscribe_url}}">Unsubscribe</a></body></html>"""


@dataclass
class World:
    """One company, served."""

    company: Company
    account: Account
    root: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.headers["Authorization"] = "Bearer SG.sandbox"

    @property
    def sdk(self) -> SendGridAPIClient:
        client = SendGridAPIClient("SG.sandbox", host=f"{self.root}/sendgrid")
        client.client.timeout = 10
        return client

    @property
    def people(self) -> list[Person]:
        """Everybody whom mail reaches, by number."""
        population = self.company.population
        everybody = [population.person(number) for number in range(self.company.config.people)]
        return [person for person in everybody if person.has_mailbox]

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.root}{path}", timeout=20, **options)

    def switch_on(self, name: str, **options: Any) -> None:
        answer = self.call("POST", "/faults", json={"vendor": "sendgrid", "name": name, **options})
        assert answer.status_code == 201, answer.text

    def advance(self, **span: float) -> None:
        """Moves the clock by so many hours, minutes or days, over HTTP."""
        to = self.company.now + timedelta(**span)
        answer = self.session.post(f"{self.root}/clock", json={"now": to.isoformat()}, timeout=120)
        assert answer.status_code == 200, answer.text

    def add_template(self, html: str = HTML, subject: str = "Your cart, {{first_name}}") -> str:
        template = self.sdk.client.templates.post(request_body={"name": "cart", "generation": "dynamic"})
        template_id = orjson.loads(template.body)["id"]
        self.sdk.client.templates._(template_id).versions.post(
            request_body={"name": "one", "subject": subject, "html_content": html}
        )
        return template_id

    def write(self, addresses: list[str], template_id: str, unsubscribe: str = "", **more: Any) -> dict[str, Any]:
        """The body of a mail to these addresses."""
        headers = {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return {
            "from": {"email": "shop@example.com", "name": "The Shop"},
            "template_id": template_id,
            "categories": ["cart_abandonment", "reminder"],
            "personalizations": [
                {
                    "to": [{"email": address}],
                    "dynamic_template_data": {
                        "first_name": "Ann",
                        "n": number,
                        "items": [{"title": "Tea"}, {"title": "Pot"}],
                        "unsubscribe_url": unsubscribe or "https://example.com/unsubscribe",
                    },
                    "custom_args": {"message_id": str(uuid.uuid4())},
                    **({"headers": headers} if unsubscribe else {}),
                }
                for number, address in enumerate(addresses)
            ],
            **more,
        }

    def send(self, addresses: list[str], template_id: str, **more: Any) -> Any:
        return self.sdk.send(self.write(addresses, template_id, **more))

    def truth(self, part: str, **query: Any) -> Any:
        return self.call("GET", f"/truth/sendgrid/{part}", params=query).json()


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Starts a company; a second one with the same `home` goes on where the first stood."""
    closers: list[Callable[[], None]] = []

    def open_it(people: int = 300, home: str = "home", seed: int = 1) -> World:
        app = create_app(SandboxConfig(home=tmp_path / home, people=people, seed=seed))
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        company: Company = app.state.company
        world = World(company, find_account(company), f"http://127.0.0.1:{listener.getsockname()[1]}")

        def close() -> None:
            world.session.close()
            server.should_exit = True
            thread.join(10)
            world.account.storage.close()
            company.close()

        closers.append(close)
        return world

    yield open_it
    for close in reversed(closers):
        close()


@pytest.fixture
def world(open_world: Callable[..., World]) -> World:
    return open_world()


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@dataclass
class Call:
    """One POST that the listener got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = orjson.loads(self.body)
        return events


@dataclass
class Listener:
    """A real HTTP server that keeps what it is sent; `statuses` are given out first, then 200."""

    url: str
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for call in self.calls for event in call.events]


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.calls.append(Call(self.path, dict(self.headers), body))
            self.send_response(kept.statuses.pop(0) if kept.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Listener(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()


ALL_EVENTS = dict.fromkeys(
    ("processed", "delivered", "dropped", "bounce", "deferred", "open", "click", "spam_report", "unsubscribe"), True
) | {"group_unsubscribe": True, "group_resubscribe": True, "enabled": True}


@pytest.fixture
def subscribe() -> Callable[[World, str], str]:
    """Points a signed event webhook with every event at a URL, and gives its public key."""

    def subscribe_it(world: World, url: str) -> str:
        settings = world.sdk.client.user.webhooks.event.settings.post(request_body={"url": url, **ALL_EVENTS})
        webhook_id = orjson.loads(settings.body)["id"]
        signed = world.sdk.client.user.webhooks.event.settings.signed._(webhook_id)
        signed.patch(request_body={"enabled": True})
        return str(orjson.loads(signed.get().body)["public_key"])

    return subscribe_it
