"""Airflow DAGs extract_<source>: land what is new, check it, announce it. One per declared source."""

from airflow.sdk import DAG

from safar.catalogue import Source, load_catalogue
from safar.settings import Settings
from safar_airflow.assets import name_raw_asset
from safar_airflow.operators.extract import CheckLoad, LandSource
from safar_airflow.schedules import at, dag_defaults


def draw_source(source: Source, zone: str) -> DAG:
    with DAG(
        dag_id=f"extract_{source.name}",
        description=source.description,
        schedule=at(source.schedule, zone),
        tags=["extract"],
        **dag_defaults(),
    ) as dag:
        land = LandSource(task_id="land", source=source.name)
        check = CheckLoad(
            task_id="check",
            source=source.name,
            load_id="{{ ti.xcom_pull(task_ids='land')['load_id'] }}",
            outlets=[name_raw_asset(source.name)],
        )
        land >> check
    return dag


catalogue = load_catalogue(Settings.from_environment())
for declared in catalogue.sources.values():
    globals()[f"extract_{declared.name}"] = draw_source(declared, catalogue.defaults.time_zone)
