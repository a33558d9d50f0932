"""LinkedIn's analytics as the sandbox speaks it: a syntax of its own, asked fields alone, a silent end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.company.ad_accounts import LINKEDIN
from sandbox.company.ads import list_ad_days, make_ads

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ADS = make_ads(1, NOW.date() - timedelta(days=730), LINKEDIN)
HEADERS = {
    "Authorization": "Bearer linkedin-sandbox",
    "LinkedIn-Version": "202609",
    "X-Restli-Protocol-Version": "2.0.0",
}
ANALYTICS = (
    "/adAnalytics?q=statistics&pivots=List(CAMPAIGN,CREATIVE)&timeGranularity=DAILY"
    "&dateRange=(start:(year:2026,month:2,day:1),end:(year:2026,month:2,day:28))"
    "&accounts=List(urn%3Ali%3AsponsoredAccount%3A502840441)&fields=dateRange,pivotValues,impressions,costInLocalCurrency"
)
ACCOUNT = "/adAccounts/502840441"


def ask(sandbox: Any, path: str, **headers: str | None) -> requests.Response:
    return requests.get(f"{sandbox.root}/linkedin/rest{path}", headers={**HEADERS, **headers}, timeout=30)


def test_analytics_tell_the_asked_fields_of_each_day(sandbox: Any) -> None:
    rows = ask(sandbox, ANALYTICS).json()["elements"]
    truth = list_ad_days(1, ADS, date(2026, 2, 1), date(2026, 2, 28), NOW)
    assert [row["pivotValues"] for row in rows] == [
        [f"urn:li:sponsoredCampaign:{one.ad.adset_id}", f"urn:li:sponsoredCreative:{one.ad.ad_id}"] for one in truth
    ]
    assert rows[0]["dateRange"]["start"] == {"year": 2026, "month": 2, "day": 1}
    assert rows[0].keys() == {"dateRange", "pivotValues", "impressions", "costInLocalCurrency"}
    assert f"{sum(float(row['costInLocalCurrency']) for row in rows):.2f}" == (
        f"{sum(one.spend_cents for one in truth) / 100:.2f}"
    )


def test_without_fields_not_even_the_day_is_told(sandbox: Any) -> None:
    rows = ask(sandbox, ANALYTICS.partition("&fields")[0]).json()["elements"]
    assert rows[0].keys() == {"impressions", "clicks"}


def test_an_answer_ends_without_a_word(sandbox: Any) -> None:
    sandbox.break_with("row_cap", vendor="linkedin", rows=17)
    answer = ask(sandbox, ANALYTICS)
    assert answer.status_code == 200
    assert len(answer.json()["elements"]) == 17
    assert answer.json()["paging"]["links"] == []
    assert len(ask(sandbox, ANALYTICS).json()["elements"]) > 100


def test_nothing_is_told_of_an_account_of_others_and_no_error(sandbox: Any) -> None:
    answer = ask(sandbox, ANALYTICS.replace("502840441", "77"))
    assert (answer.status_code, answer.json()["elements"]) == (200, [])


def test_searches_page_by_token(sandbox: Any) -> None:
    first = ask(sandbox, f"{ACCOUNT}/adCampaigns?q=search&pageSize=3").json()
    token = first["metadata"]["nextPageToken"]
    second = ask(sandbox, f"{ACCOUNT}/adCampaigns?q=search&pageSize=3&pageToken={token}").json()
    assert second["metadata"] == {}
    names = [one["name"] for one in first["elements"] + second["elements"]]
    assert names == ["Partners Retail", "Partners Hospitality", "Hiring Retail", "Hiring Hospitality"]
    groups = ask(sandbox, f"{ACCOUNT}/adCampaignGroups?q=search").json()["elements"]
    assert {f"urn:li:sponsoredCampaignGroup:{one['id']}" for one in groups} == {
        one["campaignGroup"] for one in first["elements"] + second["elements"]
    }
    assert ask(sandbox, ACCOUNT).json()["currency"] == "EUR"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(start:(year:2026", "%28start%3A%28year%3A2026"),
        ("urn%3Ali%3A", "urn:li:"),
        ("DAILY", "MONTHLY"),
        ("CAMPAIGN,CREATIVE", "CREATIVE"),
        ("month:2,day:28", "month:2,day:30"),
        ("impressions", "views"),
    ],
)
def test_a_query_that_linkedin_would_refuse_is_illegal(sandbox: Any, old: str, new: str) -> None:
    answer = ask(sandbox, ANALYTICS.replace(old, new))
    assert (answer.status_code, answer.json()["code"]) == (400, "ILLEGAL_ARGUMENT")


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Authorization", "Bearer wrong", 401, "INVALID_ACCESS_TOKEN"),
        ("LinkedIn-Version", None, 400, "VERSION_MISSING"),
        ("LinkedIn-Version", "202001", 426, "NONEXISTENT_VERSION"),
        ("X-Restli-Protocol-Version", None, 400, "ILLEGAL_ARGUMENT"),
    ],
)
def test_headers_are_minded(sandbox: Any, header: str, value: str | None, status: int, code: str) -> None:
    answer = ask(sandbox, ANALYTICS, **{header: value})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_throttling_is_429(sandbox: Any) -> None:
    sandbox.break_with("throttle", vendor="linkedin", path="adAnalytics", retry_after=3)
    answer = ask(sandbox, ANALYTICS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
