"""Airflow DAG build_intraday: the same road for what cannot wait for the night, its models in one task."""

from airflow.sdk import DAG

from safar.catalogue import load_catalogue
from safar.settings import Settings
from safar_airflow.operators.build import (
    AwaitSources,
    BuildModels,
    DecideCampaigns,
    GateCampaigns,
    GiveVerdict,
    PinRun,
    PublishContacts,
)
from safar_airflow.schedules import at, dag_defaults, source_deadline

catalogue = load_catalogue(Settings.from_environment())

with DAG(
    dag_id="build_intraday",
    description="Carts and whatever else is only worth saying today: every hour.",
    schedule=at("0 * * * *", catalogue.defaults.time_zone),
    tags=["build", "intraday"],
    **dag_defaults(),
) as dag:
    wait = AwaitSources(task_id="wait", cadence="intraday", deadline=source_deadline(), poke_interval=3)
    pin = PinRun(task_id="pin", cadence="intraday")
    models = BuildModels(task_id="models", select=["tag:intraday"], exclude=["path:models/decisions"])
    gate = GateCampaigns(task_id="gate", trigger_rule="all_done")
    publish = PublishContacts(task_id="publish")
    decide = DecideCampaigns(task_id="decide", campaigns=catalogue.name_campaigns("intraday"))
    verdict = GiveVerdict(task_id="verdict", trigger_rule="all_done")
    wait >> pin >> models >> gate >> publish >> decide >> verdict
