"""Dispatchers as processes that start in milliseconds, so that hundreds of them can be killed."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from tests.delivery.conftest import QUICK, dispatch

from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.delivery.dispatching import DispatchOptions
from safar.errors import SafarError
from safar.settings import Settings
from safar.workspace import Workspace

BATCH = 8
LEASE = timedelta(seconds=2)


@dataclass
class Dispatchers:
    """Starts dispatchers on one ledger. ``now`` is business time."""

    connections: Mapping[str, Any]
    home: Path
    now: datetime
    batch: int = BATCH
    _context: ForkServerContext = field(init=False)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])

    def start(self, workers: int = 2) -> ForkServerProcess:
        variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in self.connections.items()}
        process = self._context.Process(
            target=dispatch_here, args=(variables, self.home, self.now, workers, self.batch), daemon=True
        )
        process.start()
        return process


def dispatch_here(variables: dict[str, str], home: Path, now: datetime, workers: int, batch: int) -> None:
    """Sends whatever is due; trouble with provider or database ends it with exit code 1, as it ends a task."""
    workspace = Workspace(
        Settings(home=home, environment="sandbox"), EnvironmentConnections(variables), FixedClock(now)
    )
    options = DispatchOptions(workers=workers, batch_size=batch, lease=LEASE, patience=QUICK)
    try:
        dispatch(workspace, options=options)
    except SafarError as error:
        raise SystemExit(1) from error
