"""Tokens of the links in mails: a message id and our signature over it, nothing else.

A token tells nobody who it was written to. It carries no date either: how old it is, the ledger knows
(see `safar.intake.unsubscribing`), so the same message always has the same link, whoever renders it again.

A token that takes permission away (unsubscribe, preferences) never passes for one that grants it (confirm), nor the
other way round.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from safar.errors import SafarError

ID_SIZE = 16
SIGNATURE_SIZE = 16
TOKEN_LENGTH = 43
UNSUBSCRIBE = b"safar unsubscribe"
CONFIRM = b"safar confirm"


class InvalidToken(SafarError):
    """The text is not a token that we signed."""


def sign_unsubscribe_token(key: str, message_id: UUID) -> str:
    """Returns the token of a message: 43 letters that are safe in a URL.

    Args:
        key: the password of connection safar_intake.
        message_id: the message whose recipient may unsubscribe by it.
    """
    return _sign(key, UNSUBSCRIBE, message_id)


def read_unsubscribe_token(key: str, token: str) -> UUID:
    """Returns the message id inside.

    Raises:
        InvalidToken: cut, forged, or signed with another key or for another purpose.
    """
    return _read(key, UNSUBSCRIBE, token)


def sign_confirmation_token(key: str, message_id: UUID) -> str:
    """Returns the token that confirms the permission which the message asks about."""
    return _sign(key, CONFIRM, message_id)


def read_confirmation_token(key: str, token: str) -> UUID:
    """Returns the message id inside; raises as `read_unsubscribe_token` does."""
    return _read(key, CONFIRM, token)


def _sign(key: str, purpose: bytes, message_id: UUID) -> str:
    body = message_id.bytes
    signature = hmac.digest(_derive_key(key, purpose), body, "sha256")[:SIGNATURE_SIZE]
    return urlsafe_b64encode(body + signature).rstrip(b"=").decode()


def _read(key: str, purpose: bytes, token: str) -> UUID:
    if len(token) != TOKEN_LENGTH or not token.isascii():
        raise InvalidToken("This link is incomplete. Use the link of the mail as a whole.")
    try:
        message_id = UUID(bytes=urlsafe_b64decode(token + "=")[:ID_SIZE])
    except ValueError as error:
        raise InvalidToken("This link is damaged. Use the link of the mail as it stands there.") from error
    if not hmac.compare_digest(_sign(key, purpose, message_id), token):
        raise InvalidToken("This link was not written by us. Use the link of the mail as it stands there.")
    return message_id


@lru_cache(maxsize=8)
def _derive_key(key: str, purpose: bytes) -> bytes:
    """A key for this purpose alone, so that no other signature made with the same password passes here."""
    if not key:
        raise InvalidToken("Connection safar_intake has no password. Set it to a secret of at least 32 letters.")
    return hmac.digest(key.encode(), purpose, sha256)
