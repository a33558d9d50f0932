"""Opens the workspace inside a task, with Airflow's own connections."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from safar.connections import Connection
from safar.errors import ConnectionMissing
from safar.workspace import Workspace


class AirflowConnections:
    """Reads connections as Airflow resolves them: secrets backend, environment, metadata database."""

    def get(self, conn_id: str) -> Connection:
        """Returns the connection.

        Raises:
            ConnectionMissing: Airflow does not know it.
        """
        try:
            found = BaseHook.get_connection(conn_id)
        except AirflowNotFoundException as error:
            raise ConnectionMissing(
                f"Connection {conn_id!r} is not defined in Airflow. Create it under Admin > Connections."
            ) from error
        return translate_connection(conn_id, found)


async def read_connections(conn_ids: Iterable[str]) -> dict[str, Connection]:
    """Reads those that Airflow knows, inside the triggerer's loop."""
    known = {}
    for conn_id in conn_ids:
        with suppress(AirflowNotFoundException):
            known[conn_id] = translate_connection(conn_id, await BaseHook.aget_connection(conn_id))
    return known


def translate_connection(conn_id: str, found: Any) -> Connection:
    """Airflow's connection as ours."""
    return Connection.model_validate(
        {
            "conn_id": conn_id,
            "conn_type": found.conn_type or "http",
            "host": found.host or "",
            "port": found.port,
            "login": found.login or "",
            "password": found.password or "",
            "schema": found.schema or "",
            "extra": found.extra_dejson,
        }
    )


def open_workspace() -> Workspace:
    """Opens the workspace of this task."""
    return Workspace.open(AirflowConnections())
