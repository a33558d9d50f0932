"""Whoever writes a URL into a connection cannot make us call our own network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from safar.connections import Connection
from safar.outbound import ForbiddenAddress, Reach, open_session
from safar.settings import Settings


@dataclass
class Listener:
    """A server on this machine that must not be called, or may be."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    redirect: str | None = None


@pytest.fixture
def listener() -> Iterator[Listener]:
    opened = Listener()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.paths.append(self.path)
            self.send_response(302 if opened.redirect else 200)
            if opened.redirect:
                self.send_header("Location", opened.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """The test's output stays its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opened.port = server.server_port
    yield opened
    server.shutdown()
    server.server_close()


def resolve_to(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A name server that knows one answer to everything."""

    def resolve(host: str, port: int | None, *_: Any) -> list[tuple[Any, ...]]:
        return [found for one in addresses for found in socket.getaddrinfo(one, port, 0, socket.SOCK_STREAM)]

    return resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "[::ffff:169.254.169.254]",
    ],
)
def test_no_way_of_writing_it_leads_to_this_machine_or_its_network(host: str, listener: Listener) -> None:
    with pytest.raises(ForbiddenAddress, match="'crm'"):
        open_session(Reach("crm")).get(f"http://{host}:{listener.port}/", timeout=5)
    assert listener.paths == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], ["::1"]])
def test_a_name_that_resolves_inside_is_refused(addresses: list[str], listener: Listener) -> None:
    reach = Reach("crm", resolve=resolve_to(*addresses))
    with pytest.raises(ForbiddenAddress, match=r"api\.vendor\.example"):
        open_session(reach).get(f"http://api.vendor.example:{listener.port}/", timeout=5)
    assert listener.paths == []


def test_the_address_that_was_judged_is_the_one_that_is_called(listener: Listener) -> None:
    """A name that changes its address between the look and the call is looked up only once."""
    answers = [resolve_to("127.0.0.1"), resolve_to("169.254.169.254")]
    reach = Reach("crm", allowed_hosts=frozenset({"crm.internal"}), resolve=lambda *query: answers.pop(0)(*query))
    url = f"http://crm.internal:{listener.port}/"
    assert open_session(reach).get(url, timeout=5).status_code == 200
    with pytest.raises(ForbiddenAddress, match="link-local"):
        open_session(reach).get(url, timeout=5)
    assert listener.paths == ["/"]
    assert answers == []


def test_a_redirect_into_the_network_is_refused_even_by_a_session_that_follows(listener: Listener) -> None:
    listener.redirect = "http://169.254.169.254/latest/meta-data/"
    reach = Reach("crm", is_own_machine=True)
    with pytest.raises(ForbiddenAddress, match="link-local"):
        open_session(reach).get(f"http://127.0.0.1:{listener.port}/", timeout=5)


def test_a_proxy_is_not_asked_for_what_is_forbidden(listener: Listener) -> None:
    session = open_session(Reach("crm"))
    session.proxies = {"http": f"http://127.0.0.1:{listener.port}"}
    with pytest.raises(ForbiddenAddress):
        session.get("http://169.254.169.254/", timeout=5)
    assert listener.paths == []


@pytest.mark.parametrize(
    ("environment", "extra", "is_allowed"),
    [
        ("sandbox", {}, True),
        ("development", {}, True),
        ("staging", {}, False),
        ("production", {}, False),
        ("production", {"allow_hosts": ["127.0.0.1"]}, True),
        ("production", {"allow_hosts": ["other.internal"]}, False),
    ],
)
def test_loopback_belongs_to_the_sandbox_unless_the_connection_names_it(
    environment: str, extra: dict[str, Any], is_allowed: bool, listener: Listener
) -> None:
    settings = Settings.model_validate({"environment": environment})
    session = open_session(Reach.of(settings, Connection(conn_id="crm", extra=extra)))
    url = f"http://127.0.0.1:{listener.port}/"
    if is_allowed:
        assert session.get(url, timeout=5).status_code == 200
    else:
        with pytest.raises(ForbiddenAddress, match="allow_hosts"):
            session.get(url, timeout=5)
    assert len(listener.paths) == is_allowed


def test_nobody_listening_is_told_as_ever() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    with pytest.raises(requests.ConnectionError):
        open_session(Reach("crm", is_own_machine=True)).get(url, timeout=5)
    with pytest.raises(requests.ConnectionError):
        open_session(Reach("crm")).get("http://name.invalid/", timeout=5)
