"""Check, ask, plan and dispatch the decisions of one campaign."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import HITLOperator

from safar_airflow.operators.verb import VerbOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.workspace import Workspace

APPROVE = "Approve"
REJECT = "Reject"
# What the question was about. Airflow keeps it while the task waits, and asks anew when it is cleared.
ASKED = "asked"


class CheckOutgoing(VerbOperator):
    """Judges the rows that are about to be planned."""

    def __init__(self, *, campaign: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.delivery import check_outgoing

        check_outgoing(workspace, self.campaign, catalogue)


class GuardAudience(HITLOperator):
    """Asks a human when the audience is unusually large; otherwise goes straight on.

    It never skips: `PlanMessages` always runs and accounts for every decision, also after a rejection.
    """

    def __init__(self, *, campaign: str, patience: timedelta, **kwargs: Any) -> None:
        super().__init__(
            subject=f"Send {campaign}?",
            options=[APPROVE, REJECT],
            response_timeout=patience,
            **kwargs,
        )
        self.campaign = campaign

    def execute(self, context: Context) -> Any:
        from safar.catalogue import load_catalogue
        from safar.delivery import measure_audience
        from safar_airflow.workspace import open_workspace

        workspace = open_workspace()
        size = measure_audience(workspace, self.campaign, load_catalogue(workspace.settings))
        self.log.info("%s", size.describe())
        if not size.needs_approval:
            return {"decision": "not_needed", "decided_by": None, "run_ids": None, "candidate_count": None}
        context["ti"].xcom_push(ASKED, {"run_ids": list(size.run_ids), "candidate_count": size.candidate_count})
        self.body = f"{size.describe()} Whoever owns the campaign may not approve it."
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        from safar.catalogue import load_catalogue
        from safar.delivery import judge_answer
        from safar.settings import Settings

        asked = context["ti"].xcom_pull(task_ids=self.task_id, key=ASKED)
        try:
            answer = super().execute_complete(context, event)
        except HITLTimeoutError:
            return {**asked, "decision": "timed_out", "decided_by": None}
        user = answer["responded_by_user"] or {}
        # What a user is called depends on the auth manager: a login, an e-mail, or a number with either beside it.
        identities = [user.get("name"), user.get("email"), user.get("id")]
        campaign = load_catalogue(Settings.from_environment()).campaigns[self.campaign]
        approval = judge_answer(campaign, answer["chosen_options"] == [APPROVE], identities)
        self.log.info("%s: %s.", self.campaign, approval.describe())
        return {**asked, "decision": approval.decision, "decided_by": approval.decided_by}


class PlanMessages(VerbOperator):
    """Turns every send decision without a result into a planned message, or says why not."""

    def __init__(self, *, campaign: str, guard_task: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.guard_task = guard_task

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.delivery import Approval, plan_campaign

        answer = context["ti"].xcom_pull(task_ids=self.guard_task)
        approval = Approval(**answer)
        report = plan_campaign(workspace, self.campaign, catalogue, approval=approval)
        self.log.info("%s", report.describe())


class DispatchMessages(VerbOperator):
    """Sends what is due; whatever planned it, and however often this task runs, each message at most once."""

    watches = True

    def __init__(self, *, campaign: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.delivery import dispatch_messages

        report = dispatch_messages(workspace, catalogue, campaign=self.campaign)
        self.log.info("%s", report.describe())
        if report.left["held"]:
            self.log.warning("Held until somebody approves: look at what was sent, then `safar approve <campaign>`.")
        if report.left["paused"]:
            self.log.warning("Paused: `safar pauses` says why.")
