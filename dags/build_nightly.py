"""Airflow DAG build_nightly: from checked sources to decisions, a task per dbt model."""

from datetime import timedelta

from airflow.sdk import DAG

from safar.catalogue import load_catalogue
from safar.settings import Settings
from safar_airflow.models import draw_models
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

LEDGER = ["path:models/staging/ledger", "path:models/staging/decisions", "path:seeds"]
catalogue = load_catalogue(Settings.from_environment())

with DAG(
    dag_id="build_nightly",
    description="Who is who, which stage, who is written to: every night.",
    schedule=at("0 2 * * *", catalogue.defaults.time_zone),
    tags=["build", "nightly"],
    **dag_defaults(finish_within=timedelta(hours=4)),
) as dag:
    wait = AwaitSources(task_id="wait", cadence="nightly", deadline=source_deadline(), poke_interval=3)
    pin = PinRun(task_id="pin", cadence="nightly")
    # Views of the ledger and seeds: of a second each, and every campaign stands on them anyway.
    ledger = BuildModels(task_id="ledger", select=LEDGER, exclude=["path:models/decisions"])
    models = draw_models("models", select=["tag:nightly"], exclude=["path:models/decisions", *LEDGER], pin_task="pin")
    gate = GateCampaigns(task_id="gate", trigger_rule="all_done")
    publish = PublishContacts(task_id="publish")
    decide = DecideCampaigns(task_id="decide", campaigns=catalogue.name_campaigns("nightly"))
    verdict = GiveVerdict(task_id="verdict", trigger_rule="all_done")
    wait >> pin >> ledger >> models >> gate >> publish >> decide >> verdict
