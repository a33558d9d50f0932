"""What holds at planning and at the second of sending, taken from the catalogue's defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
class DeliveryRules:
    """The guard rails that delivery reads."""

    zone: ZoneInfo
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    caps: tuple[FrequencyCap, ...] = ()
    default_locale: str = "en"

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
        )

    def next_open(self, class_: str, at: datetime) -> datetime:
        """The first moment from ``at`` on at which a message of this class may leave."""
        return at if class_ == "transactional" else self.quiet_hours.next_open(at, self.zone)


def limit_audience(catalogue: Catalogue, campaign: str) -> AudienceLimit:
    """The limit of one campaign: its own, or the default."""
    approval = catalogue.campaigns[campaign].approval
    return AudienceLimit(people=approval.people, growth=approval.growth)
