"""Looks at the ledger for what nobody's task fails of: open breakers, unknown fates, silence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg

from safar.alerting.alert import Alert, AlertKind
from safar.alerting.notifying import close_alerts, raise_alerts
from safar.alerting.settings import AlertSettings, find_alert_connection, read_alert_settings
from safar.errors import SafarError
from safar.workspace import Workspace

logger = logging.getLogger("safar.alerts")

# Kinds that are true or not at a moment; the others are events, which stay told.
PASSING = (AlertKind.UNKNOWN_MESSAGES, AlertKind.WEBHOOK_SILENT, AlertKind.PROVIDER_UNREACHABLE)

OPENED = """
select stop_id, channel, reason
from ledger.stop
where created_by = 'circuit breaker' and lifted_at is null
order by stop_id
"""
UNKNOWN = "select count(*) from ledger.message where is_unknown"
# The first acceptance since the provider last told us anything, within the days that a webhook is repaired in.
UNANSWERED = """
select min(transition.recorded_at)
from ledger.message_transition as transition
where
    transition.to_state = 'accepted'
    and transition.recorded_at > clock_timestamp() - interval '3 days'
    and transition.recorded_at > coalesce((select max(recorded_at) from ledger.provider_event), '-infinity')
"""
# No task fails when a provider asks us to come later, or is not there: what is planned waits, and in the end expires.
TURNED_AWAY = """
select provider, count(*), min(recorded_at)
from ledger.provider_call as call
where
    answer in ('try_later', 'no_answer')
    and recorded_at > clock_timestamp() - interval '3 days'
    and not exists (
        select from ledger.provider_call as taken
        where taken.provider = call.provider and taken.call_id > call.call_id and taken.accepted_count > 0
    )
group by provider
having count(*) >= 5 and max(recorded_at) - min(recorded_at) > interval '1 hour'
order by provider
"""
IS_OVERDUE = "select clock_timestamp() - %s > %s"


def watch_ledger(workspace: Workspace, task_url: str | None = None) -> None:
    """Raises an alert for each thing that is wrong now and was not told before; never raises itself.

    Args:
        task_url: the task in Airflow's UI that looks, for the alert's link.
    """
    try:
        settings = read_alert_settings(find_alert_connection(workspace))
    except SafarError:
        settings = AlertSettings()
    try:
        with workspace.open_ledger() as connection:
            alerts = list(_find_alerts(connection, settings, task_url))
    except (psycopg.Error, SafarError) as error:
        logger.warning("The ledger could not be watched (%s).", type(error).__name__)
        return
    close_alerts(workspace, PASSING, [alert.key for alert in alerts])
    raise_alerts(workspace, alerts)


def _find_alerts(connection: psycopg.Connection[Any], settings: AlertSettings, task_url: str | None) -> Iterator[Alert]:
    for stop_id, channel, reason in connection.execute(OPENED).fetchall():
        yield Alert(
            AlertKind.CIRCUIT_OPENED,
            f"circuit_opened:{stop_id}",
            f"Channel {channel} is stopped by its circuit breaker",
            reason,
            task_url,
        )
    unknown = _read_value(connection, UNKNOWN)
    if unknown > settings.unknown_limit:
        yield Alert(
            AlertKind.UNKNOWN_MESSAGES,
            "unknown_messages",
            f"{unknown} messages of unknown fate",
            f"Their calls had no answer. The limit is {settings.unknown_limit}.",
            task_url,
        )
    since: datetime | None = _read_value(connection, UNANSWERED)
    if since is not None and _read_value(connection, IS_OVERDUE, since, settings.silence):
        yield Alert(
            AlertKind.WEBHOOK_SILENT,
            "webhook_silent",
            "The provider's webhook is silent",
            f"Messages have been accepted since {since:%Y-%m-%d %H:%M} UTC, and no event about any has come in.",
            task_url,
        )
    for provider, call_count, began_at in connection.execute(TURNED_AWAY).fetchall():
        yield Alert(
            AlertKind.PROVIDER_UNREACHABLE,
            f"provider_unreachable:{provider}",
            f"{provider} takes nothing",
            f"{call_count} calls since {began_at:%Y-%m-%d %H:%M} UTC were put off or had no answer, and none was "
            "accepted. What is planned waits, and expires when it is too old.",
            task_url,
        )


def _read_value(connection: psycopg.Connection[Any], statement: str, *values: object) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
