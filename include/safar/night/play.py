"""`make run`, `make up` and `safar night`: the whole company on one machine, night after night."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from safar.catalogue import Catalogue, load_catalogue
from safar.connections import EnvironmentConnections
from safar.errors import SafarError
from safar.libraries import import_libraries
from safar.night.airflow_api import AirflowApi
from safar.night.driver import NightDriver
from safar.night.figures import NightFigures, read_figures
from safar.night.table import print_figures
from safar.services.airflow import ADMIN
from safar.services.company import START
from safar.services.stack import Stack
from safar.settings import Settings
from safar.workspace import Workspace

# A log file has no width of its own; the table needs some.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def play_through_airflow(*, people: int, nights: int, seed: int, sources: str, stay: bool) -> int:
    """Plays nights through Airflow; the exit code is 0 when every run went well and the counts agree.

    When all of them are over, all their runs are cleared and run again.
    """
    began = time.monotonic()
    settings = _sandbox_settings()
    with _stopping_on_signals(), Stack(settings, people, seed, _report_since(began), sources) as stack:
        stack.start_data()
        workspace = _open_workspace(settings, stack)
        catalogue = _prepare(workspace)
        stack.start_airflow()
        api = AirflowApi(stack.airflow_url, ADMIN, stack.airflow_password)
        driver = NightDriver(api, catalogue, workspace.ledger.dsn, stack.company.move_clock, _report_since(began))
        _await_dags(api, catalogue)
        failed = 0
        for index in range(nights):
            failed += _play_or_replay(driver, stack, index, nights)
        figures = _conclude(workspace, stack, driver, began)
        if stay:
            _stay(stack, workspace)
    return 0 if figures.is_in_agreement and not failed else 1


def play_in_process(*, people: int, nights: int, seed: int, sources: str) -> int:
    """Plays nights in this process; the exit code is 0 when the counts agree."""
    began = time.monotonic()
    settings = _sandbox_settings()
    with _stopping_on_signals(), Stack(settings, people, seed, _report_since(began), sources) as stack:
        # While the company is founded in a process of its own, ours reads the libraries that it will need: all
        # of them before threads use them, for some look into others that are only half read.
        reading = threading.Thread(target=import_libraries)
        reading.start()
        stack.start_data()
        workspace = _open_workspace(settings, stack)
        catalogue = _prepare(workspace)
        reading.join()
        from safar.night.in_process import NightPlayer

        player = NightPlayer(workspace, catalogue, stack.company.move_clock, _report_since(began))
        for index in range(nights):
            player.play_day((START + timedelta(days=index)).date())
        figures = _conclude(workspace, stack, None, began)
    return 0 if figures.is_in_agreement else 1


def stop_running(home: Path) -> str:
    """Asks the Safar that runs on this home to stop and waits for it."""
    path = home / "safar.pid"
    if not path.exists():
        return "Nothing is running."
    pid = int(path.read_text())
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        path.unlink()
        return "Nothing is running."
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return "Stopped."
        time.sleep(0.2)
    raise SafarError(f"Process {pid} did not stop within a minute. Look at {home / 'logs'}, then end it by hand.")


def _sandbox_settings() -> Settings:
    """The sandbox is always played under its own clock and in its own environment."""
    return Settings.from_environment({**os.environ, "SAFAR_CLOCK": "sandbox", "SAFAR_ENVIRONMENT": "sandbox"})


def _open_workspace(settings: Settings, stack: Stack) -> Workspace:
    from safar.clock import SandboxClock

    connections = EnvironmentConnections(stack.environment)
    return Workspace(settings, connections, SandboxClock(stack.company.base_url))


def _prepare(workspace: Workspace) -> Catalogue:
    from safar.warehouse import describe_warehouse, write_manifest

    write_manifest(workspace.settings, describe_warehouse(workspace))
    return load_catalogue(workspace.settings)


def _await_dags(api: AirflowApi, catalogue: Catalogue, patience: float = 90.0) -> None:
    """Waits until Airflow has read every DAG file."""
    wanted = {f"extract_{name}" for name in catalogue.sources} | {f"deliver_{name}" for name in catalogue.campaigns}
    wanted |= {"build_nightly", "build_intraday", "dispatch_due", "collect_feedback", "keep_house"}
    deadline = time.monotonic() + patience
    while missing := wanted - api.list_dags().keys():
        if errors := api.list_import_errors():
            raise SafarError("Airflow could not read a DAG file:\n" + "\n".join(errors))
        if time.monotonic() > deadline:
            raise SafarError(f"Airflow has not read these DAGs: {', '.join(sorted(missing))}.")
        time.sleep(0.5)


def _play_or_replay(driver: NightDriver, stack: Stack, index: int, nights: int) -> int:
    """Plays the night, or passes it over when it is over; when the last one is, all are cleared and run again."""
    night = (START + timedelta(days=index)).date()
    evening = datetime.combine(night, datetime.min.time(), UTC) + timedelta(hours=20)
    driver.failed.clear()
    if stack.company.read_clock() < evening:
        driver.play_day(night)
    elif index == nights - 1:
        played = [f"{(START + timedelta(days=day)).date():%Y-%m-%d}" for day in range(nights)]
        runs = [
            (run["dag_id"], run["dag_run_id"])
            for run in driver.api.list_runs()
            if run["run_type"] == "asset_triggered" or any(day in run["dag_run_id"] for day in played)
        ]
        driver.report(f"All is over: clearing {len(runs)} runs and letting them run again")
        driver.replay(runs)
    return len(driver.failed)


def _conclude(workspace: Workspace, stack: Stack, driver: NightDriver | None, began: float) -> NightFigures:
    """Reads the figures back, holds them against the provider's own count, writes and prints them."""
    now = stack.company.read_clock()
    since = datetime.combine(now.date(), datetime.min.time(), UTC)
    mails, messages = stack.company.count_mails()
    figures = read_figures(workspace, since, since + timedelta(days=1)).model_copy(
        update={
            "mails_at_provider": mails,
            "duplicates_at_provider": mails - messages,
            "failed_runs": [f"{dag_id}/{run_id}" for dag_id, run_id in (driver.failed if driver else [])],
            "seconds": round(time.monotonic() - began, 1),
        }
    )
    figures.write(workspace.settings.home / "night.json")
    print_figures(figures, console)
    return figures


def _stay(stack: Stack, workspace: Workspace) -> None:
    """Builds the docs and stays until told to stop, with the addresses on the screen."""
    from safar.warehouse import write_docs

    settings = workspace.settings
    docs = write_docs(workspace)
    pid = settings.home / "safar.pid"
    pid.write_text(str(os.getpid()))
    console.print(
        f"Airflow   {stack.airflow_url}  user {ADMIN}, password in {settings.home / 'airflow/passwords.json'}"
    )
    console.print(f"Mailbox   {stack.company.base_url}/mailbox")
    console.print(f"dbt docs  {(docs / 'index.html').as_uri()}")
    console.print(f"Data Docs {(settings.home / 'data_docs/site/index.html').as_uri()}", soft_wrap=True)
    console.print("Stop with Ctrl-C or `make down`.")
    try:
        threading.Event().wait()
    finally:
        pid.unlink(missing_ok=True)


def _report_since(began: float) -> Callable[[str], None]:
    """Prints each line with the seconds since the start."""

    def report(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {escape(line)}", soft_wrap=True)

    return report


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    """SIGTERM ends us like Ctrl-C, so that everything we started is stopped."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with ExitStack() as stack:
        previous = signal.signal(signal.SIGTERM, interrupt)
        stack.callback(signal.signal, signal.SIGTERM, previous)
        yield
