"""What becomes of accepted mails as the company's clock moves: events, suppressions, orders, opt-outs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.company import Company, Person
from sandbox.responses import Circumstances, Dice, Reaction, react, true_uplift
from sandbox.sendgrid.acceptance import Letter, open_letters
from sandbox.sendgrid.events import describe_event
from sandbox.sendgrid.reach import Caller, find_one_click_url
from sandbox.sendgrid.rendering import render_letter
from sandbox.sendgrid.storage import Row, Storage
from sandbox.sendgrid.suppressions import Suppressions
from sandbox.sendgrid.webhooks import Event, Webhooks

DAY_SECONDS = 86_400.0
EVENTS_PER_TRANSACTION = 1000
CART_CAMPAIGN = "cart_abandonment"
ACTIONS = frozenset({"order", "one_click", "preference_page"})
"""Happenings that no event tells; the rest is posted to the webhooks."""
_SUPPRESSES = {
    "bounce": "bounces",
    "blocked": "blocks",
    "spamreport": "spam_reports",
    "unsubscribe": "unsubscribes",
}


class Player:
    """Plays the fate of mails, slice by slice of the company's clock."""

    def __init__(
        self,
        company: Company,
        storage: Storage,
        suppressions: Suppressions,
        webhooks: Webhooks,
        caller: Caller,
    ) -> None:
        self._company = company
        self._storage = storage
        self._suppressions = suppressions
        self._webhooks = webhooks
        self._caller = caller

    def play(self, start: datetime, stop: datetime) -> None:
        """Plays everything that falls due up to `stop`, and returns when all listeners have been called."""
        until = stop.timestamp()
        self._decide_fates(until)
        events = list(self._let_happen(until))
        self._enqueue(events, until)
        posted = self._webhooks.post_due(until)
        happened = self._company.course.happened
        happened["mail_events"] += len(events)
        happened["webhook_posts"] += posted.delivered_count
        happened["webhook_failures"] += posted.failed_count

    def _decide_fates(self, until: float) -> None:
        """Writes down all that will happen to each mail that is processed by now."""
        due = self._storage.rows(
            "select * from mail_request left join batch using (batch_id) where next_process_at <= ? order by "
            "request_id",
            until,
        )
        for request in due:
            if request["status"] == "pause":
                continue
            with self._storage.transaction():
                self._decide_request(request, until)

    def _decide_request(self, request: Row, until: float) -> None:
        letters = open_letters(request["request_id"], request["x_message_id"], request["body"])
        first, last = letters[0].mail_id, letters[-1].mail_id
        waiting = {
            row["mail_id"]: row
            for row in self._storage.rows(
                "select * from mail where mail_id between ? and ? and is_played = 0", first, last
            )
        }
        rows: list[tuple[Any, ...]] = []
        expectations: list[tuple[float, int]] = []
        played: list[tuple[int]] = []
        for letter in letters:
            mail = waiting.get(letter.mail_id)
            if mail is None or mail["process_at"] > until:
                continue
            if request["status"] != "cancel":
                happenings, expected = self._decide_mail(letter, mail, request["content_id"])
                rows += happenings
                expectations.append((expected, letter.mail_id))
            waiting.pop(letter.mail_id)
            played.append((letter.mail_id,))
        self._storage.execute_many("insert into mail_event (mail_id, kind, due_at, details) values (?, ?, ?, ?)", rows)
        self._storage.execute_many("update mail set is_played = 1 where mail_id = ?", played)
        self._storage.execute_many("update mail set expected_extra_orders = ? where mail_id = ?", expectations)
        self._storage.execute(
            "update mail_request set next_process_at = ? where request_id = ?",
            min((row["process_at"] for row in waiting.values()), default=None),
            request["request_id"],
        )

    def _decide_mail(self, letter: Letter, mail: Row, content_id: int) -> tuple[list[tuple[Any, ...]], float]:
        """Everything that will happen to one mail, and the orders that it is expected to make."""
        processed_at = mail["process_at"]
        reason = self._find_drop_reason(letter)
        if reason is not None:
            return [self._note(letter, "dropped", processed_at, {"reason": reason, "status": "5.0.0"})], 0.0
        person = self._company.person_by_email(letter.address)
        circumstances = self._describe_circumstances(mail, person)
        reactions = [Reaction("processed", 0.0), *react(person, self._company.seed, circumstances)]
        happenings = []
        for reaction in reactions:
            kind, details = self._detail(letter, reaction.kind, content_id)
            if kind is not None:
                happenings.append(self._note(letter, kind, processed_at + reaction.after, details))
        is_delivered = any(reaction.kind == "delivered" for reaction in reactions)
        expected = true_uplift(person, circumstances) if person is not None and is_delivered else 0.0
        return happenings, expected

    def _find_drop_reason(self, letter: Letter) -> str | None:
        if letter.address.lower().endswith(".invalid"):
            return "Invalid"
        return self._suppressions.find_drop_reason(letter.address, letter.group_id)

    def _describe_circumstances(self, mail: Row, person: Person | None) -> Circumstances:
        previous = self._storage.value(
            "select max(process_at) from mail where address = ? and process_at < ?", mail["address"], mail["process_at"]
        )
        return Circumstances(
            campaign=mail["campaign"] or "",
            step=mail["step"] or "",
            day=datetime.fromtimestamp(mail["process_at"], UTC).date(),
            days_since_last_mail=None if previous is None else (mail["process_at"] - previous) / DAY_SECONDS,
            is_reader_active=person is None or self._company.standing(person).is_active,
        )

    def _detail(self, letter: Letter, kind: str, content_id: int) -> tuple[str | None, dict[str, Any]]:
        """What a reaction comes to in this mail: without a link there is no click, without the headers no one click."""
        if kind == "click":
            links = render_letter(self._storage, letter, content_id).read.links
            leading = [link for link in links if "unsubscribe" not in link.lower()]
            if not leading:
                return None, {}
            place = int(Dice(self._company.seed, letter.mail_id).throw("link") ** 2 * len(leading))
            return kind, {"url": leading[place]}
        if kind == "one_click":
            url = find_one_click_url(letter.headers)
            return (kind, {"url": url}) if url else ("unsubscribe", {})
        if kind == "unsubscribe" and letter.group_id is not None:
            return "group_unsubscribe", {}
        return kind, {}

    def _note(self, letter: Letter, kind: str, at: float, details: dict[str, Any]) -> tuple[Any, ...]:
        if kind not in ACTIONS:
            details = describe_event(letter, kind, at, details, self._company.seed)
        return letter.mail_id, kind, at, orjson.dumps(details).decode()

    def _let_happen(self, until: float) -> Iterator[Event]:
        """Lets what is due come true, in order of time, and gives the events to post."""
        while due := self._take_due(until):
            for row in due:
                # Outside the transaction: the one who is called may be slow, and mails go on being accepted.
                self._act(row)
            yield from (orjson.loads(row["details"]) for row in due if row["kind"] not in ACTIONS)

    def _take_due(self, until: float) -> list[Row]:
        with self._storage.transaction():
            due = self._storage.rows(
                "select * from mail_event join mail using (mail_id) where happened = 0 and due_at <= ?"
                " order by due_at, event_id limit ?",
                *(until, EVENTS_PER_TRANSACTION),
            )
            for row in due:
                self._suppress(row)
            self._storage.execute_many(
                "update mail_event set happened = 1 where event_id = ?", ((row["event_id"],) for row in due)
            )
        return due

    def _suppress(self, row: Row) -> None:
        """Writes the address on the list that the happening puts it on, if any."""
        kind, address, created = row["kind"], row["address"], int(row["due_at"])
        if kind not in _SUPPRESSES and kind not in ("dropped", "group_unsubscribe"):
            return
        details = orjson.loads(row["details"])
        if kind == "group_unsubscribe":
            self._suppressions.add_to_group(details["asm_group_id"], [address], created)
        elif kind == "dropped" and details["reason"] == "Invalid":
            self._suppressions.add(
                "invalid_emails", address, created, "Mail domain mentioned in email address is unknown"
            )
        elif kind in _SUPPRESSES:
            self._suppressions.add(_SUPPRESSES[kind], address, created, details.get("reason"), details.get("status"))

    def _act(self, row: Row) -> None:
        """Lets the reader do what they do outside the mail: visit, order, leave."""
        if row["kind"] == "one_click":
            url = orjson.loads(row["details"])["url"]
            self._caller.post(url, b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})
            return
        act = {
            "click": self._company.add_visit,
            "order": self._company.add_order,
            "preference_page": self._company.opt_out,
        }.get(row["kind"])
        person = self._company.person_by_email(row["address"]) if act else None
        if act is not None and person is not None and not self._is_cart_gone(row, person):
            act(person, datetime.fromtimestamp(row["due_at"], UTC), f"mail:{row['message_id'] or row['mail_id']}")

    def _is_cart_gone(self, row: Row, person: Person) -> bool:
        """Whether a reminded cart has been bought meanwhile: the reminder then moves nobody to a second one."""
        if row["kind"] != "order" or row["campaign"] != CART_CAMPAIGN:
            return False
        return self._company.standing(person).open_cart_at is None

    def _enqueue(self, events: list[Event], until: float) -> None:
        """Hands one slice's events to the webhooks, wronged by the faults that are on."""
        if not events:
            return
        if self._is_on("reorder_events"):
            random.Random(f"{self._company.seed}:{until}").shuffle(events)  # noqa: S311 - a fault, no secret
        at = until
        if self._is_on("delay_events"):
            at += DAY_SECONDS
        if self._is_on("forge_events"):
            self._webhooks.enqueue(_forge(events), at, is_forged=True)
        copies = 2 if self._is_on("repeat_events") else 1
        with self._storage.transaction():
            for _ in range(copies):
                self._webhooks.enqueue(events, at)

    def _is_on(self, fault: str) -> bool:
        return self._company.faults.take((fault,), "sendgrid", "/events") is not None


def _forge(events: list[Event]) -> list[Event]:
    """What a stranger would post who wants people taken off the lists."""
    return [{**event, "event": "spamreport", "sg_event_id": f"forged-{event['sg_event_id']}"} for event in events[:5]]
