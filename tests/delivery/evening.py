"""The evening of a sandbox's day: its clock moves, and its provider posts what became of the mails."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import requests
import uvicorn
from tests.delivery.conftest import RunningSandbox


@contextlib.contextmanager
def run_intake(app: Any, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join(20)


def begin_next_day(sandbox: RunningSandbox) -> datetime:
    """Moves the sandbox's clock to ten in the morning (UTC) of its next day; returns that moment."""
    now = datetime.fromisoformat(requests.get(f"{sandbox.root}/clock", timeout=10).json()["now"])
    morning = now.replace(hour=10) + timedelta(days=1)
    move_clock(sandbox, morning)
    return morning


def move_clock(sandbox: RunningSandbox, to: datetime) -> None:
    requests.post(f"{sandbox.root}/clock", json={"now": to.isoformat()}, timeout=900).raise_for_status()
