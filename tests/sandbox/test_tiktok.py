"""TikTok's reporting as the sandbox speaks it: status 200 always, pages by number, thirty days at most."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.company.ad_accounts import TIKTOK
from sandbox.company.ads import list_ad_days, make_ads

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ADS = make_ads(1, NOW.date() - timedelta(days=730), TIKTOK)
REPORT = {
    "advertiser_id": TIKTOK.account_id,
    "report_type": "BASIC",
    "data_level": "AUCTION_AD",
    "dimensions": json.dumps(["ad_id", "stat_time_day"]),
    "metrics": json.dumps(["spend", "impressions", "app_install", "currency"]),
    "start_date": "2026-02-01",
    "end_date": "2026-03-02",
}


def ask(sandbox: Any, path: str, token: str = "tiktok-sandbox", **query: Any) -> dict[str, Any]:
    answer = requests.get(
        f"{sandbox.root}/tiktok/open_api/v1.3{path}", params=query, headers={"Access-Token": token}, timeout=30
    )
    assert answer.status_code == 200
    return dict(answer.json())


def report(sandbox: Any, **change: Any) -> dict[str, Any]:
    return ask(sandbox, "/report/integrated/get/", **{**REPORT, **change})


def test_pages_are_numbered_from_one_to_the_last(sandbox: Any) -> None:
    now = datetime.fromisoformat(sandbox.get("/clock")["now"])
    first = report(sandbox, page_size=40)
    pages = first["data"]["page_info"]["total_page"]
    rows = [row for page in range(1, pages + 1) for row in report(sandbox, page_size=40, page=page)["data"]["list"]]
    truth = list_ad_days(1, ADS, date(2026, 2, 1), date(2026, 3, 2), now)
    assert pages > 2
    assert first["data"]["page_info"] == {
        "page": 1,
        "page_size": 40,
        "total_number": len(truth),
        "total_page": pages,
    }
    assert [row["dimensions"] for row in rows] == [
        {"ad_id": one.ad.ad_id, "stat_time_day": f"{one.day} 00:00:00"} for one in truth
    ]
    assert sum(float(row["metrics"]["spend"]) for row in rows) == pytest.approx(
        sum(one.spend_cents for one in truth) / 100
    )
    assert {row["metrics"]["currency"] for row in rows} == {"GBP"}
    assert report(sandbox, page=9999)["data"]["list"] == []


def test_the_advertiser_tells_its_zone(sandbox: Any) -> None:
    answer = ask(sandbox, "/advertiser/info/", advertiser_ids=json.dumps([TIKTOK.account_id]), fields='["timezone"]')
    assert answer["data"]["list"] == [{"timezone": "Europe/London"}]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"start_date": "2026-01-31"}, 40002, "30 days"),
        ({"start_date": "2026-03-03"}, 40002, "after end_date"),
        ({"start_date": "soon"}, 40002, "Not a valid date"),
        ({"metrics": '["sales"]'}, 40002, "Invalid metric fields"),
        ({"metrics": "spend"}, 40002, "Not a valid list"),
        ({"dimensions": '["ad_id"]'}, 40002, "stat_time_day"),
        ({"data_level": "AUCTION_CAMPAIGN"}, 40002, "AUCTION_AD"),
        ({"page_size": 1001}, 40002, "page_size"),
        ({"page": 0}, 40002, "page"),
        ({"advertiser_id": "9"}, 40001, "No permission"),
    ],
)
def test_what_tiktok_would_refuse_has_a_code_and_status_200(sandbox: Any, change: Any, code: int, words: str) -> None:
    answer = report(sandbox, **change)
    assert (answer["code"], answer["data"]) == (code, {})
    assert words in answer["message"]


def test_tokens_throttling_and_trouble_have_their_codes(sandbox: Any) -> None:
    assert ask(sandbox, "/report/integrated/get/", token="wrong", **REPORT)["code"] == 40105
    for fault, code in (("throttle", 40100), ("server_error", 50000), ("unauthorized", 40105)):
        sandbox.break_with(fault, vendor="tiktok", path="report")
        assert report(sandbox)["code"] == code
    assert report(sandbox)["code"] == 0


def test_more_than_ten_calls_a_second_are_refused(sandbox: Any, enable_limits: Any) -> None:
    enable_limits("tiktok")
    codes = [ask(sandbox, "/advertiser/info/", advertiser_ids="[]")["code"] for _ in range(30)]
    assert 40100 in codes
