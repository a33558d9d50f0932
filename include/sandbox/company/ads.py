"""The company's advertisements and what they did on a day, as their platform tells it some days later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from sandbox.company.ad_accounts import META, AdAccount

AD_STREAM, AD_DAY_STREAM = 6, 7
SETTLED_AFTER_DAYS = 28
"""When a day's figures move no more."""


@dataclass(frozen=True)
class Ad:
    """One ad with its place in the account and its habits."""

    ad_id: str
    ad_name: str
    adset_id: str
    adset_name: str
    campaign_id: str
    campaign_name: str
    number: int
    runs_from: date
    runs_until: date
    rests_on_weekday: int
    """Monday is 0; 7 never rests."""
    impressions: float
    click_rate: float
    click_price: float
    """In the account's currency."""
    purchase_rate: float
    account: AdAccount = field(default=META, compare=False)


@dataclass(frozen=True)
class AdDay:
    """What one ad did on one day of the account's zone."""

    ad: Ad
    day: date
    impressions: int
    clicks: int
    spend_cents: int
    landings: int
    cart_additions: int
    purchases: int
    purchase_value_cents: int


def make_ads(seed: int, first_day: date, account: AdAccount = META) -> tuple[Ad, ...]:
    """Makes an account's ads; some begin or end within the company's two years, most go on."""
    return tuple(
        _make_ad(seed, first_day, account, campaign, adset, creative)
        for campaign in range(len(account.campaigns))
        for adset in range(len(account.adsets))
        for creative in range(len(account.creatives))
    )


def _make_ad(seed: int, first_day: date, account: AdAccount, campaign: int, adset: int, creative: int) -> Ad:
    group = campaign * len(account.adsets) + adset
    place = group * len(account.creatives) + creative
    number, base = account.first_number + place, account.first_id
    random = np.random.default_rng([seed, AD_STREAM, number])
    starts = first_day + timedelta(days=int(random.integers(0, 500)) if creative else 0)
    runs_days = int(random.integers(60, 400)) if creative == 2 else 5000
    campaign_name = account.campaigns[campaign]
    adset_name = f"{campaign_name} {account.adsets[adset]}"
    return Ad(
        account=account,
        ad_id=str(base + 3_000_000 + place),
        ad_name=f"{adset_name} {account.creatives[creative]}",
        adset_id=str(base + 2_000_000 + group),
        adset_name=adset_name,
        campaign_id=str(base + 1_000_000 + campaign),
        campaign_name=campaign_name,
        number=number,
        runs_from=starts,
        runs_until=starts + timedelta(days=runs_days),
        rests_on_weekday=int(random.integers(0, 14)) % 8,
        impressions=float(random.lognormal(7.2, 0.7)),
        click_rate=float(random.uniform(0.006, 0.03)),
        click_price=float(random.uniform(0.2, 0.9)),
        purchase_rate=float(random.uniform(0.01, 0.06)),
    )


@lru_cache(maxsize=200_000)
def _settle(seed: int, ad: Ad, day: date) -> AdDay | None:
    """The figures a day ends up with, or None when the ad was not shown."""
    if not ad.runs_from <= day <= ad.runs_until or day.weekday() == ad.rests_on_weekday:
        return None
    random = np.random.default_rng([seed, AD_DAY_STREAM, ad.number, day.toordinal()])
    impressions = int(random.poisson(ad.impressions))
    clicks = int(random.binomial(impressions, ad.click_rate))
    purchases = int(random.binomial(clicks, ad.purchase_rate))
    return AdDay(
        ad=ad,
        day=day,
        impressions=impressions,
        clicks=clicks,
        spend_cents=round(clicks * ad.click_price * 100 * float(random.uniform(0.9, 1.1))),
        landings=int(clicks * 0.85),
        cart_additions=int(random.binomial(clicks, min(1.0, ad.purchase_rate * 4))),
        purchases=purchases,
        purchase_value_cents=int(random.integers(2000, 9000, purchases).sum()),
    )


def tell_day(seed: int, ad: Ad, day: date, now: datetime) -> AdDay | None:
    """What the platform says about a day at a moment; None when the ad was not shown.

    The running day grows by the hour. Afterwards clicks found to be invalid are taken off, and purchases
    are credited to the click that led to them, until the day is 28 days old.
    """
    settled = _settle(seed, ad, day)
    began = datetime.combine(day, time(), ad.account.zone)
    hours = int((now - began).total_seconds() // 3600)
    if settled is None or hours <= 0:
        return None
    shown = min(hours / 24, 1.0)
    age = min(max(hours // 24 - 1, 0), SETTLED_AFTER_DAYS)
    surplus = 0.0 if age == SETTLED_AFTER_DAYS else 0.03 * np.exp(-age / 4)
    credited = 1.0 if age == SETTLED_AFTER_DAYS else 1 - 0.4 * np.exp(-age / 7)
    purchases = int(settled.purchases * shown * credited)
    impressions = int(settled.impressions * shown * (1 + surplus / 3))
    if impressions == 0:
        return None
    return AdDay(
        ad=ad,
        day=day,
        impressions=impressions,
        clicks=int(settled.clicks * shown * (1 + surplus)),
        spend_cents=int(settled.spend_cents * shown * (1 + surplus)),
        landings=int(settled.landings * shown),
        cart_additions=int(settled.cart_additions * shown * credited),
        purchases=purchases,
        purchase_value_cents=settled.purchase_value_cents * purchases // max(settled.purchases, 1),
    )


def list_ad_days(seed: int, ads: tuple[Ad, ...], since: date, until: date, now: datetime) -> list[AdDay]:
    """All days of all ads with delivery, as told now, by day and ad."""
    days = [since + timedelta(days=count) for count in range((until - since).days + 1)]
    told = (tell_day(seed, ad, day, now) for day in days for ad in ads)
    return [one for one in told if one is not None]
