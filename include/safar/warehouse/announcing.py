"""Tells which campaigns a run has blocked, each once until it has been free again."""

from __future__ import annotations

import logging

import psycopg

from safar.alerting import Alert, AlertKind, raise_alerts
from safar.warehouse.gate import list_newly_blocked, mark_announced
from safar.warehouse.pin import Pin
from safar.workspace import Workspace

logger = logging.getLogger(__name__)


def announce_blocked(workspace: Workspace, pin: Pin, task_url: str | None = None) -> None:
    """Raises one alert per campaign that this run blocks and of which nobody was told; never fails the gate."""
    try:
        blocked = list_newly_blocked(workspace, pin)
        raise_alerts(workspace, [_describe(pin, name, reason, task_url) for name, reason in blocked.items()])
        mark_announced(workspace, pin, blocked)
    except psycopg.Error as error:
        logger.warning("Blocked campaigns are not announced (%s).", type(error).__name__)


def _describe(pin: Pin, campaign: str, reason: str, task_url: str | None) -> Alert:
    return Alert(
        AlertKind.CAMPAIGN_BLOCKED,
        f"campaign_blocked:{pin.run_id}:{campaign}",
        f"{campaign} is blocked in {pin.run_id}",
        f"Nobody was decided on for it, and nobody is written to. {reason}",
        task_url,
    )
