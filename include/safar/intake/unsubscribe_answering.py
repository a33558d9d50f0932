"""Answers an unsubscribe link: a question to whoever opens it, an entry in the ledger to whoever confirms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from starlette.responses import HTMLResponse

from safar.intake.confirmation import read_confirmation
from safar.intake.link_answering import LinkAnswering
from safar.intake.page import render_page
from safar.intake.texts import Texts
from safar.intake.unsubscribing import UnsubscribeLink, withdraw_permission

log = logging.getLogger("safar.intake")


@dataclass(frozen=True)
class UnsubscribeAnswering:
    """The two answers of ``/unsubscribe/{token}``."""

    links: LinkAnswering

    def show(self, token: str, accepted: str | None, status: int = 200) -> HTMLResponse:
        """Returns the question; writes nothing."""

        def ask(_: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts) -> HTMLResponse:
            return render_page("ask", texts, link.address, status)

        return self.links.answer(token, accepted, ask)

    def withdraw(self, token: str, accepted: str | None, content_type: str, body: bytes) -> HTMLResponse:
        """Withdraws and says so. A body that confirms nothing gets the question again, with status 400."""
        method = read_confirmation(content_type, body)
        if method is None:
            return self.show(token, accepted, 400)

        def act(
            connection: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts
        ) -> HTMLResponse:
            is_news = withdraw_permission(connection, link, method, now)
            log.info("message %s: unsubscribed by %s%s", link.message_id, method, "" if is_news else ", again")
            return render_page("done", texts, link.address)

        return self.links.answer(token, accepted, act)
