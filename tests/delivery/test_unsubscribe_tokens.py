from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode

import pytest

from safar.delivery.unsubscribe_tokens import InvalidToken, read_unsubscribe_token, sign_unsubscribe_token

MESSAGE = uuid.UUID("018f2d1e-8a5b-7c3d-9e4f-0123456789ab")
TOKEN = sign_unsubscribe_token("key", MESSAGE)


def test_token_gives_back_the_message_and_is_always_the_same() -> None:
    assert read_unsubscribe_token("key", TOKEN) == MESSAGE
    assert sign_unsubscribe_token("key", MESSAGE) == TOKEN


def test_token_holds_the_message_id_and_a_signature_alone() -> None:
    raw = urlsafe_b64decode(TOKEN + "=")
    assert raw[:16] == MESSAGE.bytes
    assert (len(raw), len(TOKEN)) == (32, 43)


def test_token_with_one_letter_changed_is_refused() -> None:
    for position, letter in enumerate(TOKEN):
        other = "B" if letter != "B" else "C"
        with pytest.raises(InvalidToken):
            read_unsubscribe_token("key", TOKEN[:position] + other + TOKEN[position + 1 :])


def test_cut_and_foreign_texts_are_refused() -> None:
    for wrong in (TOKEN[:-1], TOKEN + "A", "", "é" * 43, "!" * 43, TOKEN.upper()):
        with pytest.raises(InvalidToken):
            read_unsubscribe_token("key", wrong)


def test_token_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidToken):
        read_unsubscribe_token("key", sign_unsubscribe_token("other key", MESSAGE))
