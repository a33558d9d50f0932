"""Business time: what is due, capped, quiet or expired. Leases and deadlines use wall time instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import requests

from safar.errors import SafarError


class Clock(Protocol):
    """Tells business time, always aware and in UTC."""

    def now(self) -> datetime: ...


class WallClock:
    """Business time is the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """Business time stands where it was put; tests and replays move it by hand."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class SandboxClock:
    """Business time is the simulated company's, asked for over HTTP (``GET <base_url>/clock``)."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/clock"

    def now(self) -> datetime:
        """Asks the sandbox.

        Raises:
            SafarError: the sandbox does not answer.
        """
        try:
            answer = requests.get(self._url, timeout=30)
            answer.raise_for_status()
            return datetime.fromisoformat(answer.json()["now"]).astimezone(UTC)
        except (requests.RequestException, KeyError, ValueError) as error:
            raise SafarError(
                f"The sandbox's clock at {self._url} does not answer ({type(error).__name__}). Start it with "
                "`make up`, or unset SAFAR_CLOCK to use the machine's own time."
            ) from error
