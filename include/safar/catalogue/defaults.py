"""What holds for every campaign: the ``vars:`` of dbt_project.yml that Python reads too."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from safar.catalogue.duration import Duration
from safar.catalogue.marked_yaml import read_marked_yaml
from safar.catalogue.share import Growth, Share

Cadence = Literal["nightly", "intraday"]
Channel = Literal["email", "push", "sms", "in_app"]
CampaignClass = Literal["marketing", "transactional"]

FROZEN = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

# Where clocks are put back, a quiet night lasts an hour longer than the clock face says.
CLOCK_CHANGE = timedelta(hours=1)


class QuietHours(BaseModel):
    """The stretch of a recipient's day in which no marketing arrives; it may run over midnight."""

    model_config = FROZEN

    from_: time = Field(alias="from")
    until: time

    @property
    def longest(self) -> timedelta:
        """How long a message can be held back, in the night in which clocks are put back."""
        start = timedelta(hours=self.from_.hour, minutes=self.from_.minute)
        end = timedelta(hours=self.until.hour, minutes=self.until.minute)
        length = (end - start) % timedelta(days=1)
        return length + CLOCK_CHANGE if length else length


class FrequencyCap(BaseModel):
    """At most ``messages`` of this channel and class to one person within any stretch of ``within``."""

    model_config = FROZEN

    channel: Channel
    class_: CampaignClass = Field(alias="class")
    messages: int = Field(ge=0)
    within: Duration

    @field_validator("class_")
    @classmethod
    def _be_marketing(cls, class_: CampaignClass) -> CampaignClass:
        if class_ == "transactional":
            raise ValueError("a transactional message is never held back by a cap; remove the entry")
        return class_


class Approval(BaseModel):
    """When a person is asked: above ``people``, or above the usual size by more than ``growth``."""

    model_config = FROZEN

    people: int = Field(ge=0)
    growth: Growth


class CircuitBreaker(BaseModel):
    """The shares of the latest messages of a channel from which it is stopped by itself."""

    model_config = FROZEN

    last_messages: int = Field(ge=1)
    """How many of a channel's latest messages are looked at."""
    min_messages: int = Field(ge=1)
    """With fewer than that, no share says anything."""
    refusals: Share
    bounces: Share
    complaints_warn: Share
    complaints: Share

    @model_validator(mode="after")
    def _be_reachable(self) -> Self:
        if self.min_messages > self.last_messages:
            raise ValueError("min_messages is above last_messages, so no share would ever count; lower it")
        if self.complaints_warn > self.complaints:
            raise ValueError("complaints_warn is above complaints, so nobody would be warned; lower it")
        return self


class Defaults(BaseModel):
    """The company and the guard rails that hold where a campaign says nothing else."""

    # dbt has vars of its own that only SQL reads.
    model_config = ConfigDict(frozen=True, extra="ignore")

    time_zone: str
    currency: str
    default_locale: str
    cadence_interval: dict[Cadence, Duration]
    quiet_hours: QuietHours
    frequency_caps: tuple[FrequencyCap, ...]
    max_source_age: Duration
    approval: Approval
    first_live_messages: int = Field(ge=0)
    circuit_breaker: CircuitBreaker
    universal_control: Share
    holdout_salt: str
    attribution_window: Duration

    @field_validator("time_zone")
    @classmethod
    def _know_time_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no IANA time zone; write it like 'Europe/Berlin'")
        return name

    @field_validator("cadence_interval")
    @classmethod
    def _name_both_cadences(cls, intervals: dict[Cadence, timedelta]) -> dict[Cadence, timedelta]:
        if set(intervals) != {"nightly", "intraday"}:
            raise ValueError("give both an interval, like {nightly: 24 hours, intraday: 1 hour}")
        return intervals

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def read_defaults(dbt_project: Path) -> Defaults:
    """Reads the vars of dbt_project.yml.

    Raises:
        ConfigurationError: one is missing or wrong; the message names file, line and remedy.
    """
    document = read_marked_yaml(dbt_project / "dbt_project.yml")
    return document.validate(Defaults, (document.data or {}).get("vars") or {}, ("vars",))
