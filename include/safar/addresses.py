"""One spelling for each address, and the keyed hash by which everybody but the channel knows it."""

from __future__ import annotations

import hmac
import re
import unicodedata

# Conservative on purpose: dots and plus-tags distinguish mailboxes at most providers, so they stay.
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]{1,64}")
DOMAIN_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
TOP_LABEL = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
MAX_LENGTH = 254


def normalise_email(text: str | None) -> str | None:
    """Returns the address in the one spelling that is hashed and written to, or None when it is none.

    Strips, lower-cases, composes (NFC) and turns the domain into its ASCII form (IDNA).
    """
    if text is None:
        return None
    local, at, domain = unicodedata.normalize("NFC", text.strip().lower()).rpartition("@")
    if not at or not LOCAL_PART.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        return None
    ascii_domain = _encode_domain(domain)
    if ascii_domain is None or len(local.encode()) + 1 + len(ascii_domain) > MAX_LENGTH:
        return None
    return f"{local}@{ascii_domain}"


def hash_address(key: str, channel: str, address: str) -> str:
    """HMAC-SHA256 in hex over ``<channel>:<address>``.

    Args:
        key: the password of connection safar_address_key.
        address: already normalised.
    """
    return hmac.digest(key.encode(), f"{channel}:{address}".encode(), "sha256").hex()


def _encode_domain(domain: str) -> str | None:
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = ascii_domain.split(".")
    if len(labels) < 2 or not all(DOMAIN_LABEL.fullmatch(label) for label in labels):
        return None
    return ascii_domain if TOP_LABEL.fullmatch(labels[-1]) else None
