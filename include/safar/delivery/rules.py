"""What holds at planning and at the second of sending, taken from the catalogue's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from safar.delivery.quiet_hours import QuietHours

if TYPE_CHECKING:
    from safar.catalogue import Catalogue


@dataclass(frozen=True)
class FrequencyCap:
    """At most ``messages`` of a channel and class to one person in any stretch of ``within``."""

    channel: str
    class_: str
    messages: int
    within: timedelta


@dataclass(frozen=True)
class AudienceLimit:
    """A human is asked above ``people``, or above the median of earlier runs by more than ``growth``."""

    people: int
    growth: Decimal


@dataclass(frozen=True)
class BreakerThresholds:
    """The shares of a channel's ``last_messages`` latest messages from which it is stopped, 0 to 1."""

    last_messages: int
    min_messages: int
    refusals: Decimal
    bounces: Decimal
    complaints_warn: Decimal
    complaints: Decimal


@dataclass(frozen=True)
class DeliveryRules:
    """The guard rails that delivery reads."""

    zone: ZoneInfo
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    caps: tuple[FrequencyCap, ...] = ()
    """Of every campaign that has none of its own."""
    campaign_caps: Mapping[str, tuple[FrequencyCap, ...]] = field(default_factory=dict)
    """By campaign: what its messages meet in the place of ``caps``."""
    default_locale: str = "en"
    first_live_messages: Mapping[str, int] = field(default_factory=dict)
    """How many messages may reach real people before the campaign is approved; none of one that is not listed."""
    breaker: BreakerThresholds | None = None
    """None: nobody watches."""

    @classmethod
    def from_catalogue(cls, catalogue: Catalogue) -> DeliveryRules:
        """Reads the defaults that hold for all campaigns."""
        defaults = catalogue.defaults
        return cls(
            zone=defaults.zone,
            quiet_hours=QuietHours(defaults.quiet_hours.from_, defaults.quiet_hours.until),
            caps=tuple(
                FrequencyCap(cap.channel, cap.class_, cap.messages, cap.within) for cap in defaults.frequency_caps
            ),
            default_locale=defaults.default_locale,
            first_live_messages={name: campaign.first_live_messages for name, campaign in catalogue.campaigns.items()},
            breaker=BreakerThresholds(**dict(defaults.circuit_breaker)),
            campaign_caps={
                name: tuple(
                    FrequencyCap(cap.channel, cap.class_, cap.messages, cap.within) for cap in campaign.frequency_caps
                )
                for name, campaign in catalogue.campaigns.items()
            },
        )

    def list_caps(self, campaign: str, channel: str, class_: str) -> list[FrequencyCap]:
        """What a message must meet at its last look; a transactional one meets nothing."""
        caps = self.campaign_caps.get(campaign, self.caps) if class_ == "marketing" else ()
        return [cap for cap in caps if (cap.channel, cap.class_) == (channel, class_)]


def limit_audience(catalogue: Catalogue, campaign: str) -> AudienceLimit:
    """The limit of one campaign: its own, or the default."""
    approval = catalogue.campaigns[campaign].approval
    return AudienceLimit(people=approval.people, growth=approval.growth)
