"""The integrated report by ad and day: what may be asked, and how a row tells it. All figures are text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.answers import Refused
from sandbox.company.ads import AdDay
from sandbox.tiktok.errors import refuse

MOST_DAYS = 30
MOST_ROWS = 1000

METRICS: dict[str, Callable[[AdDay], str]] = {
    "campaign_id": lambda one: one.ad.campaign_id,
    "campaign_name": lambda one: one.ad.campaign_name,
    "adgroup_id": lambda one: one.ad.adset_id,
    "adgroup_name": lambda one: one.ad.adset_name,
    "ad_name": lambda one: one.ad.ad_name,
    "currency": lambda one: one.ad.account.currency,
    "spend": lambda one: f"{one.spend_cents / 100:.2f}",
    "impressions": lambda one: str(one.impressions),
    "clicks": lambda one: str(one.clicks),
    "conversion": lambda one: str(one.cart_additions),
    "app_install": lambda one: str(one.cart_additions),
}
DIMENSIONS = {"ad_id", "stat_time_day"}


@dataclass(frozen=True)
class Report:
    """A report that was asked for rightly."""

    metrics: tuple[str, ...]
    since: date
    until: date
    page: int
    page_size: int


def parse_report(query: Mapping[str, str]) -> Report:
    """Reads a report's parameters.

    Raises:
        Refused: TikTok would not take them, or they ask for what is not simulated.
    """
    if query.get("report_type") != "BASIC" or query.get("data_level") != "AUCTION_AD":
        raise Refused(
            refuse(40002, "This advertiser is simulated with report_type BASIC, data_level AUCTION_AD alone.")
        )
    if set(_read_list(query, "dimensions")) != DIMENSIONS:
        raise Refused(refuse(40002, "dimensions: this advertiser is simulated by ad_id and stat_time_day alone."))
    metrics = tuple(_read_list(query, "metrics"))
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise Refused(refuse(40002, f"Invalid metric fields: {unknown}"))
    since, until = _read_day(query, "start_date"), _read_day(query, "end_date")
    if since > until:
        raise Refused(refuse(40002, "start_date: must not be after end_date."))
    if (until - since).days >= MOST_DAYS:
        raise Refused(refuse(40002, "The time span must not exceed 30 days when stat_time_day is a dimension."))
    page, size = _read_number(query, "page", 1), _read_number(query, "page_size", 10)
    if size > MOST_ROWS:
        raise Refused(refuse(40002, "page_size: must be between 1 and 1000."))
    return Report(metrics, since, until, page, size)


def describe(one: AdDay, report: Report) -> dict[str, Any]:
    return {
        "dimensions": {"ad_id": one.ad.ad_id, "stat_time_day": f"{one.day.isoformat()} 00:00:00"},
        "metrics": {name: METRICS[name](one) for name in report.metrics},
    }


def _read_list(query: Mapping[str, str], name: str) -> list[str]:
    try:
        found = json.loads(query[name])
    except KeyError as error:
        raise Refused(refuse(40002, f"{name}: Missing data for required field.")) from error
    except ValueError as error:
        raise Refused(refuse(40002, f"{name}: Not a valid list.")) from error
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def _read_day(query: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(query.get(name, ""))
    except ValueError as error:
        raise Refused(refuse(40002, f"{name}: Not a valid date, write YYYY-MM-DD.")) from error


def _read_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise Refused(refuse(40002, f"{name}: Not a valid integer above 0."))
    return int(text)
