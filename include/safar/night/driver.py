"""Plays a day of the company through a real Airflow: moves the clock, starts what time would start, waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from safar.catalogue import Catalogue
from safar.errors import SafarError
from safar.night.airflow_api import TERMINAL, AirflowApi
from safar.night.timetable import Moment, add_due_moments, draw_day, list_due, list_put_off, name_run

Run = tuple[str, str]
PATIENCE = 600.0
"""Seconds of wall time that one wave of DAGs may take, its asset-triggered descendants included."""


@dataclass
class NightDriver:
    """Drives Airflow by the company's clock.

    ``move_clock`` sets the virtual time and returns when the company has lived up to it;
    ``report`` gets one line per thing that happens.
    """

    api: AirflowApi
    catalogue: Catalogue
    ledger_dsn: str
    move_clock: Callable[[datetime], None]
    report: Callable[[str], None]
    patience: float = PATIENCE
    failed: list[Run] = field(default_factory=list)

    def play_day(self, night: date) -> list[Run]:
        """Plays all moments of the day that begins with this night; returns its runs in order.

        Raises:
            SafarError: a wave took longer than the patience; the message lists the open tasks.
        """
        coming = draw_day(self.catalogue, night)
        runs: list[Run] = []
        played = 0
        while coming:
            moment, *coming = coming
            self.report(f"{moment.at:%a %d %b %H:%M}  {moment.title}")
            self.move_clock(moment.at)
            runs += self.play_moment(moment)
            played += 1
            coming = add_due_moments(coming, list_due(self.ledger_dsn, moment.at), played)
        return runs

    def replay(self, runs: Iterable[Run]) -> None:
        """Clears every task of these runs and lets them run again; the clock stays where it is."""
        wave = list(runs)
        for dag_id, run_id in wave:
            self.api.clear_run(dag_id, run_id)
        self.await_runs(wave)

    def play_moment(self, moment: Moment) -> list[Run]:
        """Starts this moment's DAGs wave by wave and waits for them; returns their runs and those of their assets."""
        runs: list[Run] = []
        run_id = name_run(moment)
        for wave in moment.waves:
            for dag_id in wave:
                self.api.start_run(dag_id, run_id, moment.at)
            runs += self.await_runs([(dag_id, run_id) for dag_id in wave])
        return runs

    def await_runs(self, wave: list[Run]) -> list[Run]:
        """Waits for the runs and for whatever their assets start; returns all that ended.

        An extract whose vendor takes no more calls goes on by itself later; the night does not wait for it.
        """
        open_runs = dict.fromkeys(wave)
        done: list[Run] = []
        deadline = time.monotonic() + self.patience
        while open_runs:
            if time.monotonic() > deadline:
                raise SafarError(self._describe_open(open_runs))
            for run in list(open_runs):
                state = self.api.read_state(*run)
                if state not in TERMINAL:
                    if resumes_at := self._find_put_off(run):
                        del open_runs[run]
                        self.report(f"    {run[0]:<28} put off until {resumes_at:%d %b %H:%M} UTC")
                    continue
                children, is_complete = self.api.list_children(*run)
                if not is_complete:
                    continue
                del open_runs[run]
                done.append(run)
                open_runs |= dict.fromkeys(child for child in children if child not in done)
                self._note_end(run, state)
            time.sleep(0.5)
        return done

    def _find_put_off(self, run: Run) -> datetime | None:
        """When an extract that waits for its vendor's next day goes on; None for every other run."""
        verb, _, source = run[0].partition("_")
        resumes_at = list_put_off(self.ledger_dsn).get(source) if verb == "extract" else None
        waits = resumes_at and any(task["state"] == "up_for_reschedule" for task in self.api.list_tasks(*run))
        return resumes_at if waits else None

    def _note_end(self, run: Run, state: str) -> None:
        if state == "failed":
            self.failed.append(run)
        self.report(f"    {run[0]:<28} {state}")

    def _describe_open(self, open_runs: Iterable[Run]) -> str:
        lines = [
            f"  {dag_id} {task['task_id']}: {task['state']}"
            for dag_id, run_id in open_runs
            for task in self.api.list_tasks(dag_id, run_id)
            if task["state"] not in {"success", "skipped"}
        ]
        return f"Still open after {self.patience:.0f} seconds:\n" + "\n".join(lines)
