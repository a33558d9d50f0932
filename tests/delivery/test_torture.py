"""A night of thousands of messages whose dispatchers are killed at random, by the hundred, beside each other.

Seeds are fixed and can be chosen: TORTURE_SEED, TORTURE_KILLS, TORTURE_MESSAGES (`make torture` asks for more).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.conftest import Company, OpenWorkspace, RunningSandbox, dispatch, plan, publish_by_hand
from tests.delivery.evening import begin_next_day, move_clock, run_intake
from tests.delivery.killable_dispatcher import BATCH, LEASE, Dispatchers

from safar.delivery.stops import resume_sending
from safar.feedback import settle_unknown
from safar.intake import create_app
from safar.workspace import Workspace

SEED = int(os.environ.get("TORTURE_SEED", "20260302"))
KILLS = int(os.environ.get("TORTURE_KILLS", "200"))
MESSAGES = int(os.environ.get("TORTURE_MESSAGES", "5000"))
GRACE = timedelta(days=4)
FAULTS = (
    {"name": "timeout_after_accept", "path": "mail/send", "seconds": 3},
    {"name": "reset_after_accept", "path": "mail/send"},
    {"name": "server_error_after_accept", "path": "mail/send"},
    {"name": "server_error", "path": "mail/send"},
    {"name": "throttle", "path": "mail/send", "retry_after": 1},
    {"name": "throttle", "path": "mail/send"},
    {"name": "cut_body", "path": "mail/send"},
    {"name": "bad_request_for_one", "path": "mail/send"},
    {"name": "payload_too_large", "path": "mail/send"},
    {"name": "unauthorized", "path": "mail/send"},
    {"name": "lost_answer", "path": "mail/send", "seconds": 3},
)


@dataclass
class Torture:
    """Planned messages on a real ledger, a provider that counts, and processes to kill."""

    sandbox: RunningSandbox
    company: Company
    open_workspace: OpenWorkspace
    dispatchers: Dispatchers
    webhook: int
    now: datetime
    chance: random.Random

    @property
    def workspace(self) -> Workspace:
        return self.open_workspace(self.now)

    def plan(self, count: int) -> None:
        names = [f"{self.now:%j}-{number}" for number in range(count)]
        self.company.add_people(names)
        later = self.now + timedelta(days=2)
        run_id = self.company.add_run(f"night/{self.now:%j}")
        self.company.decide(run_id, names, due_at=self.now, entry_occurred_at=self.now, expires_at=later)
        plan(self.workspace)

    def count_due(self) -> int:
        return int(self.company.scalar("select count(*) from ledger.message where is_planned"))

    def list_messages(self, *states: str) -> set[str]:
        query = "select message_id::text from ledger.message where state = any(%s)"
        return {row[0] for row in self.company.connection.execute(query, [list(states)])}

    def finish(self) -> None:
        """The leases end, others finish the work, the evening's events come in, and unknowns are settled."""
        while self.company.scalar("select count(*) from ledger.message where state in ('claimed', 'attempting')"):
            time.sleep(LEASE.total_seconds() / 2)
            dispatch(self.workspace)
        # What a killed dispatcher had kept for a smaller call is free after two minutes; here at once.
        self.company.connection.execute("update ledger.message set lease_until = null where is_planned")
        dispatch(self.workspace)
        with run_intake(create_app(self.workspace), self.webhook):
            move_clock(self.sandbox, self.now + timedelta(hours=12))
        settle_unknown(self.open_workspace(self.now + GRACE))

    def compare_with_truth(self) -> Counter[str]:
        """Counts states, after a check that the provider has each accepted message once, and no other."""
        truth = {mail["message_id"]: mail["accepted_count"] for mail in self.sandbox.read_truth()["mails"]}
        rows = self.company.connection.execute("select message_id::text, state from ledger.message").fetchall()
        ours = {message_id for message_id, _ in rows}
        accepted = {message_id for message_id, state in rows if state == "accepted"}
        assert {truth[message_id] for message_id in ours & truth.keys()} <= {1}, "somebody was written to twice"
        assert ours & truth.keys() == accepted, "the ledger and the provider differ"
        assert self.company.scalar("select count(*) from ledger.claim") == 0
        return Counter(state for _, state in rows)


@pytest.fixture
def torture(
    webhook: int,
    sandbox: RunningSandbox,
    open_workspace: OpenWorkspace,
    company: Company,
    connections: dict[str, Any],
    tmp_path: Path,
    record_property: Any,
) -> Torture:
    record_property("seed", SEED)
    now = begin_next_day(sandbox)
    dispatchers = Dispatchers(connections, tmp_path / "home", now)
    torture = Torture(sandbox, company, open_workspace, dispatchers, webhook, now, random.Random(SEED))
    publish_by_hand(torture.workspace)
    return torture


@pytest.mark.timeout(3600)
def test_hundreds_of_kills_leave_no_duplicate_and_nothing_unaccounted(torture: Torture) -> None:
    torture.plan(MESSAGES)
    doubts: list[set[str]] = []
    while len(doubts) < KILLS:
        before = torture.list_messages("attempting", "unknown")
        process = torture.dispatchers.start()
        process.join(torture.chance.uniform(0.02, 0.12))
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            doubts.append(torture.list_messages("attempting", "unknown") - before)
        assert torture.count_due() or len(doubts) == KILLS, f"only {len(doubts)} kills; take more messages"
    torture.finish()
    states = torture.compare_with_truth()
    assert set(states) <= {"accepted", "presumed_lost"}
    assert sum(states.values()) == MESSAGES
    lost = torture.list_messages("presumed_lost")
    assert lost <= set().union(*doubts), "lost is only what was in flight at a kill"
    assert max(len(doubt & lost) for doubt in doubts) <= BATCH, "a kill loses at most the one call in flight"
    print(f"{KILLS} kills in {MESSAGES} messages, seed {SEED}: {dict(states)}")


@pytest.mark.timeout(3600)
def test_four_dispatchers_at_once_some_of_them_killed(torture: Torture) -> None:
    torture.plan(1000)
    running = [torture.dispatchers.start() for _ in range(4)]
    kills = 0
    while torture.count_due():
        time.sleep(torture.chance.uniform(0.02, 0.1))
        victim = torture.chance.randrange(4)
        if kills < 20:
            running[victim].kill()
            kills += 1
        running[victim].join()
        running[victim] = torture.dispatchers.start()
    for process in running:
        process.join()
    torture.finish()
    states = torture.compare_with_truth()
    assert set(states) <= {"accepted", "presumed_lost"}
    assert sum(states.values()) == 1000
    assert states["presumed_lost"] <= kills * BATCH


@pytest.mark.timeout(3600)
def test_a_random_mixture_of_a_providers_faults_loses_and_doubles_nobody(torture: Torture) -> None:
    torture.plan(600)
    for _ in range(40):
        fault = dict(torture.chance.choice(FAULTS))
        torture.sandbox.break_with(
            str(fault.pop("name")), count=torture.chance.randint(1, 3), skip=torture.chance.randint(0, 2), **fault
        )
        process = torture.dispatchers.start(workers=torture.chance.choice((1, 2)))
        process.join(torture.chance.uniform(0.1, 0.6))
        process.kill()
        process.join()
    torture.sandbox.mend()
    # So much trouble may have opened the circuit breaker, as it should; a person looks, and lets it go on.
    resume_sending(torture.workspace, lifted_by="on call", channel="email")
    torture.finish()
    states = torture.compare_with_truth()
    assert set(states) <= {"accepted", "presumed_lost", "failed"}
    assert sum(states.values()) == 600
    assert states["accepted"] > 500
