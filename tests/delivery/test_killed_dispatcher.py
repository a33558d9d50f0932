"""SIGKILL of the dispatching process at each named point: by the provider's truth no duplicate, nothing unaccounted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.conftest import (
    Company,
    OpenWorkspace,
    RunningSandbox,
    dispatch,
    plan,
    publish_by_hand,
)
from tests.delivery.dispatch_and_die import BATCH
from tests.delivery.evening import begin_next_day, move_clock, run_intake

from safar.delivery.claiming import CHECKPOINTS
from safar.delivery.reports import DispatchReport
from safar.feedback import settle_unknown
from safar.intake import create_app
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

PEOPLE = 60
GRACE = timedelta(days=4)


@dataclass
class Night:
    """Sixty planned messages in the middle of a sandbox's day, and what becomes of them."""

    sandbox: RunningSandbox
    company: Company
    open_workspace: OpenWorkspace
    connections: dict[str, Any]
    webhook: int
    home: Path
    now: datetime

    @property
    def workspace(self) -> Workspace:
        return self.open_workspace(self.now)

    def die(self, point: str, *, workers: int = 1, kill_after: float | None = None) -> None:
        """Dispatches in a process that dies at the point, or is killed so many seconds after its start."""
        connections = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in self.connections.items()}
        paths = {"SAFAR_HOME": str(self.home), "PYTHONPATH": str(PROJECT_ROOT)}
        command = [
            sys.executable,
            "-m",
            "tests.delivery.dispatch_and_die",
            point,
            "1",
            self.now.isoformat(),
            str(workers),
        ]
        process = subprocess.Popen(command, env={**os.environ, **connections, **paths}, cwd=PROJECT_ROOT)
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()
        assert process.wait(60) == -signal.SIGKILL

    def go_on(self) -> DispatchReport:
        """The lease ends, another dispatcher comes, the evening's events come in, and unknowns are settled."""
        self.company.connection.execute("update ledger.claim set lease_until = now() - interval '1 second'")
        report = dispatch(self.workspace)
        with run_intake(create_app(self.workspace), self.webhook):
            move_clock(self.sandbox, self.now + timedelta(hours=12))
        settle_unknown(self.open_workspace(self.now + GRACE))
        return report

    def compare_with_truth(self) -> tuple[set[str], set[str]]:
        """The accepted and the lost, after a check that the provider's own count of each message is one or none."""
        truth = {mail["message_id"]: mail["accepted_count"] for mail in self.sandbox.read_truth()["mails"]}
        rows = self.company.connection.execute("select message_id::text, state from ledger.message").fetchall()
        accepted = {message_id for message_id, state in rows if state == "accepted"}
        lost = {message_id for message_id, state in rows if state == "presumed_lost"}
        assert len(accepted) + len(lost) == len(rows) == PEOPLE, self.company.count_states()
        assert {message_id for message_id, _ in rows if message_id in truth} == accepted
        assert {truth[message_id] for message_id in accepted} == {1}
        assert self.company.scalar("select count(*) from ledger.claim") == 0
        return accepted, lost


@pytest.fixture
def night(
    webhook: int,
    sandbox: RunningSandbox,
    open_workspace: OpenWorkspace,
    company: Company,
    connections: dict[str, Any],
    tmp_path: Path,
) -> Night:
    now = begin_next_day(sandbox)
    night = Night(sandbox, company, open_workspace, connections, webhook, tmp_path / "home", now)
    publish_by_hand(night.workspace)
    names = [f"{now:%d}-{number}" for number in range(PEOPLE)]
    company.add_people(names)
    company.decide(company.add_run(), names, due_at=now, entry_occurred_at=now, expires_at=now + timedelta(days=2))
    plan(night.workspace)
    return night


@pytest.mark.parametrize(
    ("workers", "point"), [*((1, point) for point in CHECKPOINTS), (2, "before the call"), (2, "after the call")]
)
def test_a_kill_leaves_no_duplicate_and_nothing_unaccounted(night: Night, point: str, workers: int) -> None:
    night.die(point, workers=workers)
    night.go_on()
    _, lost = night.compare_with_truth()
    assert len(lost) == (BATCH if point == "before the call" else 0)


def test_a_kill_during_the_call_leaves_one_call_in_doubt(night: Night) -> None:
    night.sandbox.break_with("timeout_after_accept", count=1, path="mail/send", seconds=30)
    night.connections["sendgrid"]["extra"]["timeout"] = 60
    night.die("never", workers=2, kill_after=10)
    night.sandbox.mend()
    assert night.go_on().recovered["unknown"] == BATCH
    accepted, _ = night.compare_with_truth()
    assert len(accepted) == PEOPLE, "events prove that the provider took them"
