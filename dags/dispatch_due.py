"""Airflow DAG dispatch_due: every ten minutes whatever is due leaves, whoever planned it."""

from airflow.sdk import DAG

from safar_airflow.operators.deliver import DispatchMessages
from safar_airflow.schedules import at, dag_defaults

with DAG(
    dag_id="dispatch_due",
    description="Sends planned messages whose hour has come.",
    schedule=at("*/10 * * * *"),
    tags=["deliver"],
    **dag_defaults(),
) as dag:
    DispatchMessages(task_id="dispatch")
