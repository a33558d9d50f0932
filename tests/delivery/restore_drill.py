"""A ledger to back up and restore, while a real sandbox goes on knowing what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import requests
from tests.delivery.conftest import Company, OpenWorkspace, RunningSandbox, dispatch, plan

from safar.catalogue import load_catalogue
from safar.delivery import DispatchReport, PlanReport
from safar.feedback import ReconcileReport, reconcile_ledger
from safar.workspace import Workspace


@dataclass
class Drill:
    """A ledger that is backed up and restored while a real sandbox goes on knowing what it took."""

    dsn: str
    sandbox: RunningSandbox
    open_workspace: OpenWorkspace
    now: datetime
    sequence: int = 0

    @property
    def workspace(self) -> Workspace:
        return self.open_workspace(self.now)

    def name(self, *numbers: int) -> list[str]:
        return [f"drill{self.now:%d}-{number}" for number in numbers]

    def decide(self, names: list[str], *, new: bool = True) -> None:
        """A run that decides to write to these people, and plans it."""
        self.sequence += 1
        with self.open_company() as company:
            if new:
                company.add_people(names)
            times = {"due_at": self.now, "entry_occurred_at": self.now, "expires_at": self.now + timedelta(days=2)}
            company.decide(company.add_run(f"night/{self.sequence}"), names, **times)

    def plan(self) -> PlanReport:
        return plan(self.workspace)

    def send(self) -> DispatchReport:
        return dispatch(self.workspace)

    def move_clock(self, **span: float) -> None:
        self.now += timedelta(**span)
        answer = requests.post(f"{self.sandbox.root}/clock", json={"now": self.now.isoformat()}, timeout=120)
        answer.raise_for_status()

    def reconcile(self) -> ReconcileReport:
        return reconcile_ledger(self.workspace, load_catalogue(self.workspace.settings))

    @contextmanager
    def open_company(self) -> Iterator[Company]:
        """The company on a connection that does not outlive the block: a database in use is not restored."""
        with psycopg.connect(self.dsn, autocommit=True, options="-c timezone=UTC") as connection:
            yield Company(connection)

    def count_mails(self) -> Counter[str]:
        """Mails by address, as the provider counts them, of this drill's people alone."""
        mails = self.sandbox.read_truth()["mails"]
        prefix = f"drill{self.now:%d}-"
        return Counter({mail["email"]: mail["accepted_count"] for mail in mails if mail["email"].startswith(prefix)})

    def back_up(self) -> None:
        self._copy(self._database, f"{self._database}_backup")

    def restore(self) -> None:
        self._copy(f"{self._database}_backup", self._database)

    def drop_backup(self) -> None:
        with self._server() as server:
            server.execute(f"drop database if exists {self._database}_backup with (force)")

    @property
    def _database(self) -> str:
        return str(psycopg.conninfo.conninfo_to_dict(self.dsn)["dbname"])

    def _server(self) -> psycopg.Connection[Any]:
        return psycopg.connect(psycopg.conninfo.make_conninfo(self.dsn, dbname="postgres"), autocommit=True)

    def _copy(self, source: str, target: str) -> None:
        with self._server() as server:
            server.execute(f"drop database if exists {target} with (force)")
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [source])
            server.execute(f"create database {target} template {source}")
