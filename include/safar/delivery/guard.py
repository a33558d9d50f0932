"""Nothing leaves by accident: which hosts and which people this environment may reach."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.outbound import OWN_MACHINE_ENVIRONMENTS
from safar.settings import Settings


def require_allowed_host(settings: Settings, connection: Connection) -> str:
    """Returns the connection's base URL when this environment may call it.

    Loopback may be in the environments sandbox and development. Another host needs extra ``live: true``
    together with SAFAR_ENVIRONMENT=production, or a place in extra ``allow_hosts``.

    Raises:
        ConfigurationError: it may not; the message says what would allow it.
    """
    url = connection.base_url
    host = read_host(url, connection.conn_id)
    if is_live(settings, connection) or (is_loopback(host) and settings.environment in OWN_MACHINE_ENVIRONMENTS):
        return url
    if host in {str(allowed).strip().lower() for allowed in connection.extra.get("allow_hosts") or []}:
        return url
    raise ConfigurationError(
        f"Connection {connection.conn_id!r} points at {host}, and this is not a live environment "
        f"(SAFAR_ENVIRONMENT={settings.environment}, extra.live={connection.extra.get('live', False)!r}). To send for "
        'real set SAFAR_ENVIRONMENT=production and extra {"live": true}; to try against a test host name it in '
        'extra {"allow_hosts": [...]}.'
    )


def is_live(settings: Settings, connection: Connection) -> bool:
    """Whether real people may be written to: two switches in two places, both on."""
    return settings.environment == "production" and connection.extra.get("live") is True


def allowed_recipients(settings: Settings, connection: Connection) -> frozenset[str] | None:
    """The only addresses that may be written to, normalised; None means everybody.

    Everybody may be over a live connection, or over loopback in the environments sandbox and development. A host
    that is only in ``allow_hosts`` serves ``extra.allow_recipients``.
    """
    is_ours = settings.environment in OWN_MACHINE_ENVIRONMENTS
    if is_live(settings, connection) or (is_ours and is_loopback(read_host(connection.base_url, connection.conn_id))):
        return None
    return frozenset(str(address).strip().lower() for address in connection.extra.get("allow_recipients") or [])


def read_host(url: str, conn_id: str) -> str:
    """The host that a request to ``url`` goes to, in lower case.

    Raises:
        ConfigurationError: the URL holds a user, a backslash or a space (so that readers differ about its host),
            or is not http(s).
    """
    problem = None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        parts.port  # noqa: B018 (reading it checks it)
    except ValueError:
        problem = "is not a URL"
    else:
        if parts.scheme not in ("http", "https") or not host:
            problem = "is not an http(s) URL"
        elif "@" in parts.netloc:
            problem = "holds a user name; put credentials in the login and password"
        elif any(letter in url for letter in "\\ \t\r\n") or not parts.netloc.isascii() or "%" in parts.netloc:
            problem = "holds characters that do not belong in a host"
    if problem is not None:
        raise ConfigurationError(
            f"The host of connection {conn_id!r} {problem}. Write it like https://api.example.com."
        )
    return host


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: the name localhost, or an address in 127/8 or ::1. Names are not resolved."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
