"""SIGKILL of PostgreSQL itself in the middle of a dispatch: what left is never forgotten, and leaves once."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import create_logins
from tests.delivery.conftest import Company, OpenWorkspace, RunningSandbox, publish_by_hand
from tests.delivery.evening import begin_next_day
from tests.delivery.killable_dispatcher import BATCH, LEASE, Dispatchers
from tests.delivery.test_torture import SEED, Torture

from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database, find_free_port

KILLS = int(os.environ.get("TORTURE_DATABASE_KILLS", "3"))
# So many that a kill, however late, still meets a dispatcher at work.
MESSAGES = 3000 + 2000 * KILLS


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this module's own, at a port that it keeps when it is started again."""
    folder = Path(tempfile.mkdtemp(prefix="safar-killed-"))
    server = EmbeddedPostgres(folder / "data", find_free_port())
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres(server: EmbeddedPostgres) -> PostgresAddress:
    return server.start()


@pytest.fixture
def database(postgres: PostgresAddress) -> str:
    """A ledger that goes with its server; nobody keeps a connection to it."""
    dsn = ensure_database(postgres, "killed")
    migrate_ledger(dsn)
    create_logins(postgres, dsn)
    return dsn


@pytest.mark.timeout(3600)
def test_a_killed_database_forgets_no_message_that_has_left(
    server: EmbeddedPostgres,
    database: str,
    webhook: int,
    sandbox: RunningSandbox,
    open_workspace: OpenWorkspace,
    company: Company,
    connections: dict[str, Any],
    tmp_path: Path,
) -> None:
    now = begin_next_day(sandbox)
    dispatchers = Dispatchers(connections, tmp_path / "home", now)
    torture = Torture(sandbox, company, open_workspace, dispatchers, webhook, now, random.Random(SEED))
    publish_by_hand(torture.workspace)
    torture.plan(MESSAGES)
    # What was planned is safe on the disk, as it is after a night's work.
    company.connection.execute("checkpoint")
    for _ in range(KILLS):
        before = sandbox.read_truth()["mail_count"]
        process = dispatchers.start()
        while sandbox.read_truth()["mail_count"] == before:
            time.sleep(0.01)
        time.sleep(torture.chance.uniform(0, 0.1))
        server.kill()
        process.join(60)
        assert process.exitcode == 1, "a dispatcher whose ledger is gone stops"
        server.start()
        company.connection.close()
        company.connection = psycopg.connect(database, autocommit=True, options="-c timezone=UTC")
    time.sleep(LEASE.total_seconds())
    torture.finish()
    states = torture.compare_with_truth()
    assert set(states) <= {"accepted", "presumed_lost"}
    assert sum(states.values()) == MESSAGES
    assert states["presumed_lost"] <= KILLS * BATCH
    print(f"{KILLS} kills of PostgreSQL in {MESSAGES} messages, seed {SEED}: {dict(states)}")
