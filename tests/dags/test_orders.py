"""What people order in Airflow, by the operators that its forms start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.dags.test_policy import PROJECT_ROOT
from tests.delivery.conftest import DECISIONS, NOON, Company, OpenWorkspace, plan
from tests.delivery.test_first_live import send

from safar.delivery.stops import list_pauses
from safar.workspace import Workspace

Give = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def give(connections: dict[str, Any], tmp_path: Path) -> Give:
    """Executes operators in a process with Airflow and the test's connections."""

    def give_orders(*orders: dict[str, Any]) -> list[dict[str, Any]]:
        variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
        environment = {
            **os.environ,
            **variables,
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SAFAR_HOME": str(tmp_path),
            "SAFAR_CLOCK": "wall",
        }
        command = [sys.executable, str(Path(__file__).with_name("give_orders.py"))]
        done = subprocess.run(
            command, env=environment, input=json.dumps(orders), cwd=PROJECT_ROOT, capture_output=True, text=True
        )
        found = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS:")]
        assert found, done.stderr[-3000:]
        answers: list[dict[str, Any]] = json.loads(found[0].removeprefix("ANSWERS:"))
        return answers

    return give_orders


@pytest.fixture
def noon(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace(NOON)


@pytest.fixture
def planned(noon: Workspace, database: str) -> Any:
    with psycopg.connect(database, autocommit=True, options="-c timezone=UTC") as connection:
        connection.execute(DECISIONS)
        company = Company(connection)
        company.add_people(["anna"])
        company.decide(company.add_run(), ["anna"])
        plan(noon)
        yield company


def test_a_form_pauses_and_resumes_and_writes_down_who(noon: Workspace, planned: Company, give: Give) -> None:
    pause = {
        "operator": "PauseSending",
        "user": "marketer",
        "params": {"reason": "wrong price", "campaign": "reactivation"},
    }
    assert give(pause, pause) == [{}, {}]
    standing = list_pauses(noon)
    assert [(one.campaign, one.reason, one.created_by) for one in standing] == [
        ("reactivation", "wrong price", "marketer")
    ]
    resume = {"operator": "ResumeSending", "user": "boss", "params": {"campaign": "reactivation"}}
    too_old = {**resume, "run_after": "2020-01-01T00:00:00+00:00"}
    now = planned.scalar("select clock_timestamp()").isoformat()
    assert give(too_old) == [{}]
    assert len(list_pauses(noon)) == 1
    assert give({**resume, "run_after": now}, pause) == [{}, {}]
    assert list_pauses(noon) == []
    assert planned.scalar("select lifted_by from ledger.stop") == "boss"


def test_a_form_that_names_no_campaign_fails_at_once(planned: Company, give: Give) -> None:
    answers = give(
        {"operator": "PauseSending", "user": "marketer", "params": {"reason": "x", "campaign": "nonsense"}},
        {"operator": "ApproveCampaign", "user": "marketer", "params": {"campaign": "nonsense"}},
    )
    assert "AirflowFailException: No build has pinned a campaign 'nonsense'" in answers[0]["failed"]
    assert "AirflowFailException: There is no campaign 'nonsense'" in answers[1]["failed"]


def test_a_form_approves_a_campaign_unless_its_owner_fills_it_in(noon: Workspace, planned: Company, give: Give) -> None:
    send(noon)
    order = {"operator": "ApproveCampaign", "params": {"campaign": "reactivation"}}
    answers = give({**order, "user": "lifecycle"}, {**order, "user": "marketer"}, {**order, "user": "boss"})
    assert "owns the campaign" in answers[0]["failed"]
    assert answers[1:] == [{}, {}]
    assert planned.scalar("select approved_by from ledger.first_live") == "marketer"


ANSWERS: list[tuple[dict[str, str] | None, str, str]] = [
    ({"id": "1", "name": "marketer"}, "Approve", "approved"),
    ({"id": "1", "name": "Lifecycle"}, "Approve", "self_approved"),
    ({"id": "LIFECYCLE@example.com", "name": "somebody"}, "Approve", "self_approved"),
    ({"id": "1", "name": "lifecycle"}, "Reject", "rejected"),
    (None, "Approve", "self_approved"),
]


def test_the_guard_counts_an_answer_of_the_owner_as_none(give: Give) -> None:
    asked = {"params_input": {}, "responded_at": "2026-03-02T12:00:00+00:00", "timedout": False}
    events = [{**asked, "chosen_options": [option], "responded_by_user": user} for user, option, _ in ANSWERS]
    question = {"run_ids": ["night/1"], "candidate_count": 5000}
    order = {"operator": "GuardAudience", "campaign": "reactivation", "asked": question}
    answers = give(*({**order, "event": event} for event in events))
    assert answers == [
        {**question, "decision": decision, "decided_by": user["name"] if user else None}
        for user, _, decision in ANSWERS
    ]


def test_airflow_shows_a_button_that_opens_the_form(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "AIRFLOW__API__BASE_URL": "https://airflow.example.com/team/",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    command = [sys.executable, "-m", "airflow", "plugins", "--output", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert "https://airflow.example.com/team/dags/pause_sending" in done.stdout, done.stderr[-2000:]
