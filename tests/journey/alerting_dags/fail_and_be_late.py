"""Airflow DAGs for tests: one whose task fails, one that takes longer than it may."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG

from safar.errors import ConfigurationError
from safar_airflow.operators.verb import VerbOperator
from safar_airflow.schedules import dag_defaults

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace


class RefuseConfiguration(VerbOperator):
    """Fails as a wrong connection would, at once."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        raise ConfigurationError("Connection 'crm' has no host.")


class TakeLong(VerbOperator):
    """Is not done when it should be."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        time.sleep(45)


with DAG(dag_id="failing", schedule=None, **dag_defaults()) as failing:
    RefuseConfiguration(task_id="refuse")

with DAG(dag_id="late", schedule=None, **dag_defaults(finish_within=timedelta(seconds=2))) as late:
    TakeLong(task_id="take_long")
