"""Starts a process in a session of its own and stops it with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safar.errors import SafarError


@dataclass
class Service:
    """One running process; ``log`` holds what it wrote."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def is_running(self) -> bool:
        return self.process.poll() is None

    def read_log_end(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def start_service(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> Service:
    """Starts the command in a new session, so that a Ctrl-C in the terminal reaches only us."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Service(name, process, log)


def await_service(service: Service, is_ready: Callable[[], bool], patience: float) -> None:
    """Waits until the service is ready.

    Raises:
        SafarError: it died or took longer than ``patience`` seconds; the message holds the end of its log.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not service.is_running():
            break
        if is_ready():
            return
        time.sleep(0.2)
    state = "is not ready" if service.is_running() else f"ended with code {service.process.returncode}"
    raise SafarError(f"{service.name} {state}. Its log {service.log} ends with:\n{service.read_log_end()}")


def stop_services(services: Sequence[Service], patience: float = 25.0) -> None:
    """Asks all with SIGTERM at once, waits, then kills whatever is left of each session."""
    for service in services:
        if service.is_running():
            service.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    for service in services:
        try:
            service.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            _kill_session(service.process.pid)
            service.process.wait()


def _kill_session(session: int) -> None:
    """Kills what is left of the session, also children that made a process group of their own."""
    import psutil

    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                process.kill()
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
