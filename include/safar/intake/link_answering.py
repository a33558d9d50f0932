"""Answers an unsubscribe link: a question to whoever opens it, an entry in the ledger to whoever confirms."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from starlette.responses import HTMLResponse

from safar.clock import Clock
from safar.delivery.unsubscribe_tokens import InvalidToken, read_unsubscribe_token
from safar.errors import ConfigurationError, SafarError
from safar.intake.confirmation import read_confirmation
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.page import render_page
from safar.intake.settings import IntakeSettings
from safar.intake.texts import choose_texts
from safar.intake.unsubscribing import UnsubscribeLink, find_link, withdraw_permission
from safar.workspace import INTAKE, Workspace

log = logging.getLogger("safar.intake")

Act = Callable[[psycopg.Connection, UnsubscribeLink, datetime], object]


@dataclass(frozen=True)
class LinkAnswering:
    """What an unsubscribe link needs."""

    key: str
    lifetime: timedelta
    clock: Clock
    pool: LedgerPool

    @classmethod
    def open(cls, workspace: Workspace, settings: IntakeSettings, pool: LedgerPool) -> LinkAnswering:
        """Reads the signing key.

        Raises:
            ConfigurationError: connection safar_intake has none.
        """
        key = workspace.connections.get(INTAKE).secret
        if not key:
            raise ConfigurationError(
                f"Connection {INTAKE} has no password, the key of unsubscribe links. Set it to a long random text "
                "and never change it: links in mails already sent are signed by it."
            )
        return cls(key, settings.link_lifetime, workspace.clock, pool)

    def show(self, token: str, accepted: str | None) -> HTMLResponse:
        """Returns the question; writes nothing."""
        return self._answer(token, accepted, None)

    def withdraw(self, token: str, accepted: str | None, content_type: str, body: bytes) -> HTMLResponse:
        """Withdraws and says so. A body that confirms nothing gets the question again, with status 400."""
        method = read_confirmation(content_type, body)
        if method is None:
            asked = self._answer(token, accepted, None)
            asked.status_code = 400 if asked.status_code == 200 else asked.status_code
            return asked

        def act(connection: psycopg.Connection, link: UnsubscribeLink, now: datetime) -> None:
            is_news = withdraw_permission(connection, link, method, now)
            log.info("message %s: unsubscribed by %s%s", link.message_id, method, "" if is_news else ", again")

        return self._answer(token, accepted, act)

    def _answer(self, token: str, accepted: str | None, act: Act | None) -> HTMLResponse:
        texts = choose_texts(None, accepted)
        try:
            message_id = read_unsubscribe_token(self.key, token)
            now = self.clock.now()
        except InvalidToken:
            return render_page("invalid", texts, status=404)
        except SafarError as error:
            log.error("an unsubscribe link cannot be answered: %s", error)
            return render_page("unavailable", texts, status=503)

        def look_and_act(connection: psycopg.Connection) -> UnsubscribeLink | None:
            link = find_link(connection, message_id)
            if act is not None and link is not None and not link.is_expired(now, self.lifetime):
                act(connection, link, now)
            return link

        try:
            link = self.pool.run(look_and_act)
        except LedgerUnavailable as error:
            log.error("an unsubscribe link cannot be answered, the ledger is unavailable: %s", error)
            return render_page("unavailable", texts, status=503)
        if link is None:
            return render_page("invalid", texts, status=404)
        texts = choose_texts(link.locale, accepted)
        if link.is_expired(now, self.lifetime):
            return render_page("expired", texts, status=410)
        return render_page("ask" if act is None else "done", texts, link.address)
