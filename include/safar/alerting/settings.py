"""Where alerts go and from when on they are raised: connection safar_alerts.

Its host, port, login and password are the mail server's; everything else stands in its extra.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.workspace import Workspace

ALERTS = "safar_alerts"
TargetName = Literal["log", "email", "webhook"]


class AlertSettings(BaseModel):
    """Keys of the extra of connection safar_alerts. Without the connection, alerts go to the log alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: tuple[TargetName, ...] = ("log",)
    """Who is told: the log, a mail server, a chat's incoming webhook. Each alert goes to all of them."""
    recipients: tuple[str, ...] = ()
    """Who gets the mails."""
    sender: str = ""
    """From whom the mails come."""
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    """How the mail server is spoken to."""
    webhook_secret_url: SecretStr | None = None
    """A Slack-compatible chat's incoming webhook. The URL is its own password: Airflow masks a key of this name."""
    runbook_url: str = "docs/runbook.md"
    """Where this installation's runbook is read; an alert adds the anchor of its kind."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts in a private network that the webhook may reach."""
    unknown_limit: int = Field(default=100, ge=0)
    """More messages of unknown fate than this raise an alert."""
    silent_hours: float = Field(default=6, gt=0)
    """How long no provider event may come in after a message was accepted, wall time."""

    @property
    def silence(self) -> timedelta:
        return timedelta(hours=self.silent_hours)

    @model_validator(mode="after")
    def _require_what_targets_need(self) -> AlertSettings:
        if "email" in self.targets and not (self.recipients and self.sender):
            raise ValueError("target email needs recipients and sender")
        if "webhook" in self.targets and self.webhook_secret_url is None:
            raise ValueError("target webhook needs webhook_secret_url")
        return self


def find_alert_connection(workspace: Workspace) -> Connection:
    """The connection, or an empty one when there is none."""
    try:
        return workspace.connections.get(ALERTS)
    except ConfigurationError:
        return Connection.model_validate({"conn_id": ALERTS})


def read_alert_settings(connection: Connection) -> AlertSettings:
    """Reads the connection's extra.

    Raises:
        ConfigurationError: an unknown key, or a target that lacks what it needs; no value is repeated.
    """
    try:
        return AlertSettings.model_validate(connection.extra)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(["extra", *map(str, first["loc"])])
        raise ConfigurationError(
            f"Connection {ALERTS}, {name}: {first['msg']}. Known keys: {', '.join(AlertSettings.model_fields)}."
        ) from None
