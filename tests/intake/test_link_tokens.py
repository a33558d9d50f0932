"""Whatever somebody makes of a token, only the one that we signed for this purpose opens anything."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safar.delivery.unsubscribe_tokens import (
    InvalidToken,
    read_confirmation_token,
    read_unsubscribe_token,
    sign_confirmation_token,
    sign_unsubscribe_token,
)

KEY = "the key of this installation"
PURPOSES = [(sign_unsubscribe_token, read_unsubscribe_token), (sign_confirmation_token, read_confirmation_token)]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
changed = st.tuples(st.integers(0, 42), st.sampled_from(LETTERS))


@pytest.mark.parametrize(("sign", "read"), PURPOSES)
@given(message_id=st.uuids())
def test_what_was_signed_is_read_back(sign, read, message_id: uuid.UUID) -> None:
    assert read(KEY, sign(KEY, message_id)) == message_id


@pytest.mark.parametrize(("sign", "read"), PURPOSES)
@given(message_id=st.uuids(), edits=st.lists(changed, min_size=1, max_size=5))
def test_a_changed_token_is_refused(sign, read, message_id: uuid.UUID, edits: list[tuple[int, str]]) -> None:
    right = sign(KEY, message_id)
    letters = list(right)
    for position, letter in edits:
        letters[position] = letter
    if letters != list(right):
        with pytest.raises(InvalidToken):
            read(KEY, "".join(letters))


@pytest.mark.parametrize(("sign", "read"), PURPOSES)
@given(message_id=st.uuids(), start=st.integers(0, 43), end=st.integers(0, 43), more=st.text(max_size=3))
def test_a_cut_or_lengthened_token_is_refused(
    sign, read, message_id: uuid.UUID, start: int, end: int, more: str
) -> None:
    right = sign(KEY, message_id)
    text = right[start:end] + more
    if text != right:
        with pytest.raises(InvalidToken):
            read(KEY, text)


@pytest.mark.parametrize("read", [read_unsubscribe_token, read_confirmation_token])
@given(
    text=st.text(max_size=60)
    | st.binary(min_size=32, max_size=32).map(lambda raw: urlsafe_b64encode(raw).rstrip(b"=").decode())
)
def test_an_invented_token_is_refused(read, text: str) -> None:
    with pytest.raises(InvalidToken):
        read(KEY, text)


@given(message_id=st.uuids(), other_key=st.text(min_size=1, max_size=40).filter(lambda key: key != KEY))
def test_a_token_of_another_key_or_purpose_is_refused(message_id: uuid.UUID, other_key: str) -> None:
    foreign = [
        (read_unsubscribe_token, sign_unsubscribe_token(other_key, message_id)),
        (read_confirmation_token, sign_confirmation_token(other_key, message_id)),
        (read_unsubscribe_token, sign_confirmation_token(KEY, message_id)),
        (read_confirmation_token, sign_unsubscribe_token(KEY, message_id)),
    ]
    for read, token in foreign:
        with pytest.raises(InvalidToken):
            read(KEY, token)
