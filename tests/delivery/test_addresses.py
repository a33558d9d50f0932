"""One spelling per address, and a hash that tells nothing without the key."""

from __future__ import annotations

import pytest

from safar.delivery.addresses import hash_address, normalise_email


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("  Anna@Example.COM ", "anna@example.com"),
        ("a.b+tag@gmail.com", "a.b+tag@gmail.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("o'hara@sub.example.co.uk", "o'hara@sub.example.co.uk"),
    ],
)
def test_an_address_has_one_spelling(text: str, address: str) -> None:
    assert normalise_email(text) == address
    assert normalise_email(address) == address


@pytest.mark.parametrize(
    "text",
    [
        None, "", "anna", "anna@", "@example.com", "anna@localhost", "a@b@example.com", "an na@example.com",
        "anna@exa_mple.com",
        ".anna@example.com", "an..na@example.com", "anna@-example.com", "anna@example.com\nBcc: x@example.com",
        "Anna <anna@example.com>", "anna@127.0.0.1", f"{'x' * 65}@example.com", f"a@{'x' * 64}.com", "a,b@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert normalise_email(text) is None


def test_the_hash_depends_on_key_channel_and_address() -> None:
    hashes = {
        hash_address("key", "email", "a@example.com"),
        hash_address("other", "email", "a@example.com"),
        hash_address("key", "sms", "a@example.com"),
        hash_address("key", "email", "b@example.com"),
    }
    assert len(hashes) == 4
    assert hash_address("key", "email", "a@example.com") == hash_address("key", "email", "a@example.com")
