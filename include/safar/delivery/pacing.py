"""How long to wait after a call that did not work, and when to give up for now. Wall time."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """The schedule of pauses of one dispatch."""

    first_pause: float = 1.0
    """Seconds after the first failure; each further one in a row doubles it."""
    longest_pause: float = 30.0
    """Seconds that we wait at most in one go; a provider that asks for more ends this dispatch."""
    tries: int = 5
    """How many calls in a row may fail before this dispatch ends."""
    probe_size: int = 10
    """How many messages a call carries after one without an answer, until one is accepted."""


class Pace:
    """Counts failures in a row."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._is_probing = False

    def limit(self, call_limit: int) -> int:
        """How many messages the next call may carry: a provider in trouble is not given a thousand."""
        return min(call_limit, self._patience.probe_size) if self._is_probing else call_limit

    def note_success(self) -> None:
        self._failures = 0
        self._is_probing = False

    def note_failure(self, *, retry_after: float | None = None, is_doubtful: bool = False) -> float | None:
        """Returns the seconds to wait before the next call, or None when this dispatch should end.

        Args:
            retry_after: what the provider asked for.
            is_doubtful: the call may have worked, so the next one should risk little.
        """
        self._failures += 1
        self._is_probing = self._is_probing or is_doubtful
        if self._failures >= self._patience.tries:
            return None
        if retry_after is not None:
            return retry_after if retry_after <= self._patience.longest_pause else None
        pause = self._patience.first_pause * 2.0 ** (self._failures - 1)
        jitter: float = random.uniform(0.8, 1.2)  # noqa: S311
        return min(float(pause) * jitter, self._patience.longest_pause)
