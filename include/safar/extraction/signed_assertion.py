"""OAuth 2.0 with a JWT bearer (RFC 7523): we sign who we are, and the vendor gives a token for it."""

from __future__ import annotations

import time

import jwt
import requests
from requests.auth import AuthBase

from safar.errors import ConfigurationError

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOLDS_FOR = 180
"""Seconds that an assertion holds; vendors refuse longer ones."""


class SignedAssertion(AuthBase):
    """Asks for a token when there is none. The vendor tells no expiry: the token is used until it is refused."""

    def __init__(
        self,
        access_token_url: str,
        client_id: str,
        subject: str,
        audience: str,
        private_key: str,
        session: requests.Session,
    ) -> None:
        self.access_token: str | None = None
        self._url = access_token_url
        self._claims = {"iss": client_id, "sub": subject, "aud": audience}
        # In a connection's field a PEM often stands on one line, its breaks written out.
        self._key = private_key.replace("\\n", "\n")
        self._session = session

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.access_token is None:
            self.access_token = self._ask()
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        return request

    def _ask(self) -> str:
        claims = {**self._claims, "exp": int(time.time()) + HOLDS_FOR}
        try:
            assertion = jwt.encode(claims, self._key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ConfigurationError(
                "The connection's private key is no RSA key in PEM form (-----BEGIN PRIVATE KEY-----). "
                "Put the whole file into the field, line breaks included or written as \\n."
            ) from None
        answer = self._session.post(self._url, data={"grant_type": GRANT, "assertion": assertion})
        return str(answer.json()["access_token"])
