"""SendGrid's signature over a post of events: ECDSA (P-256, SHA-256) over the timestamp and the raw body."""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from safar.errors import ConfigurationError
from safar.workspace import Workspace

SENDGRID = "sendgrid"
SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"


class ForgedEvents(Exception):
    """The post carries no valid signature of the provider."""


class EventSignature:
    """Verifies posts by the provider's public key."""

    def __init__(self, public_key: EllipticCurvePublicKey) -> None:
        self._public_key = public_key

    @classmethod
    def from_base64(cls, text: str) -> EventSignature:
        """Reads the key as the provider shows it: base64 of its DER form.

        Raises:
            ConfigurationError: it is not an elliptic curve key in that form.
        """
        try:
            key = load_der_public_key(b64decode(text, validate=True))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _bad_key() from error
        if not isinstance(key, EllipticCurvePublicKey):
            raise _bad_key()
        return cls(key)

    def verify(self, body: bytes, timestamp: str | None, signature: str | None) -> datetime:
        """Returns when the provider signed the post, by its own clock.

        The body must be the bytes as received; the provider signs its closing line break too.

        Raises:
            ForgedEvents: the signature is missing, malformed or of another body, time or key.
        """
        if not timestamp or not signature:
            raise ForgedEvents("no signature")
        try:
            signed_at = datetime.fromtimestamp(int(timestamp), UTC)
            self._public_key.verify(
                b64decode(signature, validate=True), timestamp.encode("ascii") + body, ECDSA(SHA256())
            )
        except (ValueError, OverflowError, OSError, binascii.Error, InvalidSignature) as error:
            raise ForgedEvents("the signature does not fit") from error
        return signed_at


def read_event_signature(workspace: Workspace) -> EventSignature:
    """Reads the public key from connection sendgrid, extra.event_public_key.

    Raises:
        ConfigurationError: it is missing or malformed.
    """
    text = workspace.connections.get(SENDGRID).extra.get("event_public_key")
    if not isinstance(text, str) or not text:
        raise _bad_key()
    return EventSignature.from_base64(text)


def _bad_key() -> ConfigurationError:
    return ConfigurationError(
        "Connection sendgrid, extra.event_public_key: not the verification key of a signed event webhook. Turn on "
        "Settings > Mail Settings > Event Webhooks > Signature verification at SendGrid and copy the key shown there."
    )
