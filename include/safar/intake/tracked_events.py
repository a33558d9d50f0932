"""Calls of apps and sites as we keep them, in the shape of Segment's HTTP API.

Network addresses and user agents are read and dropped, e-mail addresses too, but for the one that our own server
tells in an identify call: a key that stands in a page can be used by anybody, in anybody's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson

from safar.addresses import normalise_email
from safar.intake.bots import is_bot
from safar.intake.tracked_times import place_in_time, read_instant
from safar.intake.tracked_urls import Visit, read_host, read_visit
from safar.intake.tracked_values import clean_properties, clean_text, clean_traits
from safar.intake.write_keys import WriteKey

CALLS = ("track", "identify", "page", "screen")
SOURCE = "app"
"""The source of an app's users, as `app:<id>`: by that name an erasure finds them."""
MAX_BYTES = 32 * 1024
IDENTIFIER = re.compile(r"[^\s@\x00-\x1f\x7f](?:[^@\x00-\x1f\x7f]{0,198}[^\s@\x00-\x1f\x7f])?")
EVENT_ID = re.compile(r"[\x21-\x7e]{1,255}")
TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
WORD = re.compile(r"[\w.:/+-]{1,64}")


class Unreadable(ValueError):
    """A call says nothing that could be kept; the message tells its sender why and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class AppEvent:
    """One call as it is stored. Times are UTC."""

    event_id: str
    call: str
    occurred_at: datetime
    event_name: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None
    is_late: bool = False
    is_bot: bool = False
    visit: Visit = field(default_factory=Visit)
    referrer_host: str | None = None
    platform: str | None = None
    app_version: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    push_token: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CallReader:
    """Reads single calls.

    Args:
        late_after: how old something may be when we hear of it before it counts as late.
        click_ids: the parameters of a URL that are click ids.
    """

    late_after: timedelta
    click_ids: tuple[str, ...]
    make_id: Callable[[], str] = lambda: str(uuid4())

    def read(
        self, call: str, told: object, key: WriteKey, received_at: datetime, user_agent: str | None = None
    ) -> AppEvent:
        """Reads one call.

        Args:
            told: the call's JSON, with what its batch says for all (sentAt, context).
            user_agent: of the request itself; it is the visitor's only where a page or an app posts.

        Raises:
            Unreadable: nothing of it can be kept.
        """
        if call not in CALLS:
            raise Unreadable(f"type must be one of {', '.join(CALLS)}")
        if not isinstance(told, dict):
            raise Unreadable("a call is a JSON object")
        if len(orjson.dumps(told)) > MAX_BYTES:
            raise Unreadable(f"a call may have {MAX_BYTES} bytes")
        context, properties, traits = (_read_object(told, name) for name in ("context", "properties", "traits"))
        user_id, anonymous_id = _read_identifier(told, "userId"), _read_identifier(told, "anonymousId")
        if user_id is None and anonymous_id is None:
            raise Unreadable("userId or anonymousId must be given, and neither may be an e-mail address")
        told_at = read_instant(told.get("timestamp")) or read_instant(told.get("originalTimestamp"))
        occurred_at = place_in_time(received_at, read_instant(told.get("sentAt")), told_at)
        page = _read_object(context, "page")
        agent = context.get("userAgent") or (user_agent if key.kind == "client" else None)
        return AppEvent(
            event_id=self._read_event_id(told, told_at),
            call=call,
            occurred_at=occurred_at,
            event_name=_read_event_name(call, told),
            user_id=user_id and f"{SOURCE}:{user_id}",
            anonymous_id=anonymous_id,
            email=_read_email(traits) if key.kind == "server" and call == "identify" and user_id else None,
            is_late=received_at - occurred_at > self.late_after,
            is_bot=is_bot(agent),
            visit=self._read_visit(properties.get("url") or page.get("url"), context),
            referrer_host=read_host(properties.get("referrer") or page.get("referrer")),
            platform=_read_platform(context),
            app_version=_read_word(_read_object(context, "app").get("version")),
            locale=_read_word(context.get("locale")),
            time_zone=_read_word(context.get("timezone")),
            push_token=_read_token(context),
            properties=clean_properties(properties),
            traits=clean_traits(traits),
        )

    def _read_event_id(self, told: Mapping[str, Any], told_at: datetime | None) -> str:
        """The sender's, else one that its repetition would have too; without a time no two calls are the same."""
        given = told.get("messageId")
        if isinstance(given, str) and EVENT_ID.fullmatch(given):
            return given
        if told_at is None:
            return self.make_id()
        lasting = {name: value for name, value in told.items() if name != "sentAt"}
        return f"sha256:{sha256(orjson.dumps(lasting, option=orjson.OPT_SORT_KEYS)).hexdigest()}"

    def _read_visit(self, url: object, context: Mapping[str, Any]) -> Visit:
        visit = read_visit(url, self.click_ids)
        declared = _read_object(context, "campaign")
        told = {
            name: text
            for name in ("source", "medium", "campaign", "content", "term", "id")
            if (text := _read_text(declared.get("name" if name == "campaign" else name), 200))
        }
        return Visit(visit.host, visit.path, {**told, **visit.campaign}, visit.click_id_name, visit.click_id)


def _read_object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _read_identifier(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value.strip() if isinstance(value, str) and IDENTIFIER.fullmatch(value.strip()) else None


def _read_event_name(call: str, told: Mapping[str, Any]) -> str | None:
    if call == "identify":
        return None
    if call != "track":
        return _read_text(told.get("name") or _read_object(told, "properties").get("name"), 200)
    name = _read_text(told.get("event"), 200)
    if name is None:
        raise Unreadable("event must name what has happened")
    return name


def _read_email(traits: Mapping[str, Any]) -> str | None:
    told = traits.get("email")
    return normalise_email(told) if isinstance(told, str) else None


def _read_text(value: object, limit: int) -> str | None:
    return clean_text(value, limit) or None if isinstance(value, str) else None


def _read_word(value: object) -> str | None:
    return value if isinstance(value, str) and WORD.fullmatch(value) else None


def _read_platform(context: Mapping[str, Any]) -> str | None:
    named = f"{_read_object(context, 'device').get('type')} {_read_object(context, 'os').get('name')}".lower()
    if "android" in named:
        return "android"
    return "ios" if any(word in named for word in ("ios", "iphone", "ipados")) else None


def _read_token(context: Mapping[str, Any]) -> str | None:
    token = _read_object(context, "device").get("token")
    return token if isinstance(token, str) and TOKEN.fullmatch(token) else None
