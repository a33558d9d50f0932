"""`make bench`: runs every benchmark on this machine and writes what they print below the last heading of
docs/benchmarks.md; what stands above it, people have written."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
HEADING = "## The last whole run"
BENCHMARKS = {
    "night": "a whole night of 10,000 people",
    "extract": "contacts per second through HTTP, dlt and PostgreSQL to committed rows",
    "build": "a full build for 100,000 people with 1 million orders",
    "decide": "decisions for 100,000 people due in three campaigns at once",
    "intake": "provider events per second from a signed post to committed rows, on one core",
    "dispatch": "messages per second from planned to accepted, ledger writes included",
    "large_ledger": "planning a million messages, claiming and sending on a ledger of 15 million",
}


def measure_script(name: str) -> str:
    """What the benchmark prints, or the end of its error."""
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()[-1500:]


def main() -> None:
    memory = psutil.virtual_memory().total / 2**30
    parts = [
        PAGE.read_text().partition(HEADING)[0].rstrip(),
        HEADING,
        f"Written by `make bench` on {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}. "
        "Compare ratios inside one run; absolute figures move with the machine.",
    ]
    for name, what in BENCHMARKS.items():
        print(f"{name}: {what} ...", flush=True)
        measured = measure_script(name)
        print(measured, flush=True)
        parts += [f"### {name}: {what}", f"`python -m benchmarks.{name}`", f"```\n{measured}\n```"]
    PAGE.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
