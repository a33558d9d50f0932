from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode

import pytest

from safar.intake.tokens import InvalidToken, read_unsubscribe_token, sign_unsubscribe_token

MESSAGE = uuid.UUID("018f2d1e-8a5b-7c3d-9e4f-0123456789ab")


def test_token_gives_back_the_message_and_is_always_the_same() -> None:
    token = sign_unsubscribe_token("key", MESSAGE)
    assert read_unsubscribe_token("key", token) == MESSAGE
    assert token == sign_unsubscribe_token("key", MESSAGE)
    assert len(token) == 43


def test_token_holds_the_message_id_and_a_signature_alone() -> None:
    raw = urlsafe_b64decode(sign_unsubscribe_token("key", MESSAGE) + "=")
    assert raw[:16] == MESSAGE.bytes
    assert len(raw) == 32


@pytest.mark.parametrize("position", range(43))
def test_token_with_one_letter_changed_is_refused(position: int) -> None:
    token = sign_unsubscribe_token("key", MESSAGE)
    other = "B" if token[position] != "B" else "C"
    with pytest.raises(InvalidToken):
        read_unsubscribe_token("key", token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: "", lambda t: "é" * 43, lambda t: "!" * 43]
)
def test_cut_and_foreign_texts_are_refused(change: object) -> None:
    with pytest.raises(InvalidToken):
        read_unsubscribe_token("key", change(sign_unsubscribe_token("key", MESSAGE)))  # type: ignore[operator]


def test_token_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidToken):
        read_unsubscribe_token("key", sign_unsubscribe_token("other key", MESSAGE))
