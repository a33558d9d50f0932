"""Each verb run twice at once in two processes, and once more: the same result, and nothing is there twice.

Real PostgreSQL, the company over HTTP, the intake; each test goes on where the one before it ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row

from safar.catalogue import Catalogue, load_catalogue
from safar.night.timetable import draw_day
from safar.services.company import START
from safar.services.stack import Stack
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import write_manifest

PEOPLE = 400
PATIENCE = 1200
TRY_AGAIN = "by another process. Run this again later."
# When something was written, and by which process, differs between two runs that did the same.
VOLATILE = {
    "recorded_at",
    "state_at",
    "status_at",
    "pinned_at",
    "decided_at",
    "claimed_by",
    "lease_until",
    "announced_at",
    "call_id",
    "transition_id",
    "permission_event_id",
    "suppression_id",
    "message",
    "_dlt_load_id",
}
LEDGER = (
    "run",
    "model_result",
    "campaign_gate",
    "campaign_step",
    "address",
    "contact_alias",
    "goal_seen",
    "permission_event",
    "suppression",
    "plan_result",
    "approval",
    "action",
    "message",
    "message_transition",
    "provider_event",
    "provider_call",
)


@dataclass
class Night:
    """A company's first night, and two processes that do the same things at the same time."""

    stack: Stack
    catalogue: Catalogue
    workers: list[subprocess.Popen[str]]
    dsn: str

    def move_clock(self, index: int) -> str:
        at = draw_day(self.catalogue, START.date())[index].at
        self.stack.company.move_clock(at)
        return at.isoformat()

    def perform_at_once(self, verb: str, **arguments: str) -> list[Any]:
        """Both processes at the same time; returns what each returned.

        Who is told that another process is at it tries again, as Airflow does.
        """
        for worker in self.workers:
            self._order(worker, verb, arguments)
        answers = [self._read(worker) for worker in self.workers]
        for index, worker in enumerate(self.workers):
            if TRY_AGAIN in answers[index].get("failed", ""):
                self._order(worker, verb, arguments)
                answers[index] = self._read(worker)
            assert "failed" not in answers[index], f"{verb}: {answers[index]['failed']}"
        return [answer["returned"] for answer in answers]

    def perform_thrice(self, verb: str, **arguments: str) -> list[Any]:
        """Both at once, then one once more, which changes nothing any more."""
        returned = self.perform_at_once(verb, **arguments)
        before = self.dump()
        self._order(self.workers[0], verb, arguments)
        answer = self._read(self.workers[0])
        assert "failed" not in answer, f"{verb}: {answer['failed']}"
        returned.append(answer["returned"])
        after = self.dump()
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed == set(), f"{verb}, run once more, changed {sorted(changed)}"
        return returned

    def dump(self) -> dict[str, str]:
        """A fingerprint of every row of the ledger, of the decisions and of what the vendors told, by table."""
        with psycopg.connect(self.dsn, options="-c timezone=UTC", row_factory=tuple_row) as connection:
            tables = [("ledger", table) for table in LEDGER]
            tables += connection.execute(
                "select schemaname, tablename from pg_tables where schemaname = 'decisions' "
                "or (schemaname like 'raw\\_%' and left(tablename, 4) <> '_dlt')"
            ).fetchall()
            return {f"{schema}.{table}": self._print_table(connection, schema, table) for schema, table in tables}

    def _print_table(self, connection: psycopg.Connection[Any], schema: str, table: str) -> str:
        columns = connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s order by 1",
            [schema, table],
        ).fetchall()
        kept = ", ".join(f'"{name}"' for (name,) in columns if name not in VOLATILE)
        row: Any = connection.execute(
            f"select count(*), md5(string_agg(one::text, '|' order by one::text)) "
            f'from (select {kept} from "{schema}"."{table}") as one'
        ).fetchone()
        return f"{row[0]} rows, {row[1]}"

    def count(self, query: str) -> Any:
        with psycopg.connect(self.dsn) as connection:
            row: Any = connection.execute(query).fetchone()
        return row[0]

    def count_due(self, moment: datetime) -> int:
        """How many messages wait that may leave by then: for some it is night."""
        due = f"due_at <= '{moment.isoformat()}' and expires_at > '{moment.isoformat()}'"
        return int(self.count(f"select count(*) from ledger.message where state = 'planned' and {due}"))

    def _order(self, worker: subprocess.Popen[str], verb: str, arguments: dict[str, str]) -> None:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps({"verb": verb, **arguments}) + "\n")
        worker.stdin.flush()

    def _read(self, worker: subprocess.Popen[str]) -> dict[str, Any]:
        assert worker.stdout is not None
        answer: dict[str, Any] = json.loads(worker.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    home = tmp_path_factory.mktemp("reruns")
    settings = Settings(home=home, environment="sandbox", clock="sandbox")
    write_manifest(settings)
    command = [sys.executable, str(Path(__file__).with_name("perform_verbs.py"))]
    with Stack(settings, PEOPLE) as stack:
        stack.start_data()
        workers = [
            subprocess.Popen(
                command,
                env=stack.environment,
                cwd=PROJECT_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for _ in range(2)
        ]
        database = json.loads(stack.environment["AIRFLOW_CONN_SAFAR_WAREHOUSE"])
        dsn = psycopg.conninfo.make_conninfo(
            host=database["host"],
            port=database["port"],
            user=database["login"],
            password=database["password"],
            dbname=database["schema"],
        )
        night = Night(stack, load_catalogue(settings), workers, dsn)
        for worker in workers:
            assert night._read(worker) == {"returned": "ready"}
        yield night
        for worker in workers:
            worker.communicate(timeout=60)


@pytest.mark.timeout(PATIENCE)
def test_land_and_check(night: Night) -> None:
    night.move_clock(0)
    for source in night.catalogue.sources.values():
        loads = night.perform_at_once("land", source=source.name)
        newest = night.count(
            f"select load_id from ledger.source_load where source = '{source.name}' order by landed_at desc limit 1"
        )
        assert newest in loads
        night.perform_thrice("check", source=source.name, load_id=newest)
        before = night.dump()
        night.perform_at_once("land", source=source.name)
        # The quarantine is a diary: it says of each load which rows it refused.
        raw = {
            name: rows
            for name, rows in night.dump().items()
            if name.startswith(f"raw_{source.name}.") and not name.endswith(".quarantine")
        }
        assert raw, source.name
        newest = night.count(
            f"select load_id from ledger.source_load where source = '{source.name}' order by landed_at desc limit 1"
        )
        night.perform_thrice("check", source=source.name, load_id=newest)
        assert {name: before[name] for name in raw} == raw, f"{source.name} landed twice"


@pytest.mark.timeout(PATIENCE)
def test_pin_build_gate_and_publish(night: Night) -> None:
    as_of = draw_day(night.catalogue, START.date())[0].at.isoformat()
    assert set(night.perform_thrice("pin", as_of=as_of)) == {"build_nightly/night"}
    assert night.count("select count(*) from ledger.run") == 1
    assert night.perform_thrice("build") == [[], [], []]
    assert night.perform_thrice("gate") == [{"loyalty": None, "reactivation": None}] * 3
    night.perform_thrice("publish")
    assert night.count("select count(*) from ledger.address where until_sequence is null") > 0


@pytest.mark.timeout(PATIENCE)
def test_decide_check_outgoing_and_plan(night: Night) -> None:
    first, second, third = night.perform_thrice("decide")
    assert first == second == third
    for campaign in night.catalogue.name_campaigns("nightly"):
        assert len(set(night.perform_thrice("check_outgoing", campaign=campaign))) == 1
        planned = night.perform_thrice("plan", campaign=campaign)
        assert planned.count("Nothing to plan: each send decision has its result.") >= 2, planned
    decided = night.count("select count(*) from decisions.fct_decisions where outcome = 'send'")
    assert decided == night.count("select count(*) from ledger.plan_result") > 0
    # Once it is planned, a run that decides again decides nothing new.
    night.perform_thrice("decide")


@pytest.mark.timeout(PATIENCE)
def test_dispatch(night: Night) -> None:
    mails = 0
    # In America it is still evening when Berlin's night is decided, and night when its morning comes.
    for moment in (draw_day(night.catalogue, START.date())[0].at, START + timedelta(hours=8)):
        night.stack.company.move_clock(moment)
        due = night.count_due(moment)
        assert due > 0
        night.perform_thrice("dispatch")
        assert night.count_due(moment) == 0
        mails += due
        assert night.stack.company.count_mails() == (mails, mails)
    assert night.count("select count(*) from ledger.message where state = 'accepted'") == mails


@pytest.mark.timeout(PATIENCE)
def test_settle_and_keep_house(night: Night) -> None:
    evening = START + timedelta(hours=20)
    night.stack.company.move_clock(evening)
    night.perform_thrice("settle")
    night.perform_thrice("keep_house")
    mails, messages = night.stack.company.count_mails()
    due = night.count_due(evening)
    night.perform_thrice("dispatch")
    assert night.stack.company.count_mails() == (mails + due, messages + due)
    assert night.count_due(evening) == 0
