"""Answers a preference link. It only ever takes permission away; for more it sends a mail that asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from starlette.responses import HTMLResponse

from safar.intake.asking import Asked, Asking, Wish
from safar.intake.confirmation import read_fields_or_none
from safar.intake.link_answering import LinkAnswering
from safar.intake.page import render_page
from safar.intake.preference_fields import LANGUAGE_FIELD, render_fields
from safar.intake.preferences import (
    choose_language,
    list_wishes,
    lock_preferences,
    read_preferences,
    withdraw_choices,
)
from safar.intake.texts import LANGUAGES, Texts, choose_texts
from safar.intake.topics import Topic
from safar.intake.unsubscribing import UnsubscribeLink

log = logging.getLogger("safar.intake")

FORM = "preference_centre"
TEXT_VERSION = "preference_centre/1"
"""Changes with the words of page ``preferences``: it stands in the proof of what was agreed to."""


@dataclass(frozen=True)
class PreferenceAnswering:
    """The two answers of ``/preferences/{token}``."""

    links: LinkAnswering
    topics: Sequence[Topic]
    asking: Asking

    def show(self, token: str, accepted: str | None, status: int = 200) -> HTMLResponse:
        """Returns the form; writes nothing."""

        def look(
            connection: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts
        ) -> HTMLResponse:
            preferences = read_preferences(connection, link, self.topics)
            chosen = choose_texts(preferences.locale, accepted)
            return render_page("preferences", chosen, link.address, status, fields=render_fields(preferences, chosen))

        return self.links.answer(token, accepted, look)

    def save(self, token: str, accepted: str | None, content_type: str, body: bytes, network: str) -> HTMLResponse:
        """Saves what the form says. A body that is not our form gets the form again, with status 400."""
        fields = read_fields_or_none(content_type, body)
        if fields is None or fields.get("confirm") != "page":
            return self.show(token, accepted, 400)
        wanted = frozenset(name for name, value in fields.items() if value == "yes")

        def act(
            connection: psycopg.Connection[Any], link: UnsubscribeLink, now: datetime, texts: Texts
        ) -> HTMLResponse:
            lock_preferences(connection, link)
            before = read_preferences(connection, link, self.topics)
            ended_count = withdraw_choices(connection, link, before, wanted, now)
            language = fields.get(LANGUAGE_FIELD, "")
            if language in LANGUAGES:
                choose_language(connection, link, before, language, now)
            wishes = list_wishes(before, link, wanted)
            after = read_preferences(connection, link, self.topics)
            chosen = choose_texts(after.locale, accepted)
            outcomes = {
                wish.name: self._ask(connection, link, wish.topic, chosen.language, network, now) for wish in wishes
            }
            waiting = frozenset(name for name, outcome in outcomes.items() if outcome is Asked.PLANNED)
            log.info("message %s: %d given up, %d asked for", link.message_id, ended_count, len(wishes))
            asked_page = "saved_and_asked" if len(waiting) == len(wishes) else "saved_not_asked"
            return render_page(
                asked_page if wishes else "saved", chosen, link.address, fields=render_fields(after, chosen, waiting)
            )

        return self.links.answer(token, accepted, act)

    def _ask(
        self,
        connection: psycopg.Connection[Any],
        link: UnsubscribeLink,
        topic: Topic,
        language: str,
        network: str,
        now: datetime,
    ) -> Asked:
        assert link.address is not None
        wish = Wish(link.channel, topic, link.address, language, FORM, TEXT_VERSION, network)
        return self.asking.ask(connection, wish, now)
