"""A real Airflow in which a task fails and a run is late: mail and chat are told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.alerting.listeners import Listeners, open_listeners

from safar.night.airflow_api import AirflowApi
from safar.services.airflow import ADMIN
from safar.services.stack import Stack
from safar.settings import Settings

DAGS = Path(__file__).with_name("alerting_dags")
PATIENCE = 900
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@dataclass
class Evening:
    """Airflow with the two DAGs, both of which have been started, and who listens."""

    stack: Stack
    api: AirflowApi
    listeners: Listeners

    def await_mail(self, subject: str) -> str:
        """The text of the mail with this subject."""
        wait_until(lambda: subject in self.listeners.list_subjects(), lambda: str(self.listeners.list_subjects()))
        [mail] = [mail for mail in self.listeners.mails if mail["Subject"] == subject]
        return str(mail.get_content())


def wait_until(is_true: Callable[[], bool], describe: Callable[[], str], patience: float = 300) -> None:
    deadline = time.monotonic() + patience
    while not is_true():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.5)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    home = tmp_path_factory.mktemp("alerts")
    with open_listeners() as listeners, Stack(Settings(home=home, environment="sandbox", clock="sandbox"), 50) as stack:
        stack.start_data()
        stack.environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS)
        stack.environment["AIRFLOW_CONN_SAFAR_ALERTS"] = json.dumps(listeners.describe_connection())
        stack.start_airflow()
        api = AirflowApi(stack.airflow_url, ADMIN, stack.airflow_password)
        wait_until(lambda: {"failing", "late"} <= api.list_dags().keys(), lambda: str(api.list_import_errors()))
        for dag_id in ("late", "failing"):
            api.start_run(dag_id, "tonight", AT)
        yield Evening(stack, api, listeners)


@pytest.mark.timeout(PATIENCE)
def test_a_failed_task_is_told_with_its_cause_and_links_to_task_and_runbook(evening: Evening) -> None:
    text = evening.await_mail("[Safar] failing.refuse failed")
    assert "Connection 'crm' has no host." in text
    assert f"{evening.stack.airflow_url}/dags/failing/runs/tonight/tasks/refuse" in text
    assert "runbook.md#alert-task-failed" in text
    assert sum("failing.refuse failed" in post for post in evening.listeners.posts) == 1


@pytest.mark.timeout(PATIENCE)
def test_a_run_that_should_have_sent_by_now_is_told_while_it_still_runs(evening: Evening) -> None:
    text = evening.await_mail("[Safar] late is late")
    assert "tonight should have been done by" in text
    assert f"{evening.stack.airflow_url}/dags/late/runs/tonight" in text
    assert "runbook.md#alert-deadline-missed" in text
    assert sum("late is late" in post for post in evening.listeners.posts) == 1


@pytest.mark.timeout(PATIENCE)
def test_telling_changes_no_tasks_fate_and_no_secret_is_logged(evening: Evening) -> None:
    def read_states() -> list[str]:
        return [evening.api.read_state(dag_id, "tonight") for dag_id in ("failing", "late")]

    wait_until(lambda: read_states() == ["failed", "success"], lambda: str(read_states()))
    logs = [path for path in evening.stack.settings.home.rglob("*.log") if "postgres" not in path.parts]
    assert any("ALERT task_failed" in path.read_text(errors="replace") for path in logs)
    assert [path.name for path in logs if "s3cr3t" in path.read_text(errors="replace")] == []
