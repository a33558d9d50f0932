"""Airflow's scheduler evaluates only the deadline references that a plugin names."""

from airflow.plugins_manager import AirflowPlugin

from safar_airflow.deadlines import RunCreation


class RunDeadlines(AirflowPlugin):
    """Registers the reference of every DAG's deadline (`safar_airflow.schedules.dag_defaults`)."""

    name = "run_deadlines"
    deadline_references = [RunCreation]  # noqa: RUF012 (Airflow reads it as it stands)
