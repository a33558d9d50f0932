"""The company as one object: its clock, its people, and what happens to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.clock import from_seconds, parse_moment, slice_span, to_seconds, write_moment
from sandbox.company.course import Cause, Course
from sandbox.company.crm import MARKETING, Crm
from sandbox.company.people import Person, Standing
from sandbox.company.population import NEVER, REDACTED, Population
from sandbox.company.sales import Sales
from sandbox.company.shop import Shop
from sandbox.config import SandboxConfig
from sandbox.faults import Faults
from sandbox.store import Store
from sandbox.throttle import Limits

DueWork = Callable[[datetime, datetime], None]


class Company:
    """The simulated company. One thread at a time may advance it; anyone may read it, holding ``lock``."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.seed = config.seed
        self.store = Store(config.home / "company.sqlite")
        self.store.require_same_company(config)
        self.limits = Limits(config.are_limits_on)
        self.faults = Faults(self.store)
        self.lock = threading.RLock()
        """Held for moments while tables change; never while a callback runs."""
        self._advancing = threading.Lock()
        self._due_work: list[DueWork] = []
        self.course = Course(config.seed, config.people, to_seconds(config.start))
        self._now = config.start
        self._replay()

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def seconds(self) -> int:
        """The clock as whole seconds since 1970."""
        return to_seconds(self._now)

    @property
    def population(self) -> Population:
        return self.course.population

    @property
    def shop(self) -> Shop:
        return self.course.shop

    @property
    def crm(self) -> Crm:
        return self.course.crm

    @property
    def sales(self) -> Sales:
        return self.course.sales

    @property
    def version(self) -> tuple[int, int, int]:
        """Differs whenever a vendor might answer differently."""
        return self.seconds, self.shop.version, self.crm.version

    def person_by_email(self, email: str) -> Person | None:
        """Finds the human behind any of their addresses, however it is spelled."""
        return self.population.find(email)

    def standing(self, person: Person) -> Standing:
        """Tells what is true of a person's buying now."""
        state, number = self.shop.state, person.person_id
        last = int(state["last_order_at"][number])
        cart = self.shop.open_cart(number, self.seconds)
        return Standing(
            orders_count=int(state["orders_count"][number]),
            last_order_at=None if last == NEVER else from_seconds(last),
            interval_days=float(self.population.traits["interval_days"][number]),
            is_active=bool(state["is_active"][number]),
            open_cart_at=None if cart is None else from_seconds(int(self.shop.carts["at"][cart])),
        )

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
        self._add_cause(at, Cause("order", {"person": person.person_id, "cause": cause}))

    def add_visit(self, person: Person, at: datetime, cause: str) -> None:
        """Lets a person visit the shop at a moment (now or later)."""
        self._add_cause(at, Cause("visit", {"person": person.person_id, "cause": cause}))

    def opt_out(self, person: Person, at: datetime, cause: str) -> None:
        """Lets a person withdraw consent on the CRM's preference page at a moment (now or later)."""
        stated = {"status": "UNSUBSCRIBED", "source": "PREFERENCE_CENTER", "cause": cause}
        self._add_cause(at, Cause("consent", {"email": person.email, "subscription": MARKETING, **stated}))

    def set_consent(self, email: str, subscription: int, status: str, source: str) -> None:
        """Changes what an address consents to, now: somebody used the CRM's API."""
        payload = {"email": email, "subscription": subscription, "status": status, "source": source}
        self._add_cause(self._now, Cause("consent", payload))

    def set_shop_consent(self, person_id: int, consent: int) -> None:
        """Changes what a customer consents to, now: somebody used the shop's API."""
        self._add_cause(self._now, Cause("shop_consent", {"person": person_id, "consent": consent}))

    def change_contact(self, place: int, properties: dict[str, str | None]) -> None:
        """Changes a contact of the CRM, now: somebody used its API."""
        self._add_cause(self._now, Cause("crm_edit", {"place": place, "properties": properties}))

    def purge_contact(self, place: int | None, address: str | None) -> None:
        """Deletes a contact of the CRM for good, or keeps an address out that no contact has."""
        self._add_cause(self._now, Cause("crm_purge", {"place": place, "address": address}))

    def change_sales_record(self, record_id: str, fields: dict[str, Any]) -> None:
        """Changes or deletes a record of the sales people's CRM, now: somebody used its API."""
        self._add_cause(self._now, Cause("sales_change", {"record_id": record_id, "fields": fields}))

    def redact_customer(self, person_id: int, at: datetime) -> None:
        """Lets the shop erase a customer's data at a moment (later, in case the shop thinks better of it)."""
        self._add_cause(at, Cause("shop_consent", {"person": person_id, "consent": REDACTED}))

    def advance(self, to: datetime) -> dict[str, Any]:
        """Plays the company up to a moment and returns what happened, as counts.

        Raises:
            ValueError: the moment lies in the past of the virtual clock.
        """
        with self._advancing:
            if to < self._now:
                raise ValueError(f"the clock stands at {write_moment(self._now)} and only moves forward")
            self.course.happened.clear()
            for start, stop in slice_span(self._now, to):
                self._play_slice(start, stop)
            return dict(self.course.happened)

    def close(self) -> None:
        self.store.close()

    def _play_slice(self, start: datetime, stop: datetime) -> None:
        with self.lock:
            self.course.open_day(to_seconds(start))
            self._now = stop
        for work in self._due_work:
            work(start, stop)
        with self.lock:
            self.course.apply(to_seconds(stop))
            self.store.write_fact("now", write_moment(stop))

    def _add_cause(self, at: datetime, cause: Cause) -> None:
        with self.lock:
            moment = max(to_seconds(at), self.course.reached)
            sequence = self.store.execute(
                "insert into cause (at, kind, payload) values (?, ?, ?)",
                (moment, cause.kind, json.dumps(cause.payload)),
            )
            self.course.schedule(moment, sequence, cause)
            self.course.apply(self.course.reached)

    def _replay(self) -> None:
        """Goes from the start to where the clock stood, with what others caused on the way."""
        for row in self.store.fetch_all("select sequence, at, kind, payload from cause order by sequence"):
            self.course.schedule(row["at"], row["sequence"], Cause(row["kind"], json.loads(row["payload"])))
        self._now = parse_moment(self.store.read_fact("now") or write_moment(self.config.start))
        self.course.apply(self.course.reached)
        self.course.play(self.seconds)
