"""Which addresses of the network an outgoing call may reach: the one guard of every HTTP session.

A host is judged when its connection is opened, by the addresses that its name has at that second, and the
connection goes to the very address that was judged. So a name that resolves differently a moment later, or
an answer that leads elsewhere, gains nothing.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.settings import Settings

Resolve = Callable[..., list[tuple[Any, ...]]]
"""The shape of `socket.getaddrinfo`."""
Address = IPv4Address | IPv6Address

OWN_MACHINE_ENVIRONMENTS = ("sandbox", "development")


class ForbiddenAddress(ConfigurationError):
    """A host leads into a network that this connection may not reach."""


@dataclass(frozen=True)
class Reach:
    """What one connection may reach. Public addresses always; the others only when something allows it."""

    conn_id: str
    is_own_machine: bool = False
    """Whether loopback and private networks may be reached: the sandbox lives there."""
    allowed_hosts: frozenset[str] = frozenset()
    """Hosts, in lower case, that may be in a private network or on this machine."""
    resolve: Resolve = field(default=socket.getaddrinfo, repr=False)

    @classmethod
    def of(cls, settings: Settings, connection: Connection) -> Reach:
        """Reads the environment and the connection's ``extra.allow_hosts``."""
        hosts = connection.extra.get("allow_hosts") or []
        return cls(
            connection.conn_id,
            settings.environment in OWN_MACHINE_ENVIRONMENTS,
            frozenset(str(host).strip().lower() for host in hosts),
        )

    def find_addresses(self, host: str, port: int | None) -> list[tuple[Any, ...]]:
        """The host's addresses as `socket.getaddrinfo` gives them, every one of them judged.

        Raises:
            ForbiddenAddress: one of them may not be reached.
            socket.gaierror: the name has no address.
        """
        found = self.resolve(host, port, 0, socket.SOCK_STREAM)
        for *_, sockaddr in found:
            self.judge(host, sockaddr[0])
        return found

    def judge(self, host: str, address: str) -> None:
        """Refuses an address that the host may not have.

        Raises:
            ForbiddenAddress: it may not; the message says what would allow it.
        """
        for one in _unfold(ip_address(address.partition("%")[0])):
            if _is_never_reached(one) or (not one.is_global and not self._may_be_private(host)):
                raise ForbiddenAddress(
                    f"Connection {self.conn_id!r}: {host} is {_name_network(one)}, which may not be called from here. "
                    "Give the connection the vendor's public host; a host of your own network is allowed by naming it "
                    'in the connection\'s extra {"allow_hosts": [...]}.'
                )

    def judge_written(self, host: str) -> None:
        """Judges a host that is written as an address, in any of the ways that one can be; asks no name server.

        Raises:
            ForbiddenAddress: see `judge`.
        """
        try:
            found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            return
        for *_, sockaddr in found:
            self.judge(host, str(sockaddr[0]))

    def connect(
        self, address: tuple[str, int], timeout: Any = None, source_address: Any = None, options: Iterable[Any] = ()
    ) -> socket.socket:
        """Opens a socket to the first judged address that answers, as `socket.create_connection` would.

        Raises:
            ForbiddenAddress: see `find_addresses`.
            OSError: none of them answers.
        """
        host, port = address
        problem: OSError | None = None
        for _, _, _, _, sockaddr in self.find_addresses(host.strip("[]"), port):
            try:
                return _open_socket(sockaddr, timeout, source_address, options)
            except OSError as error:
                problem = error
        raise problem or OSError(f"{host} has no address")

    def _may_be_private(self, host: str) -> bool:
        return self.is_own_machine or host.rstrip(".").lower() in self.allowed_hosts


def open_session(reach: Reach) -> requests.Session:
    """A session that reaches no further; redirects are for its caller to refuse (``allow_redirects=False``)."""
    session = requests.Session()
    mount_guard(session, reach)
    return session


def mount_guard(session: requests.Session, reach: Reach) -> None:
    """Makes every connection of the session go through the guard."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _GuardedAdapter(reach))


def guard_connection(kind: type[http.client.HTTPConnection], reach: Reach) -> type[http.client.HTTPConnection]:
    """A subclass of ``http.client``'s connection whose sockets go through the guard."""

    class Guarded(kind):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._create_connection = reach.connect

    return Guarded


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _guard_pool(HTTPConnectionPool, HTTPConnection, self._reach),
            "https": _guard_pool(HTTPSConnectionPool, HTTPSConnection, self._reach),
        }

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """A proxy resolves names itself, so what is written as an address is judged before anything is sent."""
        self._reach.judge_written((urlsplit(request.url or "").hostname or "").rstrip("."))
        return super().send(request, *arguments, **options)


def _guard_pool(pool: Any, kind: Any, reach: Reach) -> Any:
    class Guarded(kind):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            # urllib3's own, with its translation of errors, over a socket of ours.
            from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

            target = (self._dns_host, self.port)
            try:
                return reach.connect(target, self.timeout, self.source_address, self.socket_options or ())
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            except TimeoutError as error:
                raise ConnectTimeoutError(self, f"Connection to {self.host} timed out.") from error
            except OSError as error:
                raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error

    return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": Guarded})


def _open_socket(sockaddr: Any, timeout: Any, source_address: Any, options: Iterable[Any]) -> socket.socket:
    wait = timeout if isinstance(timeout, int | float) else None
    opened = socket.create_connection(sockaddr[:2], wait, source_address)
    for option in options:
        opened.setsockopt(*option)
    return opened


def _unfold(address: Address) -> list[Address]:
    """The address, and the IPv4 address that hides in it."""
    if isinstance(address, IPv4Address):
        return [address]
    hidden: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address.packed[:12] == bytes.fromhex("0064ff9b0000000000000000"):
        hidden.append(IPv4Address(address.packed[12:]))
    inner = [one for one in hidden if one is not None]
    # A mapped address is nothing but the one inside; the others are judged together with what they carry.
    return inner if address.ipv4_mapped else [address, *inner]


def _is_never_reached(address: Address) -> bool:
    """Link-local holds the clouds' credentials; the rest is nobody's address."""
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _name_network(address: Address) -> str:
    if address.is_loopback:
        return "on this machine"
    if address.is_link_local:
        return "a link-local address, where clouds keep credentials"
    return "in a private or reserved network"
