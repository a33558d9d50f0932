"""A vendor that takes no more calls for now: the load is put off, and nobody waits for it in a worker."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from safar.catalogue.fetching import QuotaReset
from safar.errors import SafarError


class VendorExhausted(SafarError):
    """The vendor takes no more calls until ``reset``."""

    def __init__(self, message: str, reset: QuotaReset) -> None:
        super().__init__(message)
        self.reset = reset


class LoadPutOff(SafarError):
    """A load that landed nothing and is to be tried again at ``resumes_at`` (business time)."""

    # A stale source raises its own alert where a campaign is blocked by it.
    alert_kind: ClassVar[str | None] = None

    def __init__(self, message: str, resumes_at: datetime) -> None:
        super().__init__(f"{message} It goes on at {resumes_at:%Y-%m-%d %H:%M} UTC.")
        self.resumes_at = resumes_at
