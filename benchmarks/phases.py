"""Where the time of a dispatch goes: claiming, marking, calling the provider, recording."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from safar.delivery.calling import Caller
from safar.delivery.channel import Channel
from safar.delivery.claiming import Claimant

Phases = dict[str, list[float]]
"""Seconds of each turn, by phase, of all workers together."""


@contextmanager
def timing_phases(channel: Channel) -> Iterator[Phases]:
    """Times every turn of each phase of the dispatches inside it."""
    phases: Phases = defaultdict(list)
    with ExitStack() as stack:
        for phase, owner, method in (
            ("claim", Claimant, "claim_due"),
            ("mark as attempted, and commit to disk", Caller, "_mark_attempting"),
            ("call the provider", type(channel), "send"),
            ("record the answer", Caller, "record"),
        ):
            stack.enter_context(patch.object(owner, method, _time_turns(getattr(owner, method), phases[phase])))
        yield phases


def _time_turns(method: Any, seconds: list[float]) -> Any:
    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments)
        finally:
            seconds.append(time.perf_counter() - began)

    return timed


def describe_phases(phases: Phases, wall_seconds: float, workers: int) -> str:
    """Each phase's share of the workers' time; the rest is waiting for the one call at a time."""
    available = wall_seconds * workers
    parts = [f"{phase} {sum(turns) / available:.0%}" for phase, turns in phases.items()]
    rest = 1 - sum(sum(turns) for turns in phases.values()) / available
    return f"  of the {workers} workers' time: {', '.join(parts)}, waiting for the turn to call {rest:.0%}"
