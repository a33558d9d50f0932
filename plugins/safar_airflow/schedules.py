"""When DAGs start, and how often a failed task is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.timetables.interval import CronDataIntervalTimetable

from safar.settings import Settings
from safar_airflow.deadlines import RunCreation
from safar_airflow.notifiers import Notifier

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(cron: str, time_zone: str = "UTC") -> CronDataIntervalTimetable | None:
    """A timetable with a real data interval; none under the sandbox's clock, where a driver starts the runs."""
    if Settings.from_environment().clock == "sandbox":
        return None
    return CronDataIntervalTimetable(cron, timezone=time_zone)


def dag_defaults(finish_within: timedelta = timedelta(hours=2)) -> dict[str, Any]:
    """What all DAGs share: no backfill of the past, one run at a time, retries that any task bears, alerts.

    Args:
        finish_within: wall time from a run's creation after which somebody is told that it is not done.
    """
    is_sandbox = Settings.from_environment().clock == "sandbox"
    return {
        "start_date": START,
        "catchup": False,
        "max_active_runs": 1,
        # In the triggerer: it needs no worker slot, and those may be what is stuck.
        "deadline": DeadlineAlert(RunCreation(), finish_within, AsyncCallback(Notifier, {"kind": "deadline_missed"})),
        "default_args": {
            "owner": "safar",
            "on_failure_callback": [Notifier()],
            "retries": 1 if is_sandbox else 2,
            "retry_delay": timedelta(seconds=5) if is_sandbox else timedelta(minutes=5),
        },
    }


def source_deadline() -> timedelta:
    """How long a build waits for its sources, in wall time from its start."""
    return timedelta(seconds=30) if Settings.from_environment().clock == "sandbox" else timedelta(hours=2)


def approval_patience() -> timedelta:
    """How long a human may take to answer before an unusually large audience counts as rejected."""
    return timedelta(seconds=60) if Settings.from_environment().clock == "sandbox" else timedelta(hours=12)
