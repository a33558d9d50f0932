"""What planning and dispatching did, in figures that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PlanReport:
    """How many decisions became what."""

    runs: tuple[str, ...] = ()
    results: Counter[str] = field(default_factory=Counter)
    """By plan_result: planned, already_planned, same_address, expired, not_approved, blocked."""

    def __add__(self, other: PlanReport) -> PlanReport:
        return PlanReport((*self.runs, *other.runs), self.results + other.results)

    @property
    def decision_count(self) -> int:
        return self.results.total()

    def describe(self) -> str:
        if not self.runs:
            return "Nothing to plan: each send decision has its result."
        return f"{self.decision_count} decisions of {len(self.runs)} runs: {_list(self.results)}."


@dataclass(frozen=True)
class DispatchReport:
    """What became of the messages that were due, and of the calls that carried them."""

    messages: Counter[str] = field(default_factory=Counter)
    """accepted, failed, unknown, expired, delayed (quiet hours), put_back, and cancelled: <reason>."""
    calls: Counter[str] = field(default_factory=Counter)
    """By answer: accepted, refused, too_large, try_later, misconfigured, no_answer."""
    recovered: Counter[str] = field(default_factory=Counter)
    """What dead dispatchers left: released (never left), unknown."""
    stopped_because: str | None = None
    """Why this dispatch ended with messages still due, when it did."""
    left: Counter[str] = field(default_factory=Counter)
    """What is due and did not leave, so that nobody is left out in silence: held (the campaign waits for
    `safar approve`), paused, put off (the provider asked us to wait), stopped early, in other hands."""

    def __add__(self, other: DispatchReport) -> DispatchReport:
        return DispatchReport(
            self.messages + other.messages,
            self.calls + other.calls,
            self.recovered + other.recovered,
            self.stopped_because or other.stopped_because,
            self.left + other.left,
        )

    @property
    def accepted_count(self) -> int:
        return self.messages["accepted"]

    def describe(self) -> str:
        lines = [f"Messages: {_list(self.messages) or 'none was due'}. Calls: {_list(self.calls) or 'none'}."]
        if self.recovered:
            lines.append(f"Left by dispatchers that died: {_list(self.recovered)}.")
        if self.stopped_because:
            lines.append(f"Stopped early, the rest stays planned: {self.stopped_because}.")
        if self.left:
            lines.append(f"Due and not sent: {_list(self.left)}.")
        return " ".join(lines)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
