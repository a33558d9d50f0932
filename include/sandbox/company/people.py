"""Who the company's people are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Person:
    """One human, whichever vendors know them. The traits are the truth that Safar cannot read."""

    person_id: int
    first_name: str
    last_name: str
    email: str
    """The person's own address, normalised; records may spell it otherwise."""
    locale: str
    """en, de, fa, ar or fr."""
    country_code: str
    time_zone: str
    birthday: str | None
    joined_at: datetime
    open_rate: float
    """Chance that the person opens a wanted mail, 0 to 1."""
    click_rate: float
    """Chance that an opened mail is clicked, 0 to 1."""
    persuadability: float
    """How strongly a mail moves the person to buy, 0 to 1; half of the people hardly at all."""
    has_mailbox: bool
    """False when mail to the address bounces for good."""


@dataclass(frozen=True)
class Standing:
    """What is true of a person's buying at one moment."""

    orders_count: int
    last_order_at: datetime | None
    interval_days: float
    """The person's own usual days between two orders."""
    is_active: bool
    """False once the person has silently gone."""
    open_cart_at: datetime | None
    """When the newest cart that is neither bought nor older than 14 days was left."""
