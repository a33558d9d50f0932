"""A ledger on which permissions are asked for, given and taken back, and a provider that only keeps what it gets."""

from __future__ import annotations

from tests.delivery.conftest import company  # noqa: F401
