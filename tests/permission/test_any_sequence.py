"""Whatever is said, learned, confirmed, suppressed and lifted in whatever order: the claim, the decisions and the view
say what a plain model says, and nobody is written to after a no that was known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from jinja2 import Template
from tests.delivery.conftest import NOON, Company, OpenWorkspace, dispatch
from tests.delivery.test_last_look import Postbox

from safar.permission import Confirmation, PermissionRequest, confirm_permission, request_confirmation
from safar.settings import PROJECT_ROOT

TOPICS = ("marketing", "service")
MODEL = PROJECT_ROOT / "dbt_project/models/decisions/int_decisions__permissions.sql"
RELATIONS = {
    "int_decisions__campaigns": "(values ('marketing'), ('service')) as campaigns (topic)",
    "stg_ledger__permission_events": "ledger.permission_event",
}

INSERT_WORD = """
insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)
values ('email', %s, %s, %s, 'test', %s, %s)
"""
INSERT_SUPPRESSION = """
insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at)
values ('email', %s, 'hard_bounce', 'test', %s, %s) returning suppression_id
"""
INSERT_LIFT = (
    "insert into ledger.suppression_lift (suppression_id, reason, lifted_by, occurred_at) values (%s, 'x', 'y', %s)"
)
INSERT_ACTION = """
insert into ledger.action (action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class,
    entry_occurred_at, due_at, expires_at, planned_at)
values (%(id)s, 'night/1', 'reactivation', 'reminder', %(key)s, %(key)s, 'message', 'marketing', %(at)s, %(at)s,
    %(until)s, %(at)s)
"""
INSERT_MESSAGE = """
insert into ledger.message (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class,
    topic, priority, template, locale, address, address_hash, address_key_id, entry_occurred_at, due_at, expires_at,
    planned_at)
values (%(id)s, %(id)s, 'night/1', 'reactivation', 'reminder', %(key)s, %(key)s, 'email', 'marketing', %(topic)s, 1,
    'reactivation_reminder', 'en', %(address)s, %(hash)s, 'test', %(at)s, %(at)s, %(until)s, %(at)s)
"""

# Few distinct moments, so that ties are common.
moments = st.integers(0, 6).map(lambda hours: NOON - timedelta(hours=hours))
topics = st.sampled_from([*TOPICS, "all"])


def render_decisions() -> str:
    return Template(MODEL.read_text()).render(ref=RELATIONS.__getitem__, config=lambda **_: "")


class Ledger(RuleBasedStateMachine):
    """One address of its own per example, in one database."""

    company: Company
    open_workspace: Callable[..., Any]
    decisions: str
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.hash = f"hash-{next(self.numbers)}"
        self.words: list[tuple[Any, bool, str]] = []
        self.requests: dict[str, tuple[str, Any]] = {}
        self.confirmed: set[str] = set()
        self.in_force: list[int] = []

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return self.company.connection

    def is_granted(self, topic: str) -> bool:
        said = [(at, is_no) for at, is_no, about in self.words if about in (topic, "all")]
        return bool(said) and not max(said)[1]

    @rule(state=st.sampled_from(["granted", "revoked"]), topic=topics, at=moments)
    def learn(self, state: str, topic: str, at: Any) -> None:
        self.connection.execute(INSERT_WORD, [topic, self.hash, state, uuid4().hex, at])
        self.words.append((at, state == "revoked", topic))

    @rule(topic=topics, at=moments)
    def ask(self, topic: str, at: Any) -> None:
        request = PermissionRequest("email", topic, self.hash, "1", "form")
        self.requests[request_confirmation(self.connection, request, now=at)] = (topic, at)

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), later=st.integers(0, 3))
    def confirm(self, data: st.DataObject, later: int) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.requests)))
        topic, asked_at = self.requests[request_id]
        at = asked_at + timedelta(hours=later)
        is_withdrawn = any(no and about in (topic, "all") and said >= asked_at for said, no, about in self.words)
        expected = (
            Confirmation.ALREADY_CONFIRMED
            if request_id in self.confirmed
            else Confirmation.WITHDRAWN
            if is_withdrawn
            else Confirmation.GRANTED
        )
        assert confirm_permission(self.connection, request_id, method="email_link", now=at) == expected
        if expected == Confirmation.GRANTED:
            self.confirmed.add(request_id)
            self.words.append((at, False, topic))

    @rule(at=moments)
    def suppress(self, at: Any) -> None:
        row = self.connection.execute(INSERT_SUPPRESSION, [self.hash, uuid4().hex, at]).fetchone()
        assert row is not None
        self.in_force.append(row[0])

    @precondition(lambda self: self.in_force)
    @rule(at=moments)
    def lift_one(self, at: Any) -> None:
        self.connection.execute(INSERT_LIFT, [self.in_force.pop(), at])

    @rule(topic=st.sampled_from(TOPICS))
    def claim(self, topic: str) -> None:
        key = uuid4()
        values = {"id": key, "key": str(key), "topic": topic, "hash": self.hash, "address": f"{key}@example.com"}
        values |= {"at": NOON, "until": NOON + timedelta(days=1)}
        self.connection.execute(INSERT_ACTION, values)
        self.connection.execute(INSERT_MESSAGE, values)
        postbox = Postbox()
        dispatch(self.open_workspace(NOON), channel=postbox)
        is_allowed = self.is_granted(topic) and not self.in_force
        assert postbox.sent == ([values["address"]] if is_allowed else [])
        decided = self.connection.execute(
            f"select is_granted from ({self.decisions}) as decided where address_hash = %s and topic = %s",
            [self.hash, topic],
        ).fetchone()
        assert bool(decided and decided[0]) == self.is_granted(topic)
        if is_allowed:
            told = "select state_then, suppression_reason_then from ledger.message_permission where message_id = %s"
            assert self.connection.execute(told, [key]).fetchone() == ("granted", None)


def test_claim_decisions_and_view_agree_with_a_plain_model(company: Company, open_workspace: OpenWorkspace) -> None:
    company.add_run()
    Ledger.company, Ledger.open_workspace, Ledger.decisions = company, staticmethod(open_workspace), render_decisions()
    quick = settings(
        max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(Ledger, settings=quick)
