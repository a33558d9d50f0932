"""Answers forms that ask for mail, and the links of the mails that ask back."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from starlette.responses import HTMLResponse

from safar.clock import Clock
from safar.delivery.addresses import normalise_email
from safar.errors import SafarError
from safar.intake.asking import Asked, Asking, Wish
from safar.intake.confirmation import read_confirmation, read_fields_or_none
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.link_answering import LinkAnswering
from safar.intake.page import render_page
from safar.intake.preferences import ASKABLE
from safar.intake.texts import Texts, choose_texts
from safar.intake.topics import Topic, find_topic
from safar.intake.unsubscribing import UnsubscribeLink, find_request
from safar.permission import Confirmation, confirm_permission

log = logging.getLogger("safar.intake")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}")
CAPPED_RETRY_SECONDS = 3600
PAGES = {
    Confirmation.GRANTED: ("confirmed", 200),
    Confirmation.ALREADY_CONFIRMED: ("confirmed", 200),
    Confirmation.WITHDRAWN: ("confirmation_withdrawn", 410),
    Confirmation.EXPIRED: ("confirmation_expired", 410),
    Confirmation.UNKNOWN: ("invalid", 404),
}


@dataclass(frozen=True)
class SubscribeAnswering:
    """The answer of ``/subscribe``: the same page whether or not the address is known."""

    topics: Sequence[Topic]
    asking: Asking
    clock: Clock
    pool: LedgerPool

    def ask(self, accepted: str | None, content_type: str, body: bytes, network: str) -> HTMLResponse:
        """Plans the mail that asks back, unless it was asked for too often."""
        fields = read_fields_or_none(content_type, body) or {}
        texts = choose_texts(fields.get("language"), accepted)
        wish = self._read_wish(fields, texts, network)
        if wish is None:
            return render_page("incomplete", texts, status=400)
        try:
            now = self.clock.now()
            asked = self.pool.run(lambda connection: self.asking.ask(connection, wish, now))
        except (LedgerUnavailable, SafarError) as error:
            log.error("a subscription cannot be asked for: %s", error)
            return render_page("unavailable", texts, status=503)
        log.info("a form asked for topic %s: %s", wish.topic.name, asked)
        if asked is Asked.NETWORK_CAPPED:
            return render_page("too_many", texts, status=429, retry_after=CAPPED_RETRY_SECONDS)
        return render_page("asked", texts)

    def _read_wish(self, fields: Mapping[str, str], texts: Texts, network: str) -> Wish | None:
        topic = find_topic(self.topics, fields.get("topic", ""))
        address = normalise_email(fields.get("email"))
        form, text_version = fields.get("form", ""), fields.get("text_version", "")
        if topic is None or address is None or fields.get("channel", ASKABLE) != ASKABLE:
            return None
        if not NAME.fullmatch(form) or not NAME.fullmatch(text_version):
            return None
        return Wish(ASKABLE, topic, address, texts.language, form, text_version, network)


@dataclass(frozen=True)
class ConfirmAnswering:
    """The two answers of ``/confirm/{token}``."""

    links: LinkAnswering
    valid_for: timedelta

    def show(self, token: str, accepted: str | None, status: int = 200) -> HTMLResponse:
        """Returns the button; writes nothing."""

        def look(
            connection: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts
        ) -> HTMLResponse:
            if find_request(connection, link.message_id) is None:
                return render_page("invalid", texts, status=404)
            return render_page("confirm", texts, link.address, status)

        return self.links.answer(token, accepted, look)

    def grant(self, token: str, accepted: str | None, content_type: str, body: bytes) -> HTMLResponse:
        """Grants what was asked for, once; only our own button confirms."""
        if read_confirmation(content_type, body) != "page":
            return self.show(token, accepted, 400)

        def act(
            connection: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts
        ) -> HTMLResponse:
            request_id = find_request(connection, link.message_id)
            if request_id is None:
                return render_page("invalid", texts, status=404)
            outcome = confirm_permission(connection, request_id, method="email_link", now=now, valid_for=self.valid_for)
            log.info("message %s: confirmation %s", link.message_id, outcome)
            page, status = PAGES[outcome]
            return render_page(page, texts, link.address, status)

        return self.links.answer(token, accepted, act)
