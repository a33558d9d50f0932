"""Airflow's side of an alert: what failed, and where in the UI it is."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context

    from safar.alerting import Alert
    from safar.connections import Connection


class Notifier(BaseNotifier):
    """Tells whom connection safar_alerts names. It serves ``on_failure_callback`` and `DeadlineAlert`.

    It never raises: the fate of a task does not depend on whether somebody could be told.
    """

    def __init__(self, kind: str = "task_failed", context: Context | None = None) -> None:
        super().__init__(context=context)
        self.kind = kind

    def notify(self, context: Context) -> None:
        """Tells now, in a task's process or in an executor's callback."""
        from safar.alerting import raise_alerts
        from safar.settings import Settings
        from safar.workspace import Workspace
        from safar_airflow.workspace import AirflowConnections

        try:
            alert = self._describe(context)
            if alert is not None:
                raise_alerts(Workspace(Settings.from_environment(), AirflowConnections()), [alert])
        except Exception as error:
            self.log.error("Nobody could be told (%s).", type(error).__name__)

    async def async_notify(self, context: Context) -> None:
        """Tells from the triggerer, whose loop goes on while targets take their time."""
        from safar.alerting import ALERTS, raise_alerts
        from safar.settings import Settings
        from safar.workspace import LEDGER, Workspace
        from safar_airflow.workspace import read_connections

        try:
            known = await read_connections([ALERTS, LEDGER])
            alert = self._describe(context)
            if alert is not None:
                workspace = Workspace(Settings.from_environment(), _Known(known))
                await asyncio.to_thread(raise_alerts, workspace, [alert])
        except Exception as error:
            self.log.error("Nobody could be told (%s).", type(error).__name__)

    def __await__(self) -> Generator[Any, None, None]:
        # The parent's also renders templates, for which a deadline's context has no DAG; there are none here.
        return self.async_notify(self.context).__await__()

    def _describe(self, context: Mapping[str, Any]) -> Alert | None:
        if self.kind == "deadline_missed":
            return describe_deadline(context)
        from safar.alerting import describe_failure

        instance = context["ti"]
        key = f"{instance.dag_id}:{instance.run_id}:{instance.task_id}:{instance.map_index}:{instance.try_number}"
        return describe_failure(
            find_cause(context.get("exception")),
            where=f"{instance.dag_id}.{instance.task_id}",
            key=key,
            task_url=link_task(context),
        )


class _Known:
    """Connections that were read before, because a thread of the triggerer cannot ask for them."""

    def __init__(self, known: dict[str, Connection]) -> None:
        self._known = known

    def get(self, conn_id: str) -> Connection:
        from safar.errors import ConfigurationError

        if conn_id not in self._known:
            raise ConfigurationError(f"Connection {conn_id!r} is not defined in Airflow.")
        return self._known[conn_id]


def describe_deadline(context: Mapping[str, Any]) -> Alert:
    """The alert of a DAG run that should be done by now."""
    from safar.alerting import Alert, AlertKind

    run = context.get("dag_run") or {}
    dag_id, run_id = run.get("dag_id", "?"), run.get("dag_run_id", "?")
    due = (context.get("deadline") or {}).get("deadline_time", "now")
    return Alert(
        AlertKind.DEADLINE_MISSED,
        f"deadline_missed:{dag_id}:{run_id}",
        f"{dag_id} is late",
        f"{run_id} should have been done by {due}. What it was to send has not been sent as a whole.",
        f"{read_base_url()}/dags/{quote(dag_id)}/runs/{quote(run_id)}",
    )


def find_cause(error: Any) -> BaseException | None:
    """Our own error behind the one by which a task tells Airflow not to retry."""
    from safar.errors import SafarError

    outermost = error
    while isinstance(error, BaseException):
        if isinstance(error, SafarError):
            return error
        error = error.__cause__
    return outermost if isinstance(outermost, BaseException) else None


def link_task(context: Mapping[str, Any]) -> str | None:
    """The task's page in Airflow's UI."""
    instance = context.get("ti")
    if instance is None:
        return None
    path = f"/dags/{quote(instance.dag_id)}/runs/{quote(instance.run_id)}/tasks/{quote(instance.task_id)}"
    return read_base_url() + path


def read_base_url() -> str:
    from airflow.sdk.configuration import conf

    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")
