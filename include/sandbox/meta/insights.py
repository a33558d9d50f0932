"""One day of one ad as the Insights API writes it: all figures are text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.company.ad_accounts import META
from sandbox.company.ads import AdDay


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
    "account_id": lambda one: META.account_id,
    "account_name": lambda one: META.name,
    "account_currency": lambda one: META.currency,
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


def describe(one: AdDay, fields: tuple[str, ...]) -> dict[str, Any]:
    """The asked fields and the day; a field without a value is left out."""
    values = {name: FIELDS[name](one) for name in (*fields, "date_start", "date_stop")}
    return {name: value for name, value in values.items() if value is not None}
