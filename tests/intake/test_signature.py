"""Our verification beside the vendor SDK's own: on every variant both must say the same."""

from __future__ import annotations

import binascii
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from sendgrid import EventWebhook

from safar.errors import ConfigurationError
from safar.intake.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, EventSignature, ForgedEvents

BODY = json.dumps([{"event": "delivered", "email": "zoë@example.com"}], ensure_ascii=False).encode() + b"\r\n"

# The test vector in the vendor's SDK.
VENDOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXv"
    "VpiglSI8eNEc6wEA3F+g=="
)
VENDOR_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
VENDOR_TIMESTAMP = "1600112502"
VENDOR_EVENT = {
    "email": "hello@world.com",
    "event": "dropped",
    "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
    "timestamp": 1600112492,
}
VENDOR_BODY = json.dumps([VENDOR_EVENT], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"


def ask_both(key: str, body: bytes, timestamp: str | None, signature: str | None) -> tuple[bool, bool]:
    try:
        EventSignature.from_base64(key).verify(body, timestamp, signature)
        ours = True
    except ForgedEvents:
        ours = False
    try:
        vendors = EventWebhook(key).verify_signature(body.decode(), signature, timestamp)
    except (binascii.Error, TypeError, ValueError):
        vendors = False
    return ours, vendors


def test_the_vendors_own_vector_is_valid() -> None:
    assert ask_both(VENDOR_KEY, VENDOR_BODY, VENDOR_TIMESTAMP, VENDOR_SIGNATURE) == (True, True)


def test_a_right_signature_tells_when_it_was_made(provider) -> None:
    headers = provider.sign(BODY, datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert ask_both(provider.public_key, BODY, headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]) == (True, True)
    signed_at = EventSignature.from_base64(provider.public_key).verify(
        BODY, headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]
    )
    assert signed_at == datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "timestamp", "signature"),
    [
        (BODY.rstrip(), None, None),
        (BODY[:-10], None, None),
        (BODY.replace(b"delivered", b"processed"), None, None),
        (BODY, "1772445601", None),
        (BODY, "not a number", None),
        (BODY, "", None),
        (BODY, None, ""),
        (BODY, None, "AAAA"),
        (BODY, None, "$$$$"),
    ],
    ids=["stripped", "cut", "changed", "other time", "no time", "time missing", "missing", "short", "no base64"],
)
def test_forged_posts_are_refused(provider, body: bytes, timestamp: str | None, signature: str | None) -> None:
    right = provider.sign(BODY)
    timestamp = right[TIMESTAMP_HEADER] if timestamp is None else timestamp
    signature = right[SIGNATURE_HEADER] if signature is None else signature
    assert ask_both(provider.public_key, body, timestamp, signature) == (False, False)


def test_a_signature_of_another_key_is_refused(provider) -> None:
    stranger = type(provider)(generate_private_key(SECP256R1()))
    headers = stranger.sign(BODY)
    assert ask_both(provider.public_key, BODY, headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]) == (False, False)


@pytest.mark.parametrize("key", ["", "AAAA", "not base64 at all"])
def test_a_wrong_key_names_the_connection(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Connection sendgrid, extra\.event_public_key"):
        EventSignature.from_base64(key)
