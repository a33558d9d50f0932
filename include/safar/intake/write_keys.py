"""Who may post events: write keys, of which the configuration knows only the hash."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

HASH = re.compile(r"[0-9a-f]{64}")


class WriteKey(BaseModel):
    """What a write key stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """The app or site that posts with it; an old and a new key of one app share a name, so repeats are still found."""
    kind: Literal["client", "server"]
    """client: it stands in a page or an app, where anybody can read it, and what it tells proves nothing about whose
    address is whose. server: only our own machines know it."""


def require_hashes(declared: Mapping[str, object]) -> None:
    """Raises:
    ValueError: a key stands there itself; the message does not repeat it.
    """
    if not all(HASH.fullmatch(digest) for digest in declared):
        raise ValueError(
            "each entry is named by the sha256 of a write key, 64 small hex digits, never by the key itself; "
            'printf %s "$KEY" | sha256sum writes it'
        )


def require_one_kind_per_name(keys: Mapping[str, WriteKey]) -> None:
    """Whoever reads a key out of a page could else post first what our server is about to, under its message id.

    Raises:
        ValueError: one name stands for keys of both kinds.
    """
    names = {kind: {key.name for key in keys.values() if key.kind == kind} for kind in ("client", "server")}
    both = names["client"] & names["server"]
    if both:
        raise ValueError(f"{', '.join(sorted(both))} names keys of both kinds; give the server's another name")


def find_write_key(known: Mapping[str, WriteKey], offered: str | None) -> WriteKey | None:
    """Looks a key up by its hash; how long that takes says nothing about the key."""
    return known.get(sha256(offered.encode()).hexdigest()) if offered else None


def read_basic_user(authorization: str | None) -> str | None:
    """Reads the user name of HTTP's Basic scheme, where Segment's libraries put the write key."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(encoded.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return None
