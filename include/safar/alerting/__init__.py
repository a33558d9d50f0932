"""Tells people that something is wrong: what happened, where to look, what is safe to do."""

from safar.alerting.alert import Alert, AlertKind, describe_failure
from safar.alerting.notifying import close_alerts, raise_alerts
from safar.alerting.settings import ALERTS, AlertSettings, read_alert_settings
from safar.alerting.watching import watch_ledger

__all__ = [
    "ALERTS",
    "Alert",
    "AlertKind",
    "AlertSettings",
    "close_alerts",
    "describe_failure",
    "raise_alerts",
    "read_alert_settings",
    "watch_ledger",
]
