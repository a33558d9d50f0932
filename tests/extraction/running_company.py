"""The sandbox as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from safar.services.postgres import find_free_port


@contextmanager
def run_company(home: Path, people: int) -> Iterator[str]:
    """A new company of that many people; yields its base URL."""
    port = find_free_port()
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", str(port), "--home", str(home)]
    url = f"http://127.0.0.1:{port}"
    with (
        (home / "log").open("w") as log,
        subprocess.Popen([*command, "--people", str(people)], stdout=log, stderr=log) as process,
    ):
        try:
            for _ in range(300):
                if process.poll() is not None or _answers(url):
                    break
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=1).ok
    except requests.RequestException:
        return False
