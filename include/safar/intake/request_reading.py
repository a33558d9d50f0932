"""What is read of a request before anything is done for it: who asks, how often, and how much of its body."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from fastapi import Request
from fastapi.responses import Response

from safar.intake.link_answering import LinkAnswering
from safar.intake.page import render_page
from safar.intake.rate_limiting import RateLimits, read_network
from safar.intake.texts import choose_texts


class BodyTooLarge(Exception):
    """The request's body exceeds what is read of it."""


@dataclass(frozen=True)
class Gate:
    """Lets a request in or answers it at once."""

    limits: RateLimits
    form_limit_bytes: int

    def limit(self, request: Request, links: LinkAnswering | None = None, token: str = "") -> Response | None:
        """Counts the request; returns 429 when there were too many.

        Whoever shows a link of ours is counted by that link: mail programs unsubscribe all their users from a few
        networks. Everybody else is counted by network.
        """
        if links is not None and links.is_ours(token):
            who = f"link:{sha256(token.encode()).hexdigest()}"
        else:
            who = self.read_network(request)
        wait = self.limits.take(who)
        if wait is None:
            return None
        return render_page("too_many", choose_texts(None, self.read_language(request)), status=429, retry_after=wait)

    async def answer_large_body(self, request: Request, _: Exception) -> Response:
        return render_page("too_large", choose_texts(None, self.read_language(request)), status=413)

    @staticmethod
    def read_network(request: Request) -> str:
        return read_network(request.client.host if request.client else None)

    @staticmethod
    def read_language(request: Request) -> str | None:
        return request.headers.get("accept-language")


async def read_form(request: Request, limit: int) -> tuple[str, bytes]:
    """Reads a small form: its content type and its raw body.

    Raises:
        BodyTooLarge: it is longer than the limit.
    """
    return request.headers.get("content-type", ""), await read_body(request, limit)


async def read_body(request: Request, limit: int) -> bytes:
    """Reads the raw body.

    Raises:
        BodyTooLarge: it is longer than the limit; the rest is not read.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)
