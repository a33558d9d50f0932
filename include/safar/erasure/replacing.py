"""What becomes of each word of an erased person: a surrogate, or nothing. Pure, so that it is tested by itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from safar.ledger.erasures import Person
from safar.ledger.tombstones import Tombstones

# A mention ends where a longer address, id or word would go on. Python and PostgreSQL read both ends alike.
BEFORE, AFTER = r"(?<![\w.%+-])", r"(?![\w-]|\.\w)"
# A vendor's bare number says nothing by itself; an id like gid://shopify/Customer/1 or 00Q5g00000000ROEAY does.
NAMES_ALONE = re.compile(r"[A-Za-z]\W|^(?=.*[A-Za-z])\w{15,}$")
SHORTEST_WORD = 4
"""Shorter values are emptied where they stand alone; inside a longer text they could be anything."""


@dataclass(frozen=True)
class Replacement:
    """The person's words, and what stands for each."""

    person: Person = field(repr=False)
    contacts: Mapping[str, str] = field(repr=False)
    records: Mapping[tuple[str, str], str] = field(repr=False)
    addresses: Mapping[str, str] = field(repr=False)

    @cached_property
    def mentions(self) -> dict[str, str]:
        """Names that can be nobody else's, wherever they stand, in lower case; the longest first."""
        named = {f"{source}:{record}": f"{source}:{surrogate}" for (source, record), surrogate in self.records.items()}
        named |= {record: to for (_, record), to in self.records.items() if NAMES_ALONE.search(record)}
        named |= {**self.contacts, **self.addresses}
        return {key.lower(): named[key] for key in sorted(named, key=lambda key: (-len(key), key))}

    @cached_property
    def patterns(self) -> list[tuple[str, str]]:
        """Each mention as a regular expression, with its replacement."""
        return [(f"{BEFORE}{_escape(mention)}{AFTER}", surrogate) for mention, surrogate in self.mentions.items()]

    @cached_property
    def any_mention(self) -> str:
        """One regular expression that finds a text which names the person."""
        return _join(self.mentions)

    @cached_property
    def _alone(self) -> dict[str, str | None]:
        """What a whole value becomes."""
        alone: dict[str, str | None] = {value.strip().lower(): None for value in self.person.values}
        alone |= {record.lower(): surrogate for (_, record), surrogate in self.records.items()}
        return alone | self.mentions

    @cached_property
    def _mention(self) -> re.Pattern[str]:
        return re.compile(self.any_mention, re.IGNORECASE)

    @cached_property
    def _word(self) -> re.Pattern[str] | None:
        words = sorted({value.strip() for value in self.person.values if len(value.strip()) >= SHORTEST_WORD}, key=len)
        if not words:
            return None
        return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in reversed(words))})(?!\w)", re.IGNORECASE)

    def names(self, text: str) -> bool:
        return self._mention.search(text) is not None

    def rewrite(self, value: Any) -> Any:
        """The value without the person, of a row that is about them; None where nothing of it may stay."""
        if isinstance(value, str):
            return self._rewrite_text(value)
        if isinstance(value, dict):
            return {self.rewrite_words(key): self.rewrite(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.rewrite(inner) for inner in value]
        if isinstance(value, bool | int | float) or value is None:
            return value
        return None if str(value).lower() in self._alone else value

    def _rewrite_text(self, text: str) -> str | None:
        whole = text.strip().lower()
        if whole in self._alone:
            return self._alone[whole]
        parts = whole.split(";")
        if len(parts) > 1 and any(part.strip() in self._alone for part in parts):
            return ";".join(self._alone.get(part.strip(), part) or "" for part in parts)
        return self.rewrite_words(text)

    def rewrite_words(self, text: str) -> str:
        """The text with each mention replaced and each longer word taken out."""
        swapped = self._mention.sub(lambda match: self.mentions[match[0].lower()], text)
        return self._word.sub("[erased]", swapped) if self._word else swapped


def make_replacement(person: Person, tombstones: Tombstones) -> Replacement:
    """Looks the surrogates up, which the person's tombstones hold.

    A build names a contact after one of its records, by a hash of the record's id: where it does, the contact's
    surrogate is the same hash of the record's surrogate, so that the next build finds the name again.
    """
    records = {
        (source, record): surrogate
        for source, record in person.records
        if (surrogate := tombstones.find(source, record)) is not None
    }
    named = {_name(*key): _name(key[0], surrogate) for key, surrogate in records.items()}
    # The ledger also finds a contact by a record's own name.
    named |= {f"{source}:{record}": f"{source}:{surrogate}" for (source, record), surrogate in records.items()}
    contacts = {key: named.get(key) or tombstones.find("contact", key) or key for key in person.contact_ids}
    addresses = {key: found for key in person.addresses if (found := tombstones.find("email", key)) is not None}
    return Replacement(person, {**named, **contacts}, records, addresses)


def make_mentions(person: Person) -> str:
    """One regular expression that finds a row which names the person, for Python and for PostgreSQL."""
    records = [f"{source}:{record}" for source, record in person.records]
    records += [record for _, record in person.records if NAMES_ALONE.search(record)]
    named = [_name(*record) for record in person.records]
    return _join([*person.contact_ids, *named, *records, *person.addresses])


def _join(mentions: Iterable[str]) -> str:
    longest_first = sorted({mention.lower() for mention in mentions}, key=lambda mention: (-len(mention), mention))
    return f"{BEFORE}(?:{'|'.join(_escape(mention) for mention in longest_first)}){AFTER}"


def _name(source: str, record: str) -> str:
    return hashlib.md5(f"{source}:{record}".encode(), usedforsecurity=False).hexdigest()


def _escape(text: str) -> str:
    """Escapes for Python and for PostgreSQL alike."""
    return re.sub(r"([^\w\s@:/])", r"\\\1", text)
