"""Analytics by campaign, creative and day: what is asked in the protocol's own syntax, and how a row tells it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.answers import Refused
from sandbox.company.ads import AdDay
from sandbox.linkedin.errors import refuse_parameter

MOST_ROWS = 15_000
MOST_METRICS = 20
USD_PER_EUR = 1.1
PARAMETER = re.compile(r"([A-Za-z]+)=([^&]*)")
DAY = r"\(year:(\d+),month:(\d+),day:(\d+)\)"
RANGE = re.compile(rf"\(start:{DAY},end:{DAY}\)")
ACCOUNTS = re.compile(r"List\(urn%3Ali%3AsponsoredAccount%3A(\d+)\)")

METRICS: dict[str, Callable[[AdDay], Any]] = {
    "impressions": lambda one: one.impressions,
    "clicks": lambda one: one.clicks,
    "costInLocalCurrency": lambda one: f"{one.spend_cents / 100:.2f}",
    "costInUsd": lambda one: f"{one.spend_cents / 100 * USD_PER_EUR:.2f}",
    "landingPageClicks": lambda one: one.landings,
    "externalWebsiteConversions": lambda one: one.purchases,
    "oneClickLeads": lambda one: one.cart_additions,
}
UNASKED = ("impressions", "clicks")
"""All that is told where no fields are asked for; not even the day."""


@dataclass(frozen=True)
class Analytics:
    """What was asked for."""

    account_id: str
    since: date
    until: date
    fields: tuple[str, ...]


def parse_analytics(query: str) -> Analytics:
    """Reads a query string as it came: brackets, colons and commas are syntax, and inside of a name they are encoded.

    Raises:
        Refused: LinkedIn would not take it, or it asks for what is not simulated.
    """
    given = dict(PARAMETER.findall(query))
    if (given.get("q"), given.get("pivots")) != ("statistics", "List(CAMPAIGN,CREATIVE)"):
        raise Refused(refuse_parameter("This account is simulated with q=statistics, pivots=List(CAMPAIGN,CREATIVE)"))
    if given.get("timeGranularity") != "DAILY":
        raise Refused(refuse_parameter("This account is simulated with timeGranularity=DAILY alone"))
    days, account = RANGE.fullmatch(given.get("dateRange", "")), ACCOUNTS.fullmatch(given.get("accounts", ""))
    if days is None:
        raise Refused(refuse_parameter("Invalid query parameter: dateRange"))
    if account is None:
        raise Refused(refuse_parameter("Invalid query parameter: accounts"))
    fields = tuple(given["fields"].split(",")) if "fields" in given else UNASKED
    metrics = [name for name in fields if name not in ("dateRange", "pivotValues")]
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or len(metrics) > MOST_METRICS:
        raise Refused(refuse_parameter(f"Invalid fields: {', '.join(unknown) or 'more than 20 metrics'}"))
    numbers = list(map(int, days.groups()))
    try:
        return Analytics(account[1], date(*numbers[:3]), date(*numbers[3:]), fields)
    except ValueError as error:
        raise Refused(refuse_parameter("Invalid query parameter: dateRange")) from error


def describe(one: AdDay, fields: tuple[str, ...]) -> dict[str, Any]:
    """The asked fields alone."""
    day = {"year": one.day.year, "month": one.day.month, "day": one.day.day}
    values: dict[str, Any] = {
        "dateRange": {"start": day, "end": dict(day)},
        "pivotValues": [f"urn:li:sponsoredCampaign:{one.ad.adset_id}", f"urn:li:sponsoredCreative:{one.ad.ad_id}"],
    }
    return {name: values[name] if name in values else METRICS[name](one) for name in fields}
