"""Google's tokens: a lasting one is changed for others that hold for an hour."""

from __future__ import annotations

import time
from secrets import token_urlsafe

from fastapi import Response

from sandbox.answers import Refused, write_json
from sandbox.config import Secrets
from sandbox.google.errors import refuse_token

TOKEN_SECONDS = 3599


class Tokens:
    """Access tokens given out since the server began."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._expiry: dict[str, float] = {}

    def mint(self, form: dict[str, str]) -> Response:
        """Answers the form of a refresh-token grant."""
        if form.get("grant_type") != "refresh_token":
            return write_json({"error": "unsupported_grant_type", "error_description": "Invalid grant_type"}, 400)
        client = (form.get("client_id"), form.get("client_secret"))
        if client != (self._secrets.google_client_id, self._secrets.google_client_secret):
            return write_json({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if form.get("refresh_token") != self._secrets.google_refresh_token:
            description = "Token has been expired or revoked."
            return write_json({"error": "invalid_grant", "error_description": description}, 400)
        token = f"ya29.{token_urlsafe(24)}"
        self._expiry[token] = time.monotonic() + TOKEN_SECONDS
        scope = "https://www.googleapis.com/auth/adwords"
        return write_json({"access_token": token, "expires_in": TOKEN_SECONDS, "scope": scope, "token_type": "Bearer"})

    def require(self, token: str | None) -> None:
        """Raises:
        Refused: no token, or one that is unknown or too old.
        """
        if self._expiry.get(token or "", 0) < time.monotonic():
            raise Refused(refuse_token())
