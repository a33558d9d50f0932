"""`make bench`: runs every benchmark on this machine and writes what they print to docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = {
    "Extract": ("contacts per second through HTTP, dlt and PostgreSQL to committed rows", "benchmarks/extract.py"),
    "Decide": ("decisions for 100,000 people", "benchmarks/decide.py"),
    "Dispatch": ("messages per second from planned to accepted, ledger writes included", "benchmarks/dispatch.py"),
}


def measure_script(path: str) -> str:
    done = subprocess.run([sys.executable, str(ROOT / path)], cwd=ROOT, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else done.stderr.strip()[-1500:]


def measure_night(command: str) -> str:
    """Seconds of wall time for a night of 10,000 people in a home of its own, and once more."""
    safar = Path(sys.executable).with_name("safar")
    lines = []
    with tempfile.TemporaryDirectory() as home:
        for title in ("first", "again") if command == "run" else ("first",):
            began = time.monotonic()
            done = subprocess.run(
                [str(safar), command],
                env={**os.environ, "SAFAR_HOME": home},
                capture_output=True,
                text=True,
            )
            lines.append(f"safar {command}, {title}: {time.monotonic() - began:.0f} s, exit code {done.returncode}")
    return "\n".join(lines)


def main() -> None:
    size = (
        f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}"
    )
    parts = [
        "# Benchmarks",
        f"Written by `make bench` on {size}. Compare ratios inside one run; absolute figures move with the machine.",
    ]
    for title, (what, path) in BENCHMARKS.items():
        print(f"{title} ...", flush=True)
        parts += [f"## {title}: {what}", f"```\n{measure_script(path)}\n```"]
    for command in ("night", "run"):
        print(f"safar {command} ...", flush=True)
        parts += [f"## `safar {command}`, 10,000 people", f"```\n{measure_night(command)}\n```"]
    (ROOT / "docs" / "benchmarks.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
