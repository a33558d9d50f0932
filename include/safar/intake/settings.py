"""What can be set of the intake: keys of connection safar_intake's extra."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from safar.errors import ConfigurationError
from safar.intake.write_keys import WriteKey, require_hashes, require_one_kind_per_name
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
    form_limit_bytes: int = Field(default=10_000, ge=100)
    """A larger form of a page is refused with 413."""
    network_burst: int = Field(default=60, ge=1)
    """How many requests at once one network (IPv4 /24, IPv6 /64), or the holders of one valid link, may make."""
    network_per_minute: float = Field(default=60, gt=0)
    """How many more every minute."""
    total_burst: int = Field(default=2_000, ge=1)
    """How many requests at once all of them may make together, signed posts of the provider not counted."""
    total_per_minute: float = Field(default=30_000, gt=0)
    """How many more every minute."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses or networks of our own proxies, whose X-Forwarded-For says who asks."""
    confirmation_hours: float = Field(default=48, gt=0)
    """How long after it was asked for a permission can be confirmed; business time."""
    opt_ins_per_address: int = Field(default=3, ge=0)
    """How many confirmation mails one address gets in a day."""
    opt_ins_per_network: int = Field(default=20, ge=0)
    """How many confirmation mails one network may ask for in a day."""
    write_keys: dict[str, WriteKey] = Field(default_factory=dict)
    """Who may post app and web events, by the sha256 of the write key; without any nobody may."""
    event_body_limit_bytes: int = Field(default=512_000, ge=1000)
    """A larger post of app and web events is refused with 413, also when it is only large once unpacked."""
    event_network_burst: int = Field(default=600, ge=1)
    """How many posts of app and web events at once one network may make; server keys are not counted."""
    event_network_per_minute: float = Field(default=600, gt=0)
    """How many more every minute."""

    @field_validator("write_keys", mode="before")
    @classmethod
    def _are_hashed(cls, declared: Any) -> Any:
        if isinstance(declared, Mapping):
            require_hashes(declared)
        return declared

    @field_validator("write_keys")
    @classmethod
    def _are_told_apart(cls, keys: dict[str, WriteKey]) -> dict[str, WriteKey]:
        require_one_kind_per_name(keys)
        return keys

    @property
    def late_after(self) -> timedelta:
        return timedelta(hours=self.late_after_hours)

    @property
    def link_lifetime(self) -> timedelta:
        return timedelta(days=self.link_lifetime_days)

    @property
    def confirmation_lifetime(self) -> timedelta:
        return timedelta(hours=self.confirmation_hours)


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
