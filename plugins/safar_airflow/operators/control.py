"""What a person orders in Airflow: stop sending, go on, approve. Each writes down who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from safar.errors import ConfigurationError, SafarError
from safar_airflow.operators.verb import VerbOperator, read_run_key

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace


def read_user(context: Context) -> str:
    """The name of whoever pressed Trigger."""
    return context["dag_run"].triggering_user_name or "Airflow"


class PauseSending(BaseOperator):
    """Holds a campaign, a channel or everything. Works also while a file of the catalogue is broken."""

    def execute(self, context: Context) -> None:
        from safar.delivery import describe_scope, pause_sending
        from safar_airflow.workspace import open_workspace

        scope = read_scope(context)
        try:
            pause_sending(
                open_workspace(),
                reason=str(context["params"]["reason"]),
                created_by=read_user(context),
                # Cleared, the order is the same one: it stops nothing that was resumed since.
                request_id="/".join(read_run_key(context)),
                **scope,
            )
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Paused: %s.", describe_scope(**scope))


class ResumeSending(BaseOperator):
    """Lifts the pauses of exactly one scope that stood when the order was given, the circuit breaker's included."""

    def execute(self, context: Context) -> None:
        from safar.delivery import list_pauses, resume_sending
        from safar_airflow.workspace import open_workspace

        workspace = open_workspace()
        given_at = context["dag_run"].run_after
        try:
            lifted = resume_sending(workspace, lifted_by=read_user(context), before=given_at, **read_scope(context))
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
        for pause in lifted:
            self.log.info("Lifted: %s", pause.describe())
        if not lifted:
            self.log.warning("No pause of exactly this scope stood when this was ordered.")
        for pause in list_pauses(workspace):
            self.log.warning("Still paused: %s", pause.describe())


class ApproveCampaign(VerbOperator):
    """Lets a campaign reach more real people than its first few; refuses its owner."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.delivery import approve_first_live

        try:
            approval = approve_first_live(
                workspace, str(context["params"]["campaign"]), catalogue, [read_user(context)]
            )
        except SafarError as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("%s", approval.describe())


def read_scope(context: Context) -> dict[str, Any]:
    """Campaign and channel of the form; an empty field means any."""
    params = context["params"]
    return {"campaign": params["campaign"] or None, "channel": params["channel"] or None}
