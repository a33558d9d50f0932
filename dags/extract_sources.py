"""Airflow DAGs extract_<source>: land what is new, check it, announce it. One per declared source."""

from airflow.sdk import DAG, Param

from safar.catalogue import Source, load_catalogue
from safar.settings import Settings
from safar_airflow.assets import name_raw_asset
from safar_airflow.operators.extract import CheckLoad, LandSource
from safar_airflow.schedules import at, dag_defaults


def ask_date(title: str, description: str) -> Param:
    pattern = r"^\d{4}-\d{2}-\d{2}$"
    return Param(None, type=["null", "string"], format="date", pattern=pattern, title=title, description=description)


def draw_form(source: Source) -> dict[str, Param]:
    """What somebody fills in at Trigger to ask again; all empty, as on schedule: what has changed."""
    tables = [None, *(table.name for table in source.tables)]
    return {
        "since": ask_date("Since", "Ask again for everything from this day on. Empty: what has changed."),
        "until": ask_date("Until", "The last day that is asked for; today when empty."),
        "night": ask_date("Night", "Or ask again for what the load of this night asked for."),
        "table": Param(
            None, type=["null", "string"], enum=tables, title="Table", description="Only this one, with Since or Night."
        ),
    }


def draw_source(source: Source, zone: str) -> DAG:
    with DAG(
        dag_id=f"extract_{source.name}",
        description=source.description,
        schedule=at(source.schedule, zone),
        params=draw_form(source),
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
