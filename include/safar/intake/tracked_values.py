"""What is kept of the free values that apps send along: nothing that is named like a person's data, no address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_TEXT = 2000
MAX_DEPTH = 6
# Names of properties, in small letters with underscores. A product has a name too, so `name` alone is no one's.
PERSONAL_PROPERTY = re.compile(
    r"(?:^|_)(?:e_?mails?(?:_?address)?|phone(?:_?number)?|mobile|tel(?:ephone)?|fax"
    r"|(?:first|last|middle|full|display|family|given|sur|user|customer|contact)_?name"
    r"|birth(?:day|_?date)?|date_of_birth|address|street|zip|post_?code|postal_code|ip(?:_?address)?|user_agent"
    r"|password|secret|(?:credit_?)?card(?:_?number)?|iban|gender)$"
)
PERSONAL_TRAIT = re.compile(rf"{PERSONAL_PROPERTY.pattern}|^(?:name|company|avatar|age|title|website|description)$")
# What a page tells of itself besides; its address is read apart, and its query may name anybody.
OF_PAGES = frozenset({"url", "referrer", "search", "path"})
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
ADDRESS = re.compile(r"[^\s@<>\"'(),:;]{1,64}@[^\s@<>\"'(),:;]{1,253}")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """The text without control signs, with each e-mail address in it taken out."""
    return ADDRESS.sub("[address]", UNWRITABLE.sub("", text)).strip()[:limit]


def clean_properties(values: object) -> dict[str, Any]:
    """What an event tells about itself."""
    return _clean_mapping(values, PERSONAL_PROPERTY, 0) if isinstance(values, Mapping) else {}


def clean_traits(values: object) -> dict[str, Any]:
    """What is told about a person, without who they are: that is the CRM's to know."""
    return _clean_mapping(values, PERSONAL_TRAIT, 0) if isinstance(values, Mapping) else {}


def _clean_mapping(values: Mapping[Any, Any], personal: re.Pattern[str], depth: int) -> dict[str, Any]:
    return {
        clean_text(str(name), 100): cleaned
        for name, value in values.items()
        if not personal.search(HUMP.sub("_", str(name)).lower().replace("-", "_").replace(" ", "_"))
        and (name not in OF_PAGES or depth > 0)
        and (cleaned := _clean(value, personal, depth + 1)) is not None
    }


def _clean(value: Any, personal: re.Pattern[str], depth: int) -> Any:
    if isinstance(value, str):
        # Of a link, where it leads: what follows may be a token.
        return clean_text(re.split(r"[?#]", value, maxsplit=1)[0] if URL.match(value) else value)
    if isinstance(value, bool | int | float):
        return value
    if depth >= MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return _clean_mapping(value, personal, depth)
    if isinstance(value, list):
        return [cleaned for one in value if (cleaned := _clean(one, personal, depth + 1)) is not None]
    return None
