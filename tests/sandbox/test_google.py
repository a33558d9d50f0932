"""Google Ads' REST interface as the sandbox speaks it: tokens, the query language, pages in a POST's body, errors."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.company.ad_accounts import GOOGLE, META
from sandbox.company.ads import list_ad_days, make_ads

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ADS = make_ads(1, NOW.date() - timedelta(days=730), GOOGLE)
FORM = {
    "grant_type": "refresh_token",
    "client_id": "safar.apps.sandbox",
    "client_secret": "google-secret",
    "refresh_token": "1//google-sandbox",
}
SELECT = (
    "SELECT customer.id, customer.time_zone, campaign.name, ad_group_ad.ad.id, metrics.impressions, "
    "metrics.cost_micros, metrics.conversions, segments.date FROM ad_group_ad "
    "WHERE segments.date BETWEEN '2026-02-01' AND '2026-02-14'"
)


def mint(sandbox: Any, **change: str) -> requests.Response:
    return requests.post(f"{sandbox.root}/google/token", data={**FORM, **change}, timeout=10)


def search(sandbox: Any, body: dict[str, Any], customer: str = "2121450128", **headers: str) -> requests.Response:
    known = {
        "Authorization": f"Bearer {mint(sandbox).json()['access_token']}",
        "login-customer-id": "1112223333",
        "developer-token": "developer-sandbox",
    }
    url = f"{sandbox.root}/google/v26/customers/{customer}/googleAds:search"
    return requests.post(url, json=body, headers=known | headers, timeout=30)


def name_error(answer: requests.Response) -> dict[str, str]:
    [failure] = answer.json()["error"]["details"]
    return dict(failure["errors"][0]["errorCode"])


def test_pages_follow_by_a_token_in_the_body_until_there_is_none(sandbox: Any) -> None:
    sandbox.break_with("small_pages", vendor="google", rows=25, count=None)
    rows, token, pages = [], None, 0
    while pages == 0 or token:
        answer = search(sandbox, {"query": SELECT} | ({"pageToken": token} if token else {})).json()
        rows += answer["results"]
        token, pages = answer.get("nextPageToken"), pages + 1
    truth = list_ad_days(1, ADS, date(2026, 2, 1), date(2026, 2, 14), NOW)
    assert pages == -(-len(truth) // 25) > 2
    assert [(row["adGroupAd"]["ad"]["id"], row["segments"]["date"]) for row in rows] == [
        (one.ad.ad_id, one.day.isoformat()) for one in truth
    ]
    assert sum(int(row["metrics"]["costMicros"]) for row in rows) == sum(one.spend_cents for one in truth) * 10_000


def test_a_row_has_what_was_asked_for_and_the_names_of_its_resources(sandbox: Any) -> None:
    answer = search(sandbox, {"query": SELECT}).json()
    row = answer["results"][0]
    assert answer["fieldMask"].split(",")[:2] == ["customer.id", "customer.timeZone"]
    assert row["customer"] == {
        "resourceName": "customers/2121450128",
        "id": "2121450128",
        "timeZone": "America/New_York",
    }
    assert row["metrics"].keys() == {"impressions", "costMicros", "conversions"}
    assert isinstance(row["metrics"]["impressions"], str)
    assert isinstance(row["metrics"]["conversions"], float)
    assert "adGroup" not in row


def test_campaigns_without_ads_are_told_as_a_whole(sandbox: Any) -> None:
    query = SELECT.replace(" ad_group_ad.ad.id,", "").replace("FROM ad_group_ad", "FROM campaign")
    asked = query + " AND campaign.advertising_channel_type = 'PERFORMANCE_MAX'"
    rows = search(sandbox, {"query": asked}).json()["results"]
    assert {row["campaign"]["name"] for row in rows} == {"Performance Max", "Performance Max Local"}
    assert not {"adGroup", "adGroupAd"} & rows[0].keys()
    assert name_error(search(sandbox, {"query": query})) == {"queryError": "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"}
    below = asked.replace("campaign.name", "ad_group.id")
    assert name_error(search(sandbox, {"query": below})) == {"queryError": "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"}


def test_an_answer_without_rows_has_no_list_of_them(sandbox: Any) -> None:
    answer = search(sandbox, {"query": SELECT.replace("2026-", "2020-")})
    assert answer.status_code == 200
    assert answer.json().keys() == {"fieldMask", "requestId"}


def test_the_other_account_has_luck_of_its_own() -> None:
    meta = make_ads(1, NOW.date() - timedelta(days=730), META)
    assert not {ad.number for ad in meta} & {ad.number for ad in ADS}
    assert not {ad.ad_id for ad in meta} & {ad.ad_id for ad in ADS}
    assert {ad.account.currency for ad in ADS} == {"USD"}


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"refresh_token": "old"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_is_not_given_to_everybody(sandbox: Any, change: Any, status: int, error: str) -> None:
    answer = mint(sandbox, **change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"query": SELECT.replace("metrics.impressions", "metrics.views")}, {"queryError": "UNRECOGNIZED_FIELD"}),
        ({"query": SELECT.partition(" WHERE")[0]}, {"queryError": "EXPECTED_FILTERS_ON_DATE_RANGE"}),
        ({"query": SELECT.replace("2026-02-01", "soon")}, {"queryError": "INVALID_VALUE_WITH_BETWEEN_OPERATOR"}),
        ({"query": SELECT.replace("FROM ad_group_ad", "FROM ads")}, {"queryError": "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"}),
        ({"query": SELECT, "pageSize": 10}, {"requestError": "PAGE_SIZE_NOT_SUPPORTED"}),
        ({"query": SELECT, "pageToken": "x"}, {"requestError": "INVALID_PAGE_TOKEN"}),
        ({}, {"requestError": "REQUIRED_FIELD_MISSING"}),
    ],
)
def test_a_request_that_google_would_refuse_is_named(sandbox: Any, body: Any, error: dict[str, str]) -> None:
    answer = search(sandbox, body)
    assert answer.status_code == 400
    assert name_error(answer) == error


def test_a_token_of_another_query_is_not_taken(sandbox: Any) -> None:
    sandbox.break_with("small_pages", vendor="google", rows=5)
    token = search(sandbox, {"query": SELECT}).json()["nextPageToken"]
    other = search(sandbox, {"query": SELECT.replace("02-14", "02-13"), "pageToken": token})
    assert name_error(other) == {"requestError": "INVALID_PAGE_TOKEN"}


def test_who_asks_and_through_whom_is_checked(sandbox: Any) -> None:
    query = {"query": SELECT}
    denied = {"authorizationError": "USER_PERMISSION_DENIED"}
    assert name_error(search(sandbox, query, **{"login-customer-id": "9"})) == denied
    assert name_error(search(sandbox, query, customer="77")) == denied
    wrong = search(sandbox, query, **{"developer-token": "wrong"})
    assert name_error(wrong) == {"authorizationError": "DEVELOPER_TOKEN_PROHIBITED"}
    manager = search(sandbox, query, customer="1112223333")
    assert name_error(manager) == {"queryError": "REQUESTED_METRICS_FOR_MANAGER"}
    expired = search(sandbox, query, Authorization="Bearer old")
    assert (expired.status_code, name_error(expired)) == (401, {"authenticationError": "OAUTH_TOKEN_INVALID"})


def test_throttling_tells_in_the_body_how_long(sandbox: Any) -> None:
    sandbox.break_with("throttle", vendor="google", path="search", retry_after=7)
    answer = search(sandbox, {"query": SELECT})
    assert answer.status_code == 429
    [failure] = answer.json()["error"]["details"]
    assert failure["errors"][0]["details"]["quotaErrorDetails"]["retryDelay"] == "7s"
    assert search(sandbox, {"query": SELECT}).ok
