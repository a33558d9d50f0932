"""Around the dbt models of one run: wait, pin, build, gate, publish, decide, judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from safar.errors import ConfigurationError, SafarError
from safar_airflow.assets import name_decisions_asset
from safar_airflow.operators.verb import VerbOperator, read_run_key

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.catalogue import Catalogue
    from safar.warehouse import Pin
    from safar.workspace import Workspace


def read_event_time(context: Context) -> datetime:
    """The event time up to which this run counts: the end of its data interval (UTC)."""
    run = context["dag_run"]
    moment = run.data_interval_end or run.logical_date
    if moment is None:
        raise ConfigurationError("A build needs a logical date. Start it by its schedule, or give one by hand.")
    return moment.astimezone(UTC)


def read_own_pin(workspace: Workspace, context: Context) -> Pin:
    """The pin of this DAG run.

    Raises:
        NotPinned: its task `pin` has not run.
        Superseded: a newer run of the cadence is pinned.
    """
    from safar.warehouse import read_pin, require_current

    dag_id, airflow_run_id = read_run_key(context)
    pin = read_pin(workspace, f"{dag_id}/{airflow_run_id}")
    require_current(workspace, pin)
    return pin


class AwaitSources(BaseSensorOperator):
    """Waits until every source of the cadence is checked, or until the deadline; then goes on either way.

    The deadline is wall time from the start of the run: a vendor that is down does not hold up the
    campaigns that do not need it (`GateCampaigns` decides per campaign).
    """

    def __init__(self, *, cadence: str, deadline: timedelta, **kwargs: Any) -> None:
        super().__init__(mode="reschedule", timeout=deadline.total_seconds() + 3600, **kwargs)
        self.cadence = cadence
        self.deadline = deadline

    def poke(self, context: Context) -> bool:
        from safar.catalogue import load_catalogue
        from safar.warehouse import missing_sources
        from safar_airflow.workspace import open_workspace

        workspace = open_workspace()
        catalogue = load_catalogue(workspace.settings)
        missing = missing_sources(workspace, catalogue, read_event_time(context), cadence=self.cadence)
        if not missing:
            return True
        started = context["dag_run"].start_date
        if started is not None and datetime.now(UTC) - started >= self.deadline:
            self.log.warning("Going on without %s: not checked before the deadline.", ", ".join(missing))
            return True
        self.log.info("Waiting for %s.", ", ".join(missing))
        return False


class PinRun(VerbOperator):
    """Writes down what this run may know; cleared, it keeps what it wrote. Returns the pin as JSON."""

    def __init__(self, *, cadence: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cadence = cadence

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> str:
        from safar.warehouse import pin_run

        dag_id, airflow_run_id = read_run_key(context)
        pin = pin_run(
            workspace,
            dag_id=dag_id,
            airflow_run_id=airflow_run_id,
            cadence=self.cadence,
            as_of=read_event_time(context),
            catalogue=catalogue,
        )
        return pin.to_json()


class BuildModels(VerbOperator):
    """Builds several models in one task, in this process; fails when one of them is red, after all have run."""

    def __init__(self, *, select: list[str], exclude: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.select = select
        self.exclude = exclude

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.warehouse import build_models

        report = build_models(workspace, read_own_pin(workspace, context), select=self.select, exclude=self.exclude)
        self.log.info("%s", report.describe())
        if report.red:
            raise SafarError(report.describe())


class GateCampaigns(VerbOperator):
    """Blocks the campaigns whose models are red or whose sources are stale, and no other."""

    watches = True

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> dict[str, str]:
        from safar.warehouse import announce_blocked, gate_campaigns
        from safar_airflow.notifiers import link_task

        pin = read_own_pin(workspace, context)
        reasons = gate_campaigns(workspace, pin, catalogue)
        blocked = {campaign: reason for campaign, reason in reasons.items() if reason}
        for campaign, reason in blocked.items():
            self.log.warning("%s is blocked: %s", campaign, reason)
        announce_blocked(workspace, pin, link_task(context))
        return blocked


class PublishContacts(VerbOperator):
    """Copies addresses, aliases, permissions, suppressions and goals into the ledger."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.warehouse import publish_contacts

        report = publish_contacts(workspace, read_own_pin(workspace, context), catalogue)
        self.log.info("%s", report.describe())


class DecideCampaigns(VerbOperator):
    """Gives each candidate its one outcome and announces the decisions of each campaign."""

    def __init__(self, *, campaigns: list[str], **kwargs: Any) -> None:
        super().__init__(outlets=[name_decisions_asset(campaign) for campaign in campaigns], **kwargs)
        self.campaigns = campaigns

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.warehouse import decide

        pin = read_own_pin(workspace, context)
        report = decide(workspace, pin, catalogue)
        self.log.info("%s", report.describe())
        for campaign in self.campaigns:
            event = context["outlet_events"][name_decisions_asset(campaign)]
            event.extra = {"run_id": pin.run_id, "as_of": pin.as_of.isoformat()}


class GiveVerdict(VerbOperator):
    """Fails the run when any of its models failed: a red night is never green."""

    def run_verb(self, workspace: Workspace, catalogue: Catalogue, context: Context) -> None:
        from safar.warehouse import give_verdict

        give_verdict(workspace, read_own_pin(workspace, context))
