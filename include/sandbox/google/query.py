"""The part of Google's query language that asks for ads by day, and how a row answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.answers import Refused
from sandbox.company.ads import AdDay
from sandbox.google.errors import refuse_query

QUERY = re.compile(r"\s*select\s+(.+?)\s+from\s+(\w+)(?:\s+where\s+(.+?))?\s*", re.IGNORECASE | re.DOTALL)
MAX = re.compile(r"campaign\.advertising_channel_type\s*=\s*'PERFORMANCE_MAX'", re.IGNORECASE)
DAYS = re.compile(r"segments\.date\s+between\s+'([^']*)'\s+and\s+'([^']*)'", re.IGNORECASE)
MICROS_PER_CENT = 10_000
CREDITED = 0.95
"""Attribution by data divides a purchase among clicks, so conversions are no whole numbers."""

FIELDS: dict[str, Callable[[AdDay], Any]] = {
    "customer.id": lambda one: one.ad.account.account_id,
    "customer.descriptive_name": lambda one: one.ad.account.name,
    "customer.currency_code": lambda one: one.ad.account.currency,
    "customer.time_zone": lambda one: one.ad.account.zone.key,
    "campaign.id": lambda one: one.ad.campaign_id,
    "campaign.name": lambda one: one.ad.campaign_name,
    "ad_group.id": lambda one: one.ad.adset_id,
    "ad_group.name": lambda one: one.ad.adset_name,
    "ad_group_ad.ad.id": lambda one: one.ad.ad_id,
    "ad_group_ad.ad.name": lambda one: one.ad.ad_name,
    "metrics.impressions": lambda one: str(one.impressions),
    "metrics.clicks": lambda one: str(one.clicks),
    "metrics.cost_micros": lambda one: str(one.spend_cents * MICROS_PER_CENT),
    "metrics.conversions": lambda one: round(one.purchases * CREDITED, 6),
    "metrics.conversions_value": lambda one: round(one.purchase_value_cents / 100 * CREDITED, 6),
    "segments.date": lambda one: one.day.isoformat(),
}
NAMES: dict[str, Callable[[AdDay], str]] = {
    "customer": lambda one: "",
    "campaign": lambda one: f"/campaigns/{one.ad.campaign_id}",
    "ad_group": lambda one: f"/adGroups/{one.ad.adset_id}",
    "ad_group_ad": lambda one: f"/adGroupAds/{one.ad.adset_id}~{one.ad.ad_id}",
    "ad_group_ad.ad": lambda one: f"/ads/{one.ad.ad_id}",
}
"""Resources are sent with their name whenever a field of theirs is."""
PARTS = {"ad_group_ad": ("ad_group", "ad_group_ad"), "campaign": ()}
"""Resource that is asked for -> those below a campaign that it knows."""


@dataclass(frozen=True)
class AdQuery:
    """A query that was understood."""

    resource: str
    fields: tuple[str, ...]
    since: date
    until: date

    @property
    def field_mask(self) -> str:
        return ",".join(_camel(name) for name in self.fields)


def parse_query(text: str) -> AdQuery:
    """Reads a query for ads by day.

    Raises:
        Refused: Google would not take it, or it asks for what is not simulated.
    """
    matched = QUERY.fullmatch(text)
    if matched is None:
        raise Refused(refuse_query("UNEXPECTED_FROM_CLAUSE", "write SELECT fields FROM ad_group_ad WHERE conditions."))
    fields = tuple(name.strip().lower() for name in matched[1].split(","))
    resource, conditions = matched[2].lower(), matched[3] or ""
    if resource not in PARTS or (resource == "campaign") != bool(MAX.search(conditions)):
        message = "simulated are ad_group_ad, and campaign where advertising_channel_type = 'PERFORMANCE_MAX'."
        raise Refused(refuse_query("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", message))
    _require_fields(fields, resource)
    days = DAYS.search(conditions)
    if days is None:
        raise Refused(refuse_query("EXPECTED_FILTERS_ON_DATE_RANGE", "segments.date needs a finite range."))
    try:
        return AdQuery(resource, fields, date.fromisoformat(days[1]), date.fromisoformat(days[2]))
    except ValueError as error:
        raise Refused(refuse_query("INVALID_VALUE_WITH_BETWEEN_OPERATOR", "write days as YYYY-MM-DD.")) from error


def _require_fields(fields: tuple[str, ...], resource: str) -> None:
    for name in fields:
        if name not in FIELDS:
            raise Refused(refuse_query("UNRECOGNIZED_FIELD", f"unrecognized field in the query: '{name}'."))
        part = name.split(".", 1)[0]
        if part.startswith("ad_group") and part not in PARTS[resource]:
            raise Refused(refuse_query("PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE", f"'{name}' is below {resource}."))


def describe(one: AdDay, query: AdQuery) -> dict[str, Any]:
    """The row with what was asked for: names in camel case, whole numbers of 64 bits as text."""
    row: dict[str, Any] = {}
    for name in query.fields:
        *path, last = name.split(".")
        place = row
        for depth, part in enumerate(path, 1):
            place = place.setdefault(_camel(part), {})
            resource = ".".join(path[:depth])
            if resource in NAMES:
                place["resourceName"] = f"customers/{one.ad.account.account_id}{NAMES[resource](one)}"
        place[_camel(last)] = FIELDS[name](one)
    return row


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
