"""Airflow DAG collect_feedback: what the providers know, and the fate of messages without an answer."""

from airflow.sdk import DAG

from safar_airflow.operators.learn import CollectFeedback
from safar_airflow.schedules import at, dag_defaults

with DAG(
    dag_id="collect_feedback",
    description="Fetches suppressions and settles unknown messages.",
    schedule=at("20 * * * *"),
    tags=["learn"],
    **dag_defaults(),
) as dag:
    CollectFeedback(task_id="collect")
