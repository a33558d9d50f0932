"""A night that goes wrong on a real Airflow: a red model, an audience that needs a human, and the repair.

Two schedulers share it, as they do where one may fail.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row

from safar.catalogue import load_catalogue
from safar.connections import EnvironmentConnections
from safar.night.airflow_api import AirflowApi
from safar.night.driver import NightDriver
from safar.night.timetable import draw_day, name_run
from safar.services.airflow import ADMIN
from safar.services.company import START
from safar.services.postgres import find_free_port
from safar.services.stack import Stack
from safar.services.supervision import start_service
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import describe_warehouse, write_manifest
from safar.workspace import Workspace

PEOPLE = 1500
PATIENCE = 1200
RED = "where loyal_contacts.is_loyal and 1 / (select 0) = 1 and not contacts.is_archived"
GREEN = "where loyal_contacts.is_loyal and not contacts.is_archived"


@dataclass
class OnCall:
    """A night at which somebody is on call: the running company, and what Airflow shows of it."""

    stack: Stack
    workspace: Workspace
    api: AirflowApi
    driver: NightDriver
    asked: list[dict[str, Any]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    def play(self, index: int) -> None:
        """Plays one moment of the day; whoever is asked meanwhile says yes."""
        moment = draw_day(self.driver.catalogue, START.date())[index]
        self.driver.move_clock(moment.at)
        with self.answering():
            for dag_id, run_id in self.driver.play_moment(moment):
                self.states[dag_id] = self.api.read_state(dag_id, run_id)

    def answering(self) -> Approving:
        return Approving(self)

    def query(self, statement: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.workspace.warehouse.dsn, row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()

    def list_others(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that the night has decided and planned for whoever does not stand on the red model."""
        others = "campaign <> 'loyalty'"
        return {
            "decisions": self.query(f"select * from decisions.fct_decisions where {others} order by 1, 2, 3, 4, 5"),
            "entries": self.query(f"select * from decisions.fct_entries where {others} order by 1, 2, 3"),
            "plan_results": self.query(f"select * from ledger.plan_result where {others} order by 1, 2, 3, 4, 5"),
            "messages": self.query(f"select * from ledger.message where {others} order by message_id"),
            "gates": self.query(
                f"select campaign, is_blocked, reason from ledger.campaign_gate where {others} order by campaign"
            ),
        }


