"""Whom the sandbox calls: this machine, and hosts that its environment names. Nobody else, ever."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

ALLOWED_HOSTS_VARIABLE = "SANDBOX_ALLOW_HOSTS"
ANSWER_SECONDS = 10.0


def is_reachable(url: str) -> bool:
    """Whether the URL's host is loopback or listed (by commas) in SANDBOX_ALLOW_HOSTS."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        return False
    allowed = {name.strip().lower() for name in os.environ.get(ALLOWED_HOSTS_VARIABLE, "").split(",")} - {""}
    if host == "localhost" or host in allowed:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_one_click_url(headers: Mapping[str, str]) -> str | None:
    """The URL that a mail program offers for RFC 8058's one click, or None when the headers offer none."""
    named = {name.lower(): value for name, value in headers.items()}
    if named.get("list-unsubscribe-post", "").replace(" ", "").lower() != "list-unsubscribe=one-click":
        return None
    urls: list[str] = re.findall(r"<\s*(https?://[^>\s]+)\s*>", named.get("list-unsubscribe", ""))
    return urls[0] if urls else None


class Caller:
    """Posts over kept connections; refuses what is not reachable, without a call."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """The answer's status, or None when there was none within ten seconds."""
        if not is_reachable(url):
            return None
        try:
            answer = self._session.post(
                url, data=body, headers=dict(headers), timeout=ANSWER_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return None
        return answer.status_code
