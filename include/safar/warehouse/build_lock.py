"""One build of the same models at a time: dbt swaps tables by name, and two that swap the same one fail."""

from __future__ import annotations

import psycopg

from safar.workspace import Workspace


def take_build_lock(workspace: Workspace, *names: str) -> psycopg.Connection:
    """Waits until nobody else builds what these names say; the lock lasts until the connection is closed.

    A session's lock, not a transaction's: a build takes minutes, and nothing may wait for its snapshot.
    """
    connection = psycopg.connect(workspace.ledger.dsn, autocommit=True, application_name="safar build")
    try:
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 7266))", [" ".join(names)])
    except BaseException:
        connection.close()
        raise
    return connection
