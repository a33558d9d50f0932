"""Who may call Salesforce's API: tokens by client credentials or a signed assertion, and the calls of a day."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl

import jwt
from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, bearer_token, write_json
from sandbox.company import Company
from sandbox.salesforce.errors import refuse_limit, refuse_login, refuse_session
from sandbox.throttle import RollingWindow

SESSION_SECONDS = 7200
DAILY_CALLS = 100_000
ASSERTION_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
USERNAME = "integration@safar.example"
CERTIFICATE = "salesforce_certificate"
"""The fact of the company's file that holds the public key whose owner may sign assertions."""


@dataclass
class Gate:
    """One connected app's door; its tokens and counts last as long as the server."""

    company: Company
    _expiry: dict[str, float] = field(default_factory=dict)
    _calls: RollingWindow = field(default_factory=lambda: RollingWindow(DAILY_CALLS, 86_400))

    def enter(self, request: Request) -> dict[str, str]:
        """Lets a call in and returns the header that counts it.

        Raises:
            Refused: no token that still holds, or no calls left.
        """
        if self._expiry.get(bearer_token(request) or "", 0) < time.monotonic():
            raise Refused(refuse_session())
        if not self._calls.take() and self.company.limits.are_on("salesforce"):
            raise Refused(refuse_limit())
        return {"Sforce-Limit-Info": f"api-usage={DAILY_CALLS - self._calls.remaining}/{DAILY_CALLS}"}

    def mint(self, instance_url: str) -> Response:
        token = f"00D5g00000SAFAR!{token_urlsafe(48)}"
        self._expiry[token] = time.monotonic() + SESSION_SECONDS
        answer = {
            "access_token": token,
            "instance_url": instance_url,
            "id": f"{AUDIENCES[0]}/id/00D5g00000SAFAREA0/0055g00000000001",
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": str(int(time.time() * 1000)),
        }
        return write_json(answer)


def add_login_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the token endpoint, and the page of the app's settings where a certificate is given."""
    secrets = company.config.secrets

    @router.post("/services/oauth2/token")
    async def give_token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        grant = form.get("grant_type")
        if grant == "client_credentials":
            given = _read_basic(request) or (form.get("client_id"), form.get("client_secret"))
            if given[0] != secrets.salesforce_client_id:
                raise refuse_login("invalid_client_id", "client identifier invalid")
            if given[1] != secrets.salesforce_client_secret:
                raise refuse_login("invalid_client", "invalid client credentials")
        elif grant == ASSERTION_GRANT:
            _require_assertion(form.get("assertion", ""), company)
        else:
            raise refuse_login("unsupported_grant_type", "grant type not supported")
        return gate.mint(str(request.base_url).rstrip("/") + "/salesforce")

    @router.put("/setup/certificate")
    async def keep_certificate(request: Request) -> Response:
        company.store.write_fact(CERTIFICATE, (await request.body()).decode())
        return Response(status_code=204)


def _read_basic(request: Request) -> tuple[str | None, str | None] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return (None, None)
    return login, password


def _require_assertion(assertion: str, company: Company) -> None:
    certificate = company.store.read_fact(CERTIFICATE)
    options: Any = {"require": ["iss", "sub", "aud", "exp"]}
    try:
        claims = jwt.decode(assertion, certificate or "", ["RS256"], audience=AUDIENCES, options=options)
    except jwt.ExpiredSignatureError:
        raise refuse_login("invalid_grant", "expired authorization code") from None
    except jwt.InvalidAudienceError:
        raise refuse_login("invalid_grant", "audience is invalid") from None
    except (jwt.PyJWTError, ValueError):
        raise refuse_login("invalid_grant", "invalid assertion") from None
    if claims["iss"] != company.config.secrets.salesforce_client_id:
        raise refuse_login("invalid_client_id", "client identifier invalid")
    if int(claims["exp"]) > time.time() + 300:
        raise refuse_login("invalid_grant", "invalid assertion")
    if claims["sub"] != USERNAME:
        raise refuse_login("invalid_grant", "user hasn't approved this consumer")
