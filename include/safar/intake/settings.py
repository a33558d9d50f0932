"""What can be set of the intake: keys of connection safar_intake's extra."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safar.errors import ConfigurationError
from safar.workspace import INTAKE, Workspace


class IntakeSettings(BaseModel):
    """Limits of the public web process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    late_after_hours: float = Field(default=48, gt=0)
    """An event that took longer than this to reach us is kept and marked late."""
    link_lifetime_days: int = Field(default=731, gt=0)
    """How long after the planning of its message an unsubscribe link works: two years."""
    body_limit_bytes: int = Field(default=8_000_000, ge=1000)
    """A larger post of events is refused with 413."""
    ledger_connections: int = Field(default=8, ge=1, le=100)
    """How many connections to the ledger are held at most."""

    @property
    def late_after(self) -> timedelta:
        return timedelta(hours=self.late_after_hours)

    @property
    def link_lifetime(self) -> timedelta:
        return timedelta(days=self.link_lifetime_days)


def read_intake_settings(workspace: Workspace) -> IntakeSettings:
    """Reads the extra of connection safar_intake.

    Raises:
        ConfigurationError: an unknown key or a value out of range.
    """
    try:
        return IntakeSettings.model_validate(workspace.connections.get(INTAKE).extra)
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(IntakeSettings.model_fields)
        raise ConfigurationError(
            f"Connection {INTAKE}, extra.{'.'.join(map(str, first['loc']))}: {first['msg']}. Known keys: {known}."
        ) from error
