"""The course of events: what is planned, and how it happens in order. Knows nothing of clocks, files or HTTP."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sandbox.clock import DAY_SECONDS, slice_seconds
from sandbox.company.behaviour import draw_mail_cart, plan_day
from sandbox.company.columns import Array
from sandbox.company.crm import MARKETING, SERVICE, Crm
from sandbox.company.crm_changes import Change, apply_archive, apply_edit, apply_merge, plan_changes, play_past
from sandbox.company.population import NEVER, SUBSCRIBED, UNSUBSCRIBED, Population
from sandbox.company.sales import Sales
from sandbox.company.shop import Shop

PAST_DAYS = 730
COHORT_DAYS = 90
CAUSES, CHANGES, PURCHASES = range(3)
"""What happens first where two things fall into the same second."""


@dataclass(frozen=True)
class Cause:
    """Something that came from outside: a mail's effect, a call of a vendor's API."""

    kind: str
    """order, visit, consent, shop_consent, crm_edit, crm_purge or sales_change"""
    payload: dict[str, Any]


class Happening(NamedTuple):
    """Something planned for a moment (seconds); no two agree in all of the first three."""

    at: int
    rank: int
    number: int
    what: Change | Cause | None


class Course:
    """The company's tables and what will happen to them. All moments are whole seconds since 1970."""

    def __init__(self, seed: int, people: int, start: int) -> None:
        self.seed = seed
        self.people = people
        self.start = start
        self.population = Population(seed)
        self.shop = Shop()
        self.crm = Crm(self.population)
        self.sales = Sales(self.population, seed, start)
        self.happened: Counter[str] = Counter()
        self.reached = start
        """Everything up to this moment has happened."""
        self._pending: list[Happening] = []
        self._cohorts = 0
        self._play_past()

    def schedule(self, at: int, sequence: int, cause: Cause) -> None:
        """Puts an outside cause in its place."""
        heapq.heappush(self._pending, Happening(at, CAUSES, sequence, cause))

    def play(self, until: int) -> None:
        """Lets everything happen up to and including a moment, planning each day at its midnight."""
        for start, stop in slice_seconds(self.reached, until):
            self.open_day(start)
            self.apply(stop)

    def open_day(self, moment: int) -> None:
        """Plans a day when its midnight is reached; does nothing at any other moment."""
        if moment % DAY_SECONDS == 0 and moment > self.start:
            self._plan_day(moment // DAY_SECONDS)

    def apply(self, until: int) -> None:
        """Lets happen, in order, what is planned up to and including a moment."""
        while self._pending and self._pending[0].at <= until:
            happening = heapq.heappop(self._pending)
            if isinstance(happening.what, Change):
                self._apply_change(happening.what)
            elif isinstance(happening.what, Cause):
                self._apply_cause(happening.at, happening.what)
            else:
                self._buy(np.array([happening.number]), np.array([happening.at]))
        self.reached = until

    def _play_past(self) -> None:
        first_day = self.start // DAY_SECONDS
        midnight = first_day * DAY_SECONDS
        self._add_cohort(self.people, midnight - PAST_DAYS * DAY_SECONDS, midnight)
        for day in range(first_day - PAST_DAYS, first_day):
            self._plan_purchases(day)
            self._buy_all_before((day + 1) * DAY_SECONDS)
        play_past(self.crm, self.shop, self.seed, midnight)
        self._plan_day(first_day)
        self.apply(self.start)
        self.happened.clear()

    def _buy_all_before(self, midnight: int) -> None:
        """Applies a day's purchases at once: the past has nothing else that could come between."""
        due = []
        while self._pending and self._pending[0].at < midnight:
            due.append(heapq.heappop(self._pending))
        if due:
            self._buy(np.array([one.number for one in due]), np.array([one.at for one in due]))

    def _plan_day(self, day: int) -> None:
        if (day - self.start // DAY_SECONDS) % COHORT_DAYS == 0:
            newcomers = max(1, self.people * COHORT_DAYS // PAST_DAYS)
            self._add_cohort(newcomers, day * DAY_SECONDS, (day + COHORT_DAYS) * DAY_SECONDS)
        self._plan_purchases(day)
        for number, change in enumerate(list(plan_changes(self.crm, self.shop, self.seed, day))):
            heapq.heappush(self._pending, Happening(change.at, CHANGES, number, change))

    def _plan_purchases(self, day: int) -> None:
        plan = plan_day(self.population, self.shop, day)
        self.shop.remember_carts(plan.carts)
        for cart, at in zip(plan.carts.tolist(), plan.buy_at.tolist(), strict=True):
            if at != NEVER:
                heapq.heappush(self._pending, Happening(at, PURCHASES, cart, None))

    def _add_cohort(self, count: int, joined_from: int, joined_to: int) -> None:
        numbers = self.population.add_cohort(self._cohorts, count, joined_from, joined_to)
        traits = self.population.traits
        self.shop.add_people(numbers, traits["shop_at"][numbers], traits["shop_consent"][numbers])
        self.crm.add_people(numbers.tolist())
        self._cohorts += 1

    def _buy(self, carts: Array, at: Array) -> Array:
        people = self.shop.carts["person"][carts]
        firsts = people[self.shop.state["orders_count"][people] == 0]
        orders = self.shop.buy(carts, at, self.population.traits["drop_chance"][people])
        self.happened["orders"] += len(orders)
        if self.reached >= self.start and len(orders) and len(firsts):
            contact = self.crm.primary(int(firsts[0]))
            if contact is not None and contact.created_ms // 1000 <= int(at[0]):
                self.crm.change(contact, int(at[0]), lifecyclestage="customer")
        return orders

    def _apply_change(self, change: Change) -> None:
        self.happened[change.kind] += 1
        if change.kind == "edit":
            apply_edit(self.crm, change)
        elif change.kind == "archive":
            apply_archive(self.crm, change)
        elif change.kind == "merge":
            apply_merge(self.crm, change)
        elif change.kind == "shop_opt_out":
            if self.shop.state["consent"][change.number] == SUBSCRIBED:
                self._set_shop_consent(change.number, UNSUBSCRIBED, change.at)
        else:
            status, source = {
                "opt_out": ("UNSUBSCRIBED", "PREFERENCE_CENTER"),
                "opt_in": ("SUBSCRIBED", "FORM"),
            }[change.kind]
            self._set_consent(self.population.address(change.number), MARKETING, status, source, change.at)

    def _apply_cause(self, at: int, cause: Cause) -> None:
        payload = cause.payload
        self.happened[f"caused_{cause.kind}s"] += 1
        if cause.kind == "consent":
            self._set_consent(payload["email"], payload["subscription"], payload["status"], payload["source"], at)
        elif cause.kind == "shop_consent":
            self._set_shop_consent(payload["person"], payload["consent"], at)
        elif cause.kind == "crm_edit":
            self.crm.change(self.crm.contacts[payload["place"]], at, **payload["properties"])
        elif cause.kind == "crm_purge":
            self._purge(payload["place"], payload["address"], at)
        elif cause.kind == "sales_change":
            self.sales.change(payload["record_id"], at, payload["fields"])
        elif cause.kind == "visit":
            self.shop.state["visits_count"][payload["person"]] += 1
        else:
            self._order_by_mail(payload["person"], at, payload["cause"])

    def _purge(self, place: int | None, address: str | None, at: int) -> None:
        if address is not None:
            self.crm.blocked.add(address)
        if place is not None:
            self.crm.purge(self.crm.contacts[place], at)

    def _order_by_mail(self, person: int, at: int, cause: str) -> None:
        cart = self.shop.open_cart(person, at)
        if cart is None:
            cart = draw_mail_cart(self.seed, self.shop, person, at)
        self.shop.state["is_active"][person] = True
        for order in self._buy(np.array([cart]), np.array([at])).tolist():
            self.shop.causes[order] = cause

    def _set_consent(self, email: str, subscription: int, status: str, source: str, at: int) -> None:
        self.crm.set_consent(email, subscription, status, source, at)
        person = self.population.find(email)
        contact = None if person is None else self.crm.primary(person.person_id)
        if contact is not None and contact.created_ms // 1000 <= at and subscription != SERVICE:
            self.crm.change(contact, at)

    def _set_shop_consent(self, person: int, consent: int, at: int) -> None:
        self.shop.state["consent"][person] = consent
        self.shop.state["consent_at"][person] = at
        self.shop.version += 1
