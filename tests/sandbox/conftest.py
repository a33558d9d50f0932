"""A really started sandbox company, in its own process on a free port."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

PEOPLE = 400


@dataclass
class RunningSandbox:
    """One process of ``safar-sandbox serve``."""

    process: subprocess.Popen[str]
    root: str

    def get(self, path: str, **options: Any) -> Any:
        answer = requests.get(self.root + path, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    def move_clock(self, to: str) -> dict[str, Any]:
        answer = requests.post(f"{self.root}/clock", json={"now": to}, timeout=120)
        answer.raise_for_status()
        return dict(answer.json())

    def break_with(self, name: str, **options: Any) -> None:
        requests.post(f"{self.root}/faults", json={"name": name, **options}, timeout=10).raise_for_status()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()


Start = Callable[..., RunningSandbox]


@pytest.fixture(scope="session")
def start_sandbox() -> Iterator[Start]:
    """Starts sandboxes; whatever still runs at the end is stopped."""
    started: list[RunningSandbox] = []

    def start(home: Path, *options: str, people: int = PEOPLE) -> RunningSandbox:
        command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(home)]
        process = subprocess.Popen(
            [*command, "--people", str(people), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line + process.stdout.read()
        sandbox = RunningSandbox(process, line.split()[-1])
        requests.get(f"{sandbox.root}/health", timeout=30).raise_for_status()
        started.append(sandbox)
        return sandbox

    yield start
    for sandbox in started:
        with contextlib.suppress(ProcessLookupError):
            sandbox.stop()


@pytest.fixture(scope="session")
def shared_sandbox(start_sandbox: Start, tmp_path_factory: pytest.TempPathFactory) -> RunningSandbox:
    """A company whose clock nobody moves."""
    return start_sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """The same company, without faults and limits before and after each test."""
    requests.post(f"{shared_sandbox.root}/limits", json={"enabled": False}, timeout=10).raise_for_status()
    yield shared_sandbox
    requests.delete(f"{shared_sandbox.root}/faults", timeout=10).raise_for_status()


@pytest.fixture
def enable_limits(sandbox: RunningSandbox) -> Callable[[str], None]:
    """Lets one vendor throttle until the next test."""

    def enable(vendor: str) -> None:
        answer = requests.post(f"{sandbox.root}/limits", json={"enabled": True, "vendor": vendor}, timeout=10)
        answer.raise_for_status()

    return enable
