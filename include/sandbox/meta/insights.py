"""One day of one ad as the Insights API writes it: all figures are text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.company.ads import ACCOUNT_ID, ACCOUNT_NAME, Ad, AdDay, tell_day

CURRENCY = "EUR"


def _write_cents(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _divide(numerator: float, denominator: int) -> str | None:
    return None if denominator == 0 else f"{numerator / denominator:.6f}"


def _list_actions(one: AdDay) -> list[dict[str, str]] | None:
    counts = {
        "link_click": one.clicks,
        "landing_page_view": one.landings,
        "add_to_cart": one.cart_additions,
        "purchase": one.purchases,
    }
    return [{"action_type": kind, "value": str(count)} for kind, count in counts.items() if count] or None


def _list_values(one: AdDay) -> list[dict[str, str]] | None:
    if not one.purchases:
        return None
    return [{"action_type": "purchase", "value": _write_cents(one.purchase_value_cents)}]


FIELDS: dict[str, Callable[[AdDay], Any]] = {
    "account_id": lambda one: ACCOUNT_ID,
    "account_name": lambda one: ACCOUNT_NAME,
    "account_currency": lambda one: CURRENCY,
    "campaign_id": lambda one: one.ad.campaign_id,
    "campaign_name": lambda one: one.ad.campaign_name,
    "adset_id": lambda one: one.ad.adset_id,
    "adset_name": lambda one: one.ad.adset_name,
    "ad_id": lambda one: one.ad.ad_id,
    "ad_name": lambda one: one.ad.ad_name,
    "impressions": lambda one: str(one.impressions),
    "reach": lambda one: str(int(one.impressions * 0.8)),
    "clicks": lambda one: str(one.clicks),
    "spend": lambda one: _write_cents(one.spend_cents),
    "cpc": lambda one: _divide(one.spend_cents / 100, one.clicks),
    "cpm": lambda one: _divide(one.spend_cents * 10, one.impressions),
    "ctr": lambda one: _divide(one.clicks * 100, one.impressions),
    "actions": _list_actions,
    "action_values": _list_values,
    "date_start": lambda one: one.day.isoformat(),
    "date_stop": lambda one: one.day.isoformat(),
}
DEFAULT = ("account_id", "impressions", "spend")


def list_ad_days(seed: int, ads: tuple[Ad, ...], since: date, until: date, now: datetime) -> list[AdDay]:
    """All days of all ads with delivery, as told now, by day and ad."""
    days = [since + timedelta(days=count) for count in range((until - since).days + 1)]
    told = (tell_day(seed, ad, day, now) for day in days for ad in ads)
    return [one for one in told if one is not None]


def describe(one: AdDay, fields: tuple[str, ...]) -> dict[str, Any]:
    """The asked fields and the day; a field without a value is left out."""
    values = {name: FIELDS[name](one) for name in (*fields, "date_start", "date_stop")}
    return {name: value for name, value in values.items() if value is not None}
