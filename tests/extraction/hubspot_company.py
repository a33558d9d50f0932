"""HubSpot as the sandbox plays it, in a process of its own, and what is true there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from safar.services.postgres import find_free_port


@dataclass
class HubSpotCompany:
    """A running company whose clock the test moves."""

    url: str

    def tell(self, view: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/truth/{view}", timeout=60)
        answer.raise_for_status()
        return list(answer.json())

    def move_clock(self, to: datetime) -> None:
        requests.post(f"{self.url}/clock", json={"now": to.isoformat()}, timeout=120).raise_for_status()

    def break_with(self, name: str, **options: Any) -> None:
        requests.post(f"{self.url}/faults", json={"name": name, **options}, timeout=10).raise_for_status()

    def mend(self) -> None:
        requests.delete(f"{self.url}/faults", timeout=10).raise_for_status()


@contextmanager
def run_hubspot_company(home: Path, people: int) -> Iterator[HubSpotCompany]:
    port = find_free_port()
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", str(port), "--home", str(home)]
    url = f"http://127.0.0.1:{port}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "log").open("w") as log:
        process = subprocess.Popen([*command, "--people", str(people)], stdout=log, stderr=log)
    try:
        for _ in range(600):
            if process.poll() is not None or _answers(url):
                break
            time.sleep(0.1)
        requests.post(f"{url}/limits", json={"enabled": False}, timeout=10).raise_for_status()
        yield HubSpotCompany(url)
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=1).ok
    except requests.RequestException:
        return False