class Approving:
    """Somebody with a login of their own who says yes to whatever Airflow asks."""

    def __init__(self, night: OnCall) -> None:
        self._night = night
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        passwords = json.loads((self._night.workspace.settings.home / "airflow" / "passwords.json").read_text())
        api = AirflowApi(self._night.stack.airflow_url, "marketer", passwords["marketer"])
        while not self._over.wait(2):
            listed = api.call("GET", "/dags/~/dagRuns/~/hitlDetails", params={"state": "awaiting_input"})
            for detail in listed["hitl_details"]:
                # Airflow 3.3.2 may lose a task that is answered within a second of its question.
                if self._over.wait(10):
                    return
                task = detail["task_instance"]
                self._night.asked.append({"dag_id": task["dag_id"], "body": detail["body"]})
                path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}/-1"
                answer = {"chosen_options": ["Approve"], "params_input": {}}
                api.call("PATCH", f"{path}/hitlDetails", json=answer, ok=(409,))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the loyalty campaign's audience divides by zero, and reactivation asks before it sends."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("dags", "dbt_project", "expectations", "include/templates", "plugins"):
        shutil.copytree(PROJECT_ROOT / folder, root / folder, ignore=shutil.ignore_patterns("target", "logs", "*.pyc"))
    campaigns = root / "dbt_project" / "models" / "campaigns"
    change(campaigns / "loyalty" / "audience_loyalty.sql", GREEN, RED)
    change(
        campaigns / "reactivation" / "reactivation.yml",
        "        priority: 40\n",
        "        priority: 40\n        approval: {people: 0, growth: 50 %}\n",
    )
    return root


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} has no line {old!r}"
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def night(project: Path) -> Iterator[OnCall]:
    """The night's build, with its deliveries, on the broken checkout."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PROJECT_ROOT": project, "HOME": project / "home", "CLOCK": "sandbox"}.items():
            patch.setenv(f"SAFAR_{name}", str(value))
        patch.setenv("SAFAR_ENVIRONMENT", "sandbox")
        settings = Settings.from_environment()
        with Stack(settings, PEOPLE) as stack:
            stack.start_data()
            workspace = Workspace.open(EnvironmentConnections(stack.environment))
            write_manifest(settings, describe_warehouse(workspace))
            stack.start_airflow()
            start_second_scheduler(stack)
            api = AirflowApi(stack.airflow_url, ADMIN, stack.airflow_password)
            catalogue = load_catalogue(settings)
            driver = NightDriver(api, catalogue, workspace.ledger.dsn, stack.company.move_clock, print)
            await_dags(api)
            on_call = OnCall(stack, workspace, api, driver)
            on_call.play(0)
            yield on_call


def start_second_scheduler(stack: Stack) -> None:
    own = {"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(find_free_port()), "SAFAR_PRELOAD": "1"}
    command = [sys.executable, "-m", "airflow", "scheduler"]
    logs = stack.settings.home / "logs"
    stack.services.append(start_service("scheduler-2", command, {**stack.environment, **own}, logs))


def await_dags(api: AirflowApi) -> None:
    deadline = time.monotonic() + 120
    wanted = {"deliver_loyalty", "deliver_reactivation", "build_nightly", "extract_shopify", "dispatch_due"}
    while missing := wanted - api.list_dags().keys():
        assert time.monotonic() < deadline, (missing, api.list_import_errors())
        time.sleep(1)


@pytest.mark.timeout(PATIENCE)
def test_two_schedulers_played_the_night(night: OnCall) -> None:
    airflow = night.stack.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"].replace("+psycopg", "")
    with psycopg.connect(airflow) as connection:
        at_work = "select count(*) from job where job_type = 'SchedulerJob' and state = 'running'"
        assert connection.execute(at_work).fetchone() == (2,)
        ran_by = "select count(distinct queued_by_job_id) from task_instance where state = 'success'"
        assert connection.execute(ran_by).fetchone() == (2,)


@pytest.mark.timeout(PATIENCE)
def test_a_red_model_blocks_its_campaign_and_no_other(night: OnCall) -> None:
    gates = night.query("select campaign, is_blocked, reason from ledger.campaign_gate order by campaign")
    assert [(gate["campaign"], gate["is_blocked"]) for gate in gates] == [("loyalty", True), ("reactivation", False)]
    assert "audience_loyalty" in gates[0]["reason"]
    assert "division by zero" in gates[0]["reason"]


@pytest.mark.timeout(PATIENCE)
def test_a_red_night_is_never_green(night: OnCall) -> None:
    assert night.states["build_nightly"] == "failed"
    verdict = [task for task in list_tasks(night) if task["task_id"] == "verdict"]
    assert [task["state"] for task in verdict] == ["failed"]


@pytest.mark.timeout(PATIENCE)
def test_an_unusual_audience_waited_for_a_human_who_is_known_by_name(night: OnCall) -> None:
    assert [question["dag_id"] for question in night.asked] == ["deliver_reactivation"]
    approvals = night.query("select decision, decided_by, candidate_count from ledger.approval where limit_count = 0")
    assert [(row["decision"], row["decided_by"]) for row in approvals] == [("approved", "marketer")]
    assert str(approvals[0]["candidate_count"]) in night.asked[0]["body"]
    planned = night.query("select count(*) as planned from ledger.plan_result where result = 'planned'")
    assert planned[0]["planned"] == approvals[0]["candidate_count"] > 0


@pytest.mark.timeout(PATIENCE)
def test_the_repaired_model_cleared_in_airflow_unblocks_its_campaign_and_changes_nothing_else(
    night: OnCall, project: Path
) -> None:
    others = night.list_others()
    assert others["messages"]
    change(project / "dbt_project/models/campaigns/loyalty/audience_loyalty.sql", RED, GREEN)
    write_manifest(night.workspace.settings, describe_warehouse(night.workspace))
    red = [task["task_id"] for task in list_tasks(night) if "audience_loyalty" in task["task_id"]]
    assert len(red) == 1
    run_id = name_run(draw_day(night.driver.catalogue, date(2026, 3, 2))[0])
    night.api.clear_run("build_nightly", run_id, red)
    with night.answering():
        night.driver.await_runs([("build_nightly", run_id)])
    assert night.api.read_state("build_nightly", run_id) == "success"
    loyalty = night.query("select outcome, count(*) from decisions.fct_decisions where campaign = 'loyalty' group by 1")
    assert {row["outcome"] for row in loyalty} >= {"expired", "send"}
    assert night.query("select reason from ledger.campaign_gate where campaign = 'loyalty'") == [{"reason": None}]
    assert night.list_others() == others


@pytest.mark.timeout(PATIENCE)
def test_in_the_morning_everybody_is_written_to_once(night: OnCall) -> None:
    night.play(1)
    states = night.query("select campaign, state, count(*) from ledger.message group by campaign, state")
    assert {row["campaign"] for row in states if row["state"] == "accepted"} == {"loyalty", "reactivation"}
    accepted = sum(row["count"] for row in states if row["state"] == "accepted")
    assert night.stack.company.count_mails() == (accepted, accepted)


@pytest.mark.timeout(PATIENCE)
def test_a_used_up_quota_gives_the_worker_back_and_the_night_does_not_wait(night: OnCall) -> None:
    company = night.stack.company
    requests.post(f"{company.base_url}/faults", json={"name": "quota_used_up", "vendor": "hubspot"}, timeout=30)
    run = ("extract_hubspot", "quota")
    loads = "select count(*) from ledger.source_load where source = 'hubspot' and status = 'checked'"
    before = night.query(loads)
    night.api.start_run(*run, company.read_clock())
    assert night.driver.await_runs([run]) == []
    states = {task["task_id"]: task["state"] for task in night.api.list_tasks(*run)}
    assert states == {"land": "up_for_reschedule", "check": None}
    # Cleared by hand it does not wait for the hour that the vendor's YAML says.
    night.api.clear_run(*run)
    assert night.driver.await_runs([run])[0] == run
    assert night.api.read_state(*run) == "success"
    assert night.query(loads)[0]["count"] == before[0]["count"] + 1


def list_tasks(night: OnCall) -> list[dict[str, Any]]:
    run_id = name_run(draw_day(night.driver.catalogue, date(2026, 3, 2))[0])
    return night.api.list_tasks("build_nightly", run_id)
