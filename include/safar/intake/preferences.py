"""What one person has allowed, as a preference centre shows it, and what their choices write into the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from safar.intake.topics import Topic
from safar.intake.unsubscribing import UnsubscribeLink

SOURCE = "preference_centre"
ASKABLE = "email"
"""The channel over which a yes can be confirmed; over the others it can only be taken back."""

# The link's own address, and where else the same person is written to now.
LIST_ADDRESSES = """
select channel, address_hash
from ledger.address
where contact_id = %(contact_id)s and channel <> %(channel)s and until_sequence is null and is_valid
order by channel
"""
# Where the person of an old mail is written to by now, under whatever name.
LIST_NEWER = """
select address_hash
from ledger.address
where
    contact_id = coalesce((
        select alias.contact_id
        from ledger.contact_alias as alias
        where alias.alias_id = %(contact_id)s and alias.until_sequence is null
    ), %(contact_id)s)
    and channel = %(channel)s
    and address_hash <> %(address_hash)s
    and until_sequence is null
"""
FIND_STATE = "select state from ledger.find_permission(%s, %s, %s, 'infinity', 'infinity')"
FIND_LANGUAGE = """
select locale
from ledger.language_choice
where address_hash = %s and channel = %s
order by language_choice_id desc
limit 1
"""
# A yes that some clock dates later than now is taken back too: at the same instant the withdrawal counts.
LATEST = """
select greatest(%s, max(occurred_at))
from ledger.permission_event
where address_hash = %s and channel = %s and topic in (%s, 'all') and state = 'granted'
"""
# Two posts at once of one person are worked off one after the other.
LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 12))"
WITHDRAW = """
insert into ledger.permission_event (
    channel, topic, address_hash, contact_id, state, source, source_key, proof, occurred_at
)
values (%s, %s, %s, %s, 'revoked', %s, %s, %s, %s)
"""
CHOOSE_LANGUAGE = """
insert into ledger.language_choice (channel, address_hash, locale, message_id, occurred_at) values (%s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Choice:
    """One box of the preference centre: a topic over a channel to an address of the person."""

    topic: Topic
    channel: str
    address_hash: str
    is_granted: bool

    @property
    def name(self) -> str:
        """The name of its field in the form."""
        return f"want:{self.channel}:{self.topic.name}"


@dataclass(frozen=True)
class Preferences:
    """All boxes that one person sees, and the language of their mail."""

    choices: tuple[Choice, ...]
    locale: str

    @property
    def addresses(self) -> dict[str, str]:
        return {choice.channel: choice.address_hash for choice in self.choices}


def read_preferences(
    connection: psycopg.Connection[Any], link: UnsubscribeLink, topics: Sequence[Topic]
) -> Preferences:
    """Reads what the person of a link has allowed.

    A channel over which nothing can be confirmed is shown only where something can be taken back.
    """
    others = connection.execute(LIST_ADDRESSES, {"contact_id": link.contact_id, "channel": link.channel}).fetchall()
    addresses = [(link.channel, link.address_hash), *others]
    choices = [
        Choice(topic, channel, address_hash, _is_granted(connection, address_hash, channel, topic.name))
        for topic in topics
        for channel, address_hash in addresses
    ]
    shown = tuple(choice for choice in choices if choice.is_granted or _can_be_asked(choice, link))
    row = connection.execute(FIND_LANGUAGE, [link.address_hash, link.channel]).fetchone()
    return Preferences(shown, row[0] if row else link.locale)


def lock_preferences(connection: psycopg.Connection[Any], link: UnsubscribeLink) -> None:
    connection.execute(LOCK, [link.address_hash])


def withdraw_choices(
    connection: psycopg.Connection[Any],
    link: UnsubscribeLink,
    preferences: Preferences,
    wanted: Collection[str],
    now: datetime,
) -> int:
    """Takes back each permission that is granted and not wanted any more, at any address; returns how many.

    Args:
        wanted: names of the boxes that are ticked.
        now: business time.
    """
    newer = [row[0] for row in connection.execute(LIST_NEWER, vars(link)).fetchall()]
    unwanted = [choice for choice in preferences.choices if choice.name not in wanted]
    given_up = [
        (choice, address_hash)
        for choice in unwanted
        for address_hash in (choice.address_hash, *(newer if choice.channel == link.channel else ()))
        if _is_granted(connection, address_hash, choice.channel, choice.topic.name)
    ]
    proof = Jsonb({"message_id": str(link.message_id), "method": "page"})
    for choice, address_hash in given_up:
        subject = [address_hash, choice.channel, choice.topic.name]
        latest = connection.execute(LATEST, [now, *subject]).fetchone()
        at = latest[0] if latest else now
        values = [choice.channel, choice.topic.name, address_hash, link.contact_id, SOURCE, str(uuid4())]
        connection.execute(WITHDRAW, [*values, proof, at])
    return len(given_up)


def list_wishes(preferences: Preferences, link: UnsubscribeLink, wanted: Collection[str]) -> list[Choice]:
    """Returns what is ticked and not granted; each needs a confirmation mail."""
    return [
        choice
        for choice in preferences.choices
        if choice.name in wanted and not choice.is_granted and _can_be_asked(choice, link)
    ]


def choose_language(
    connection: psycopg.Connection[Any],
    link: UnsubscribeLink,
    preferences: Preferences,
    locale: str,
    now: datetime,
) -> bool:
    """Writes the language for each of the person's addresses; returns whether it is another one than before."""
    if _read_language(locale) == _read_language(preferences.locale):
        return False
    addresses: Mapping[str, str] = {**preferences.addresses, link.channel: link.address_hash}
    for channel, address_hash in addresses.items():
        connection.execute(CHOOSE_LANGUAGE, [channel, address_hash, locale, link.message_id, now])
    return True


def _is_granted(connection: psycopg.Connection[Any], address_hash: str, channel: str, topic: str) -> bool:
    row = connection.execute(FIND_STATE, [address_hash, channel, topic]).fetchone()
    return row is not None and row[0] == "granted"


def _can_be_asked(choice: Choice, link: UnsubscribeLink) -> bool:
    return choice.channel == ASKABLE == link.channel and link.address is not None


def _read_language(locale: str) -> str:
    return locale.replace("_", "-").split("-", 1)[0].lower()
