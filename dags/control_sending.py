"""Airflow DAGs pause_sending, resume_sending and approve_campaign: Trigger opens a form, and its run is the order."""

from __future__ import annotations

from airflow.sdk import DAG, BaseOperator, Param

from safar_airflow.operators.control import ApproveCampaign, PauseSending, ResumeSending
from safar_airflow.schedules import dag_defaults

# Airflow keeps what a form is filled in with, and no erasure reaches its database: no address is taken.
NAME, NO_ADDRESS = "^[a-z0-9_]*$", "^[^@]*$"
CAMPAIGN = Param(
    None, type=["null", "string"], pattern=NAME, title="Campaign", description="Empty means every campaign."
)
CHANNEL = Param(
    None,
    type=["null", "string"],
    enum=[None, "email", "push", "sms", "in_app"],
    title="Channel",
    description="Empty means every channel.",
)
REASON = Param(type="string", minLength=3, pattern=NO_ADDRESS, title="Reason", description="Read by the next on call.")
ONE_CAMPAIGN = Param(type="string", pattern=NAME, title="Campaign", description="You have seen its first messages.")


def draw_order(dag_id: str, description: str, operator: type[BaseOperator], params: dict[str, Param]) -> DAG:
    """A DAG without a schedule: somebody fills in its form."""
    with DAG(
        dag_id=dag_id,
        description=description,
        schedule=None,
        params=params,
        tags=["deliver", "by hand"],
        **dag_defaults(),
    ) as dag:
        operator(task_id=dag_id)
    return dag


pause_sending = draw_order(
    "pause_sending",
    "Stops a campaign, a channel or everything at the next claim.",
    PauseSending,
    {"reason": REASON, "campaign": CAMPAIGN, "channel": CHANNEL},
)
resume_sending = draw_order(
    "resume_sending",
    "Lifts the pauses of exactly this scope, the circuit breaker's included.",
    ResumeSending,
    {"campaign": CAMPAIGN, "channel": CHANNEL},
)
approve_campaign = draw_order(
    "approve_campaign",
    "Lets a campaign reach more real people than its first few.",
    ApproveCampaign,
    {"campaign": ONE_CAMPAIGN},
)
