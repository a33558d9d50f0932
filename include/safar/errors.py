"""Errors that a user can act on."""

from __future__ import annotations

from typing import ClassVar


class SafarError(Exception):
    """A failure whose message says what happened and what to do about it.

    The command line prints the message without a traceback; an Airflow task fails with it.
    """

    alert_kind: ClassVar[str | None] = "task_failed"
    """Which alert (see `safar.alerting`) a failure with it raises; None when its causes raise their own."""


class ConfigurationError(SafarError):
    """A file, a setting or a connection is wrong; the message names it, the field and the remedy."""


class ConnectionMissing(ConfigurationError):
    """Nobody has created this connection; the message says where to."""
