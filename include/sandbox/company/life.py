"""The company as one object: its clock, its people, and what happens to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.clock import parse_moment, slice_span, write_moment
from sandbox.company.people import Person, Standing
from sandbox.config import SandboxConfig
from sandbox.store import Store

DueWork = Callable[[datetime, datetime], None]


class Company:
    """The simulated company. One thread at a time may advance it; anyone may read it."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.seed = config.seed
        self.store = Store(config.home / "company.sqlite")
        self.lock = threading.RLock()
        self._now = parse_moment(self.store.read_fact("now") or write_moment(config.start))
        self._due_work: list[DueWork] = []

    @property
    def now(self) -> datetime:
        return self._now

    def person_by_email(self, email: str) -> Person | None:
        """Finds the human behind any of their addresses, however it is spelled."""
        return None

    def standing(self, person: Person) -> Standing:
        """Tells what is true of a person's buying now."""
        return Standing(0, None, 60.0, False, None)

    def register_due_work(self, work: DueWork) -> None:
        """Asks to be called for every piece (from, to] of at most an hour that the clock passes, in order.

        The pieces end at full hours. Within a piece the callbacks come first, then the company's own
        events up to ``to``; an order added for a moment inside the piece happens at that moment, in order.
        """
        self._due_work.append(work)

    def add_order(self, person: Person, at: datetime, cause: str) -> None:
        """Lets a person order at a moment (now or later): their open cart if they have one, else anew.

        ``cause`` is free text that the truth keeps, such as ``mail:<message id>``.
        """

    def add_visit(self, person: Person, at: datetime, cause: str) -> None:
        """Lets a person visit the shop at a moment (now or later)."""

    def opt_out(self, person: Person, at: datetime, cause: str) -> None:
        """Lets a person withdraw consent on the CRM's preference page."""

    def advance(self, to: datetime) -> dict[str, Any]:
        """Plays the company up to a moment and returns what happened, as counts.

        Raises:
            ValueError: the moment lies in the past of the virtual clock.
        """
        with self.lock:
            if to < self._now:
                raise ValueError(f"the clock stands at {write_moment(self._now)} and only moves forward")
            for start, stop in slice_span(self._now, to):
                self._now = stop
                for work in self._due_work:
                    work(start, stop)
            self.store.write_fact("now", write_moment(to))
        return {}
