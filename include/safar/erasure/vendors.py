"""Asks the vendors to erase a person too: as their sources declare it, and the mail provider through its SDK."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

from python_http_client.exceptions import HTTPError

from safar.catalogue.fetching import EraseRequest
from safar.catalogue.source import Source
from safar.delivery.guard import require_allowed_host
from safar.delivery.sendgrid_client import open_sendgrid
from safar.erasure.replacing import Replacement
from safar.errors import ConfigurationError, ConnectionMissing, SafarError
from safar.extraction.client import VendorClient, open_client
from safar.extraction.paths import look_up
from safar.extraction.placeholders import fill_placeholders
from safar.extraction.session import Patience
from safar.outbound import Reach
from safar.workspace import Workspace

PROVIDER = "sendgrid"
ADDRESSES_AT_ONCE = 1_000
IMPATIENT = Patience(attempts=2, throttled_in_all=60.0)
"""keep_house comes again; an erasure need not wait for a vendor that is down."""


def erase_at_source(workspace: Workspace, source: Source, replacement: Replacement) -> int:
    """Sends each declared request for each of the person's ids and addresses; returns how many.

    A source that is connected neither for reading nor for writing, and that brought no record of the person,
    is not asked.

    Raises:
        SafarError: the vendor refused or did not answer; sent again, a request that was answered does no harm.
        ConfigurationError: the connection for writing is missing.
    """
    assert source.erase is not None
    try:
        connection = workspace.connections.get(source.erase.connection)
    except ConfigurationError as error:
        is_known_there = any(name == source.name for name, _ in replacement.records)
        if isinstance(error, ConnectionMissing) and not is_known_there and not _is_connected(workspace, source):
            return 0
        raise ConfigurationError(
            f"{source.name}: people cannot be erased there without connection {source.erase.connection!r}. {error}"
        ) from error
    require_allowed_host(workspace.settings, connection)
    client = open_client(source, connection, Reach.of(workspace.settings, connection), IMPATIENT)
    count = 0
    for request in source.erase.requests:
        for subject in _list_subjects(source, request, replacement):
            _send(client, request, subject)
            count += 1
    return count


def _is_connected(workspace: Workspace, source: Source) -> bool:
    try:
        workspace.connections.get(source.connection)
    except ConnectionMissing:
        return False
    return True


def erase_at_provider(workspace: Workspace, replacement: Replacement) -> int:
    """Starts SendGrid's erasure job for the person's addresses; returns how many.

    Raises:
        SafarError: it refused or did not answer.
    """
    addresses = sorted(replacement.addresses)
    client = open_sendgrid(workspace.settings, workspace.connections.get(PROVIDER))
    for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
        try:
            client.recipients.erasejob.post(
                request_body={"email_addresses": addresses[start : start + ADDRESSES_AT_ONCE]}
            )
        except HTTPError as error:
            raise SafarError(
                f"SendGrid refused the erasure with status {error.status_code}. Give the key of connection "
                f"{PROVIDER!r} the scope recipients.erasejob.create; keep_house tries again."
            ) from None
        except (HTTPException, OSError) as error:
            raise SafarError(f"SendGrid did not answer ({type(error).__name__}); keep_house tries again.") from None
    return len(addresses)


def _list_subjects(source: Source, request: EraseRequest, replacement: Replacement) -> Iterator[dict[str, str]]:
    if request.each == "address":
        yield from ({"address": address} for address in sorted(replacement.addresses))
    else:
        yield from ({"record": record} for name, record in sorted(replacement.records) if name == source.name)


def _send(client: VendorClient, request: EraseRequest, subject: dict[str, str]) -> None:
    known: dict[str, Any] = {**client.known, **subject}
    gone = {int(code) for code in request.gone if code.isdigit()}
    client.session.accepted = frozenset(gone)
    response = client.rest.request(
        path=fill_placeholders(request.path, known),
        method=request.method,
        json=fill_placeholders(request.json_, known),
    )
    if request.problems is None or response.status_code in gone:
        return
    problems = look_up(response.json(), request.problems) or []
    codes = {str(problem.get(request.code)) for problem in problems if isinstance(problem, dict)}
    if problems and not codes <= set(request.gone):
        raise SafarError(
            f"{client.source.name}: {request.method} {request.path} refused to erase ({', '.join(sorted(codes))}). "
            "keep_house tries again."
        )
