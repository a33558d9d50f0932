"""Opens a source's REST client from its YAML and its Airflow connection."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator
from requests.auth import AuthBase

from safar.catalogue.fetching import Auth, Endpoint, RateLimit
from safar.catalogue.source import Source
from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.extraction.pacing import Pacer
from safar.extraction.placeholders import describe_connection, fill_placeholders
from safar.extraction.session import Patience, VendorSession
from safar.extraction.signed_assertion import SignedAssertion
from safar.outbound import Reach


class FreshToken(AuthBase):
    """A token that is asked for when there is none, in the header that the vendor wants."""

    def __init__(self, credentials: OAuth2ClientCredentials | SignedAssertion, header: str | None) -> None:
        self._credentials = credentials
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request = self._credentials(request)
        if self._header is not None:
            token = str(request.headers.pop("Authorization")).removeprefix("Bearer ")
            request.headers[self._header] = token
        return request

    def forget(self) -> None:
        """The vendor no longer takes the token; the next request asks for another."""
        self._credentials.access_token = None


@dataclass
class VendorClient:
    """A source's REST client with what its placeholders stand for."""

    source: Source
    rest: RESTClient
    session: VendorSession
    known: dict[str, Any] = field(repr=False)
    _pacers: dict[RateLimit | None, Pacer] = field(default_factory=dict, repr=False)

    def pace(self, endpoint: Endpoint) -> None:
        """Counts the next calls against this endpoint's limit, which may be apart from the source's."""
        limit = endpoint.limit or self.source.client.limit
        self.session.pacer = self._pacers.setdefault(limit, Pacer(limit, sleep=self.session.patience.sleep))


def open_client(source: Source, connection: Connection, reach: Reach, patience: Patience | None = None) -> VendorClient:
    """Opens the client; nothing is sent yet.

    Raises:
        ConfigurationError: the connection lacks a field that the source's YAML names.
    """
    known = describe_connection(connection)
    settings = source.client
    session = _open_session(source, connection, connection.base_url, patience or Patience(), reach)
    try:
        auth = _create_auth(settings.auth, known, source, connection, session.patience, reach)
        headers = fill_placeholders(settings.headers, known) | _fill_optional(settings.optional_headers, known)
    except ConfigurationError as error:
        raise ConfigurationError(f"{source.file}: connection {connection.conn_id!r}: {error}") from error
    session.credentials, session.quota, session.quota_reset = auth, settings.quota, settings.quota_reset
    rest = RESTClient(base_url=connection.base_url, headers=headers, auth=auth, session=session)
    return VendorClient(source, rest, session, known)


def open_paginator(endpoint: Endpoint, source: Source, table: str) -> BasePaginator:
    """dlt's paginator as the YAML declares it.

    Raises:
        ConfigurationError: dlt knows no such paginator or not with these settings.
    """
    try:
        paginator = create_paginator(endpoint.paginator)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{source.file}: table {table!r}: paginator: {error}") from error
    if paginator is None:
        raise ConfigurationError(f"{source.file}: table {table!r}: paginator: name its type; `auto` would guess.")
    return paginator


def _fill_optional(headers: dict[str, str], known: dict[str, Any]) -> dict[str, str]:
    filled = {}
    for name, text in headers.items():
        with suppress(ConfigurationError):
            filled[name] = str(fill_placeholders(text, known))
    return filled


def _open_session(
    source: Source, connection: Connection, base_url: str, patience: Patience, reach: Reach
) -> VendorSession:
    settings = source.client
    return VendorSession(source.name, connection.conn_id, base_url, settings.errors, settings.timeout, patience, reach)


def _create_auth(
    declared: Auth | tuple[Auth, ...] | None,
    known: dict[str, Any],
    source: Source,
    connection: Connection,
    patience: Patience,
    reach: Reach,
) -> AuthBase | None:
    """The first declared way to log in for which the connection has what it names."""
    ways = declared if isinstance(declared, tuple) else (declared,) if declared else ()
    for place, auth in enumerate(ways, 1):
        fields = auth.model_dump(exclude_none=True, exclude={"type", "access_token_header"})
        try:
            return _create_one(auth, fill_placeholders(fields, known), source, connection, patience, reach)
        except ConfigurationError:
            if place == len(ways):
                raise
    return None


def _create_one(
    auth: Auth, given: dict[str, Any], source: Source, connection: Connection, patience: Patience, reach: Reach
) -> AuthBase:
    given.pop("location", None) if auth.type != "api_key" else None
    if auth.type == "bearer":
        return BearerTokenAuth(**given)
    if auth.type == "api_key":
        return APIKeyAuth(**given)
    if auth.type == "basic":
        return HttpBasicAuth(**given)
    token_host = "://".join(urlsplit(given["access_token_url"])[:2])
    session = _open_session(source, connection, token_host, patience, reach)
    session.is_for_tokens = True
    if auth.type == "oauth2_jwt_bearer":
        return FreshToken(SignedAssertion(**given, session=session), auth.access_token_header)
    if auth.type == "oauth2_refresh_token":
        lasting = {"grant_type": "refresh_token", "refresh_token": given.pop("refresh_token")}
        given["access_token_request_data"] = lasting
    return FreshToken(OAuth2ClientCredentials(**given, session=session), auth.access_token_header)
