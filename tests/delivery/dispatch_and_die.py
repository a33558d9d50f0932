"""A dispatching process that is killed, as by the out-of-memory killer, when it comes to a named point.

Arguments: the point, how often it is passed unharmed, the business time, how many
workers. Connections come from the environment.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.delivery.conftest import dispatch

from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.delivery.dispatching import DispatchOptions
from safar.settings import Settings
from safar.workspace import Workspace

BATCH = 20


def main() -> None:
    point, passes, now, workers = sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]), int(sys.argv[4])
    settings = Settings(home=Path(os.environ["SAFAR_HOME"]), environment="sandbox")
    workspace = Workspace(settings, EnvironmentConnections(), FixedClock(now))
    seen = 0

    def die_at(reached: str) -> None:
        nonlocal seen
        if reached == point:
            seen += 1
            if seen > passes:
                os.kill(os.getpid(), signal.SIGKILL)

    options = DispatchOptions(workers=workers, batch_size=BATCH, lease=timedelta(minutes=1))
    dispatch(workspace, options=options, checkpoint=die_at)


if __name__ == "__main__":
    main()
