"""Raises alerts: each cause once, to every target, and again to those that were down. Never fails its caller."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import psycopg

from safar.alerting.alert import Alert, AlertKind
from safar.alerting.settings import AlertSettings, find_alert_connection, read_alert_settings
from safar.alerting.targets import TARGETS, Post
from safar.errors import ConfigurationError
from safar.workspace import Workspace

logger = logging.getLogger("safar.alerts")

RECORD = """
with raised as (
    insert into ledger.alert (kind, key, title, text, task_url)
    values (%(kind)s, %(key)s, %(title)s, %(text)s, %(task_url)s)
    on conflict (key) where closed_at is null do nothing
    returning alert_id
)

insert into ledger.alert_delivery (alert_id, target)
select raised.alert_id, target
from raised
cross join unnest(%(targets)s::text[]) as target
"""
# Held while it is sent, so that two processes do not both send it.
TAKE_UNDELIVERED = """
select delivery.alert_id, delivery.target, alert.kind, alert.key, alert.title, alert.text, alert.task_url
from ledger.alert_delivery as delivery
join ledger.alert as alert using (alert_id)
where
    delivery.delivered_at is null
    and delivery.target = any(%s)
    and (delivery.alert_id, delivery.target) > (%s, %s)
    and alert.recorded_at > clock_timestamp() - interval '3 days'
order by delivery.alert_id, delivery.target
limit 1
for update of delivery skip locked
"""
CLOSE = """
update ledger.alert set closed_at = clock_timestamp()
where kind = any(%s) and closed_at is null and not key = any(%s)
"""


def raise_alerts(workspace: Workspace, alerts: Iterable[Alert]) -> None:
    """Records the alerts that are new and tells every target, also of earlier alerts that a target has missed.

    When the ledger cannot be reached each alert is sent all the same, then without a memory of it. Whatever
    fails is logged and never raised: an alert must not change the fate of the task that raises it.
    """
    new = list(alerts)
    try:
        post = _open_post(workspace)
        try:
            _record(workspace, new, post.settings.targets)
            _deliver(workspace, post)
        except (psycopg.Error, ConfigurationError) as error:
            logger.warning("The ledger does not keep this alert (%s); it is sent without.", type(error).__name__)
            for alert in new:
                for target in post.settings.targets:
                    _send(post, target, alert)
    except Exception as error:
        logger.error("An alert could not be raised (%s).", type(error).__name__)


def close_alerts(workspace: Workspace, kinds: Sequence[AlertKind], still_true: Sequence[str] = ()) -> None:
    """Ends what is over, so that the same cause raises an alert again when it comes back; never raises."""
    try:
        with workspace.open_ledger() as connection:
            connection.execute(CLOSE, [[kind.value for kind in kinds], list(still_true)])
    except (psycopg.Error, ConfigurationError) as error:
        logger.warning("Alerts that are over stay open (%s).", type(error).__name__)


def _open_post(workspace: Workspace) -> Post:
    """A connection that is wrong must not swallow alerts: then they go to the log, beside the complaint."""
    connection = find_alert_connection(workspace)
    try:
        settings = read_alert_settings(connection)
    except ConfigurationError as error:
        logger.error("%s Alerts go to the log alone until then.", error)
        settings = AlertSettings()
    return Post.of(workspace.settings, connection, settings)


def _record(workspace: Workspace, alerts: Sequence[Alert], targets: Sequence[str]) -> None:
    with workspace.open_ledger() as connection:
        for alert in alerts:
            values = {"kind": alert.kind.value, "key": alert.key, "title": alert.title, "text": alert.text}
            connection.execute(RECORD, {**values, "task_url": alert.task_url, "targets": list(targets)})


def _deliver(workspace: Workspace, post: Post) -> None:
    last: tuple[int, str] = (0, "")
    with workspace.open_ledger() as connection:
        while True:
            row = connection.execute(TAKE_UNDELIVERED, [list(post.settings.targets), *last]).fetchone()
            if row is None:
                return
            last = (row[0], row[1])
            alert = Alert(AlertKind(row[2]), row[3], row[4], row[5], row[6])
            problem = _send(post, row[1], alert)
            connection.execute(
                "update ledger.alert_delivery set attempt_count = attempt_count + 1, problem = %s, "
                "delivered_at = case when %s::text is null then clock_timestamp() end "
                "where (alert_id, target) = (%s, %s)",
                [problem, problem, *last],
            )
            connection.commit()


def _send(post: Post, target: str, alert: Alert) -> str | None:
    """Sends to one target; returns what was wrong, by its type alone, for messages may quote a secret URL."""
    try:
        TARGETS[target](post, alert)
    except Exception as error:
        logger.warning("Alert target %s did not take %s (%s).", target, alert.kind.value, type(error).__name__)
        return type(error).__name__
    return None
