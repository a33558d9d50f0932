"""From when on a run's time counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference


@dataclass
class RunCreation(BaseDeadlineReference):
    """The wall time at which Airflow creates the run; a run that is cleared keeps its deadline.

    Airflow's own reference to the time of queueing cannot be used: with it every clearing of a run that is not
    finished ends in an error 500 (`timedelta(seconds=...)` of a serialised interval, Airflow 3.3).
    """

    def _evaluate_with(self, **_: Any) -> datetime:
        return datetime.now(UTC)
