"""Airflow DAG keep_house: proves that the books balance, and tidies up."""

from airflow.sdk import DAG

from safar_airflow.operators.learn import KeepHouse
from safar_airflow.schedules import at, dag_defaults

with DAG(
    dag_id="keep_house",
    description="Checks both accounting identities and prunes what has served.",
    schedule=at("40 5 * * *"),
    tags=["house"],
    **dag_defaults(),
) as dag:
    KeepHouse(task_id="keep_house")
