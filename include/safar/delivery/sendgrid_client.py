"""SendGrid's SDK, held to one host: it answers redirects with an error instead of following them."""

from __future__ import annotations

import http.client
import urllib.request
from typing import IO, Any

import python_http_client
from sendgrid import SendGridAPIClient

from safar.connections import Connection
from safar.delivery.guard import is_loopback, require_allowed_host
from safar.errors import ConfigurationError
from safar.outbound import Reach, guard_connection
from safar.settings import Settings

# The SDK's own default is to wait for ever.
CALL_SECONDS = 30.0


def open_sendgrid(settings: Settings, connection: Connection) -> Any:
    """The SDK's client for ``/v3``: ``client.mail.send.post(request_body=...)``.

    Raises:
        ConfigurationError: the connection has no key, or this environment may not call its host.
    """
    if not connection.secret:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no password. Set it to a SendGrid API key that may send mail."
        )
    require_allowed_host(settings, connection)
    return open_reader(settings, connection)


def open_reader(settings: Settings, connection: Connection) -> Any:
    """The same client for calls by which nothing leaves: it may ask any host that is not in a private network."""
    sdk = SendGridAPIClient(connection.secret, host=connection.base_url)
    seconds = float(connection.extra.get("timeout", CALL_SECONDS))
    client = _Client(host=sdk.client.host, request_headers=sdk.client.request_headers, version=3, timeout=seconds)
    client.reach = Reach.of(settings, connection)
    return client


class _RefuseRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Returning nothing makes urllib raise the redirect as an HTTPError."""


class _GuardedHTTP(urllib.request.HTTPHandler):
    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(guard_connection(http.client.HTTPConnection, self._reach), req)


class _GuardedHTTPS(urllib.request.HTTPSHandler):
    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(guard_connection(http.client.HTTPSConnection, self._reach), req)


class _Client(python_http_client.Client):  # type: ignore[misc]
    """Each part of a path is a client of its own; headers are copied, because the SDK writes into them."""

    reach: Reach

    def _build_client(self, name: str | None = None) -> _Client:
        client = _Client(
            host=self.host,
            version=self._version,
            request_headers=dict(self.request_headers),
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )
        client.reach = self.reach
        return client

    def _make_request(self, opener: Any, request: urllib.request.Request, timeout: float | None = None) -> Any:
        # A proxy of the environment is for the outside, not for this machine.
        host = request.host.rsplit(":", 1)[0].strip("[]")
        self.reach.judge_written(host)
        if urllib.request.getproxies() and not is_loopback(host):
            strict = urllib.request.build_opener(_RefuseRedirects)
        else:
            guarded = (_GuardedHTTP(self.reach), _GuardedHTTPS(self.reach))
            strict = urllib.request.build_opener(_RefuseRedirects, urllib.request.ProxyHandler({}), *guarded)
        return super()._make_request(strict, request, timeout=timeout)
