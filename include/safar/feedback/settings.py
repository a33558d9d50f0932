"""What can be set of feedback: key ``feedback`` in the extra of connection sendgrid."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safar.errors import ConfigurationError
from safar.workspace import Workspace

SENDGRID = "sendgrid"


class FeedbackSettings(BaseModel):
    """How patient we are with the provider, and how long traces of loads are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_hours: float = Field(default=24, gt=0)
    """How long a message of unknown fate waits for an event, in business time. The provider retries its posts
    for 24 hours."""
    planning_hours: float = Field(default=14, gt=0)
    """How long send decisions may wait to be planned: an approval takes up to 12 hours. Business time."""
    suppression_overlap_hours: float = Field(default=24, ge=0)
    """How far behind the newest suppression known the next fetch begins."""
    load_history_days: int = Field(default=30, ge=1)
    """How long dlt's own records of loads are kept, wall time."""

    @property
    def grace(self) -> timedelta:
        return timedelta(hours=self.grace_hours)

    @property
    def planning_time(self) -> timedelta:
        return timedelta(hours=self.planning_hours)

    @property
    def suppression_overlap(self) -> timedelta:
        return timedelta(hours=self.suppression_overlap_hours)


def read_feedback_settings(workspace: Workspace) -> FeedbackSettings:
    """Reads the settings; an installation without the connection has the defaults.

    Raises:
        ConfigurationError: an unknown key or a value out of range.
    """
    try:
        extra = workspace.connections.get(SENDGRID).extra
    except ConfigurationError:
        return FeedbackSettings()
    try:
        return FeedbackSettings.model_validate(extra.get("feedback", {}))
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(FeedbackSettings.model_fields)
        raise ConfigurationError(
            f"Connection {SENDGRID}, extra.feedback.{'.'.join(map(str, first['loc']))}: {first['msg']}. "
            f"Known keys: {known}."
        ) from error
