"""Makes the values of a mail harmless before they leave for the provider.

People choose their own names, and shops their titles: a name that holds a link would make us the sender of
somebody else's advertisement, a line break another header, a bidi control a sentence that reads differently.
HTML is escaped by the template as well; here it loses its brackets, for a subject shows escapes as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Fields of these names are links by themselves; every other value is text, in which no link may appear.
LINK_NAME = re.compile(r"(^|_)url$")
SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:(?://|\\\\)+", re.IGNORECASE)
# Where a mail program would see a host: a space after the dot ends that, and a sentence's dot has one anyway.
HOST_DOT = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_]{2})")
BRACES = re.compile(r"\{{2,}|\}{2,}")
BRACKETS = str.maketrans({"<": "‹", ">": "›"})
LINE_BREAKS = "\u2028\u2029"
# Not among what is taken out: U+200C and U+200D, with which Persian and many emoji are written.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def neutralise_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, in any depth, with every text made harmless and every link that is none made empty."""
    return {name: _neutralise(name, value) for name, value in fields.items()}


def neutralise_text(text: str) -> str:
    """One line without controls, links, Handlebars or HTML."""
    line = " ".join("".join(_keep(letter) for letter in text).split())
    line = BRACES.sub(lambda braces: braces[0][0], line).translate(BRACKETS)
    return HOST_DOT.sub(". ", SCHEME.sub("", line))


def neutralise_link(link: str) -> str:
    """The link when it is a whole http(s) one, else nothing: a broken button harms less than a false one."""
    try:
        parts = urlsplit(link)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    is_clean = not any(letter in "<>\"'`{}\\^| " or _keep(letter) != letter for letter in link)
    return link if is_sound and is_clean else ""


def _neutralise(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return neutralise_link(value) if LINK_NAME.search(name) else neutralise_text(value)
    if isinstance(value, Mapping):
        return neutralise_fields(value)
    if isinstance(value, list | tuple):
        return [_neutralise(name, one) for one in value]
    return value


def _keep(letter: str) -> str:
    if letter in LINE_BREAKS or unicodedata.category(letter) == "Cc":
        return " "
    return "" if letter in BIDI else letter
