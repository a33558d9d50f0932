"""Opens the links of our mails: whose message it is, whether the link is ours, and whether it still counts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from starlette.responses import HTMLResponse

from safar.clock import Clock
from safar.delivery.unsubscribe_tokens import InvalidToken
from safar.errors import ConfigurationError, SafarError
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.page import render_page
from safar.intake.texts import Texts, choose_texts
from safar.intake.unsubscribing import UnsubscribeLink, find_link
from safar.workspace import INTAKE, Workspace

log = logging.getLogger("safar.intake")

Respond = Callable[[psycopg.Connection[Any], UnsubscribeLink, datetime, Texts], HTMLResponse]
"""Looks, perhaps writes, in one transaction, and renders the answer. Times are business time."""


@dataclass(frozen=True)
class LinkAnswering:
    """What a link of one purpose needs."""

    key: str
    read_token: Callable[[str, str], UUID]
    lifetime: timedelta
    expired_page: str
    clock: Clock
    pool: LedgerPool

    def is_ours(self, token: str) -> bool:
        """Whether we signed it; asks no database."""
        try:
            self.read_token(self.key, token)
        except InvalidToken:
            return False
        return True

    def answer(self, token: str, accepted: str | None, respond: Respond) -> HTMLResponse:
        """Opens the link and lets ``respond`` answer; a link that does not count is answered here.

        Args:
            accepted: the Accept-Language header.
        """
        texts = choose_texts(None, accepted)
        try:
            message_id = self.read_token(self.key, token)
            now = self.clock.now()
        except InvalidToken:
            return render_page("invalid", texts, status=404)
        except SafarError as error:
            log.error("a link cannot be answered: %s", error)
            return render_page("unavailable", texts, status=503)

        def open_and_respond(connection: psycopg.Connection[Any]) -> HTMLResponse:
            link = find_link(connection, message_id)
            if link is None:
                return render_page("invalid", texts, status=404)
            mail_texts = choose_texts(link.locale, accepted)
            if link.is_expired(now, self.lifetime):
                return render_page(self.expired_page, mail_texts, status=410)
            return respond(connection, link, now, mail_texts)

        try:
            return self.pool.run(open_and_respond)
        except LedgerUnavailable as error:
            log.error("a link cannot be answered, the ledger is unavailable: %s", error)
            return render_page("unavailable", texts, status=503)


def read_link_key(workspace: Workspace) -> str:
    """Reads the key that links are signed with.

    Raises:
        ConfigurationError: connection safar_intake has none.
    """
    key = workspace.connections.get(INTAKE).secret
    if not key:
        raise ConfigurationError(
            f"Connection {INTAKE} has no password, the key of unsubscribe links. Set it to a long random text "
            "and never change it: links in mails already sent are signed by it."
        )
    return key
