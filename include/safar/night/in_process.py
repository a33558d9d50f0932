"""Plays a day of the company in this process: the functions that the operators call, without Airflow."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module

from safar.alerting import describe_failure, raise_alerts, watch_ledger
from safar.catalogue import Catalogue
from safar.delivery import Approval, DeliveryRules, check_outgoing, dispatch_messages, measure_audience, plan_campaign
from safar.erasure import resume_erasures
from safar.errors import SafarError
from safar.extraction import LoadPutOff, check_load, land_source
from safar.feedback import collect_feedback, keep_house
from safar.night.timetable import Moment, add_due_moments, draw_day, list_due, name_run
from safar.warehouse import (
    announce_blocked,
    build_models,
    decide,
    gate_campaigns,
    give_verdict,
    missing_sources,
    pin_run,
    publish_contacts,
)
from safar.workspace import Workspace


@dataclass
class NightPlayer:
    """Plays days one after the other. ``report`` gets one line per thing that happens."""

    workspace: Workspace
    catalogue: Catalogue
    move_clock: Callable[[datetime], None]
    report: Callable[[str], None]

    def __post_init__(self) -> None:
        # The first source to be checked imports pandas, and dlt, which lands the others, looks into a pandas that is
        # only half imported.
        import_module("pandas")

    def play_day(self, night: date) -> None:
        """Plays all moments of the day that begins with this night."""
        coming = draw_day(self.catalogue, night)
        played = 0
        while coming:
            moment, *coming = coming
            self.report(f"{moment.at:%a %d %b %H:%M}  {moment.title}")
            self.move_clock(moment.at)
            self.play_moment(moment)
            played += 1
            coming = add_due_moments(coming, list_due(self.workspace.ledger.dsn, moment.at), played)

    def play_moment(self, moment: Moment) -> None:
        """Runs what this moment's DAGs would run, in the same order."""
        for wave in moment.waves:
            # Vendors let us wait, so the sources of a wave are pulled side by side, as Airflow does it.
            with ThreadPoolExecutor(len(wave)) as pool:
                for played in [pool.submit(self._play_dag, dag_id, moment) for dag_id in wave]:
                    played.result()
        watch_ledger(self.workspace)

    def _play_dag(self, dag_id: str, moment: Moment) -> None:
        verb, _, name = dag_id.partition("_")
        if verb == "extract":
            self._attempt(dag_id, lambda: self._extract(name))
        elif verb == "build":
            self._build(dag_id, name, moment)
        elif verb == "dispatch":
            self.report(f"    {dispatch_messages(self.workspace, self.catalogue).describe()}")
        elif verb == "collect":
            thresholds = DeliveryRules.from_catalogue(self.catalogue).breaker
            self.report(f"    {collect_feedback(self.workspace, thresholds).describe()}")
        else:
            self.report(f"    {keep_house(self.workspace).describe()}")

    def _extract(self, name: str) -> None:
        source = self.catalogue.sources[name]
        landed = land_source(self.workspace, source)
        check_load(self.workspace, source, landed.load_id)
        resume_erasures(self.workspace, self.catalogue)
        self.report(f"    {landed.describe()}")

    def _build(self, dag_id: str, cadence: str, moment: Moment) -> None:
        workspace, catalogue = self.workspace, self.catalogue
        for name in missing_sources(workspace, catalogue, moment.at, cadence=cadence):
            self.report(f"    going on without {name}")
        pin = pin_run(
            workspace,
            dag_id=dag_id,
            airflow_run_id=name_run(moment),
            cadence=cadence,
            as_of=moment.at,
            catalogue=catalogue,
        )
        built = build_models(workspace, pin, select=[f"tag:{cadence}"], exclude=["path:models/decisions"])
        self.report(f"    {built.describe()}")
        gate_campaigns(workspace, pin, catalogue)
        announce_blocked(workspace, pin)
        publish_contacts(workspace, pin, catalogue)
        self.report(f"    {decide(workspace, pin, catalogue).describe()}")
        for campaign in catalogue.name_campaigns(cadence):
            self._attempt(campaign, lambda campaign=campaign: self._deliver(campaign))  # type: ignore[misc]
        self._attempt(f"{dag_id} verdict", lambda: give_verdict(workspace, pin))

    def _deliver(self, campaign: str) -> None:
        check_outgoing(self.workspace, campaign, self.catalogue)
        size = measure_audience(self.workspace, campaign, self.catalogue)
        # Nobody can be asked here: what would need a human is left unsent, as after a time-out.
        approval = Approval(decision="timed_out" if size.needs_approval else "not_needed", decided_by=None)
        planned = plan_campaign(self.workspace, campaign, self.catalogue, approval=approval)
        sent = dispatch_messages(self.workspace, self.catalogue, campaign=campaign)
        self.report(f"    {campaign}: {planned.describe()}; {sent.describe()}")

    def _attempt(self, name: str, work: Callable[[], None]) -> None:
        """One DAG that fails stops no other, as in Airflow; it is reported."""
        try:
            work()
        except LoadPutOff as told:
            self.report(f"    {name} put off: {told}")
        except SafarError as error:
            self.report(f"    {name} FAILED: {error}")
            alert = describe_failure(error, where=name, key=f"{name}:{self.workspace.clock.now():%Y-%m-%dT%H:%M}")
            raise_alerts(self.workspace, [alert] if alert else [])
