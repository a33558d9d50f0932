"""A night of 10,000 people in one process, through Airflow, and cleared and played again; what Airflow itself costs.

Run: python -m benchmarks.night [--people 10000]. Each way has a home of its own. Memory is the most that all
processes together held at a time, shared pages counted once (PSS), sampled every second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from safar.services.postgres import EmbeddedPostgres

TASKS = """
select
    count(*) as tasks,
    sum(duration) as seconds,
    percentile_cont(0.5) within group (order by extract(epoch from start_date - queued_dttm)) as queued_seconds
from task_instance
where state = 'success'
"""


@dataclass
class Memory:
    """The most memory that a process and its descendants held at a time, in bytes."""

    peak: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self, process: psutil.Process) -> None:
        while not self._over.wait(1):
            self.peak = max(self.peak, sum(map(read_pss, [process, *list_children(process)])))

    def stop(self) -> None:
        self._over.set()


def list_children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def read_pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0


def play(command: str, home: Path, people: int) -> tuple[float, int]:
    """Plays to the end; returns seconds of wall time and the peak of memory in bytes."""
    safar = Path(sys.executable).with_name("safar")
    environment = {**os.environ, "SAFAR_HOME": str(home), "PEOPLE": str(people)}
    began = time.monotonic()
    log = home.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen([safar, command], env=environment, stdout=output, stderr=output)
    memory = Memory()
    watcher = threading.Thread(target=memory.watch, args=[psutil.Process(process.pid)])
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - began
    memory.stop()
    watcher.join()
    if code:
        raise SystemExit(f"safar {command} ended with {code}:\n{log.read_text()[-2000:]}")
    return seconds, memory.peak


def read_tasks(home: Path) -> tuple[int, float, float]:
    """Airflow's own record: tasks that ran, seconds inside them, median seconds between queued and started."""
    server = EmbeddedPostgres(home / "postgres")
    try:
        with psycopg.connect(server.start().dsn("airflow")) as connection:
            row = connection.execute(TASKS).fetchone()
    finally:
        server.stop()
    assert row is not None
    return int(row[0]), float(row[1]), float(row[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    people = parser.parse_args().people
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-night-"))
    try:
        alone, alone_peak = play("night", folder / "alone", people)
        print(f"safar night: {alone:.0f} s, at most {alone_peak / 2**30:.1f} GiB in all")
        first, first_peak = play("run", folder / "airflow", people)
        print(f"safar run: {first:.0f} s, at most {first_peak / 2**30:.1f} GiB in all")
        tasks, seconds, queued = read_tasks(folder / "airflow")
        print(
            f"  {tasks} tasks, {seconds:.0f} s inside them, {queued:.1f} s from queued to started (median); "
            f"Airflow's own cost: {(first - alone) / tasks:.1f} s of wall time per task"
        )
        again, _ = play("run", folder / "airflow", people)
        print(f"safar run again, every run of the night cleared: {again:.0f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
