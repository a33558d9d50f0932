"""Airflow DAGs deliver_<campaign>: check, ask if need be, plan, dispatch. One per declared campaign."""

from airflow.sdk import DAG

from safar.catalogue import Campaign, load_catalogue
from safar.settings import Settings
from safar_airflow.assets import name_decisions_asset
from safar_airflow.operators.deliver import CheckOutgoing, DispatchMessages, GuardAudience, PlanMessages
from safar_airflow.schedules import approval_patience, dag_defaults


def draw_campaign(campaign: Campaign) -> DAG:
    with DAG(
        dag_id=f"deliver_{campaign.name}",
        description=campaign.description,
        schedule=[name_decisions_asset(campaign.name)],
        tags=["deliver", campaign.cadence],
        **dag_defaults(),
    ) as dag:
        check = CheckOutgoing(task_id="check", campaign=campaign.name)
        guard = GuardAudience(task_id="guard", campaign=campaign.name, patience=approval_patience())
        plan = PlanMessages(task_id="plan", campaign=campaign.name, guard_task="guard")
        dispatch = DispatchMessages(task_id="dispatch", campaign=campaign.name)
        check >> guard >> plan >> dispatch
    return dag


for declared in load_catalogue(Settings.from_environment()).campaigns.values():
    globals()[f"deliver_{declared.name}"] = draw_campaign(declared)
