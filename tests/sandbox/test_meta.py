"""Meta's own SDK against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from facebook_business import FacebookAdsApi, FacebookSession
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.exceptions import FacebookRequestError

from sandbox.company.ads import list_ad_days, make_ads, tell_day

ACCOUNT = "act_798085168510957"
FIELDS = ["account_id", "ad_id", "impressions", "clicks", "spend", "account_currency", "actions", "date_start"]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ADS = make_ads(1, NOW.date() - timedelta(days=730))


@pytest.fixture
def connect(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the account as the SDK sees it, with a token."""
    monkeypatch.setattr(FacebookSession, "GRAPH", f"{sandbox.root}/meta")

    def open_account(token: str = "meta-sandbox") -> AdAccount:
        return AdAccount(ACCOUNT, api=FacebookAdsApi(FacebookSession(access_token=token), api_version="v26.0"))

    return open_account


def ask(account: AdAccount, since: str, until: str, limit: int = 100) -> list[dict[str, Any]]:
    parameters = {"level": "ad", "time_increment": 1, "time_range": {"since": since, "until": until}, "limit": limit}
    return [dict(row) for row in account.get_insights(fields=FIELDS, params=parameters)]


def test_insights_page_to_the_end_with_text_figures(connect: Any) -> None:
    rows = ask(connect(), "2026-02-01", "2026-02-28")
    truth = list_ad_days(1, ADS, date(2026, 2, 1), date(2026, 2, 28), NOW)
    assert [(row["ad_id"], row["date_start"]) for row in rows] == [(one.ad.ad_id, one.day.isoformat()) for one in truth]
    assert sum(int(row["impressions"]) for row in rows) == sum(one.impressions for one in truth)
    assert f"{sum(float(row['spend']) for row in rows):.2f}" == f"{sum(one.spend_cents for one in truth) / 100:.2f}"
    assert len(rows) > 200


def test_a_day_without_delivery_is_absent(connect: Any) -> None:
    resting = next(ad for ad in ADS if ad.rests_on_weekday < 7 and ad.runs_from < date(2026, 2, 1) < ad.runs_until)
    days = {date.fromisoformat(row["date_start"]) for row in ask(connect(), "2026-02-02", "2026-02-15")}
    own = {
        date.fromisoformat(row["date_start"])
        for row in ask(connect(), "2026-02-02", "2026-02-15")
        if row["ad_id"] == resting.ad_id
    }
    assert len(days) == 14
    assert resting.rests_on_weekday not in {day.weekday() for day in own}


def test_a_day_is_restated_until_it_is_28_days_old() -> None:
    day = date(2026, 3, 3)
    ad = max(ADS, key=lambda one: one.impressions * (one.rests_on_weekday != day.weekday()))

    def told(age: int) -> Any:
        return tell_day(1, ad, day, datetime(2026, 3, 3, 23, 30, tzinfo=UTC) + timedelta(days=age))

    assert told(0) != told(3) != told(10)
    assert told(28) == told(29) == told(400)
    assert told(1).purchases <= told(28).purchases
    assert told(1).clicks >= told(28).clicks


def test_a_wrong_token_is_code_190(connect: Any) -> None:
    with pytest.raises(FacebookRequestError) as caught:
        ask(connect("wrong"), "2026-02-01", "2026-02-02")
    assert (caught.value.http_status(), caught.value.api_error_code()) == (401, 190)


def test_throttling_is_code_80000_and_passes(connect: Any, sandbox: Any) -> None:
    sandbox.break_with("throttle", vendor="meta", path="insights")
    with pytest.raises(FacebookRequestError) as caught:
        ask(connect(), "2026-02-01", "2026-02-02")
    assert caught.value.api_error_code() == 80000
    assert ask(connect(), "2026-02-01", "2026-02-02")


def test_usage_is_told_and_the_token_may_come_as_bearer(sandbox: Any) -> None:
    answer = requests.get(
        f"{sandbox.root}/meta/v26.0/{ACCOUNT}/insights",
        params={"level": "ad", "time_increment": "1", "fields": "spend", "limit": 1},
        headers={"Authorization": "Bearer meta-sandbox"},
    )
    usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert usage["798085168510957"][0]["type"] == "ads_insights"
    assert answer.json()["paging"]["next"].startswith(f"{sandbox.root}/meta/v26.0/{ACCOUNT}/insights?")


@pytest.mark.parametrize(
    ("change", "subcode"),
    [
        ({"fields": "spending"}, None),
        ({"level": "region"}, None),
        ({"time_range": "yesterday"}, None),
        ({"time_range": '{"since":"2026-02-02","until":"2026-02-01"}'}, 1487124),
        ({"time_range": '{"since":"2020-01-01","until":"2026-02-01"}'}, 3018),
        ({"limit": "9999"}, 1487534),
    ],
)
def test_a_request_that_meta_would_refuse_is_code_100(sandbox: Any, change: Any, subcode: int | None) -> None:
    parameters = {"access_token": "meta-sandbox", "level": "ad", "time_increment": "1", **change}
    answer = requests.get(f"{sandbox.root}/meta/v26.0/{ACCOUNT}/insights", params=parameters)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 100
    assert answer.json()["error"].get("error_subcode") == subcode


PARAMETERS = {"level": "ad", "time_increment": 1, "time_range": {"since": "2026-02-01", "until": "2026-02-07"}}


def run_report(account: AdAccount) -> AdReportRun:
    """Starts a report and asks about it until it has an end."""
    run = account.get_insights(fields=FIELDS, params=PARAMETERS, is_async=True)
    for _ in range(10):
        run.api_get()
        if run["async_status"] not in ("Job Not Started", "Job Started", "Job Running"):
            break
    return run


def test_a_report_is_run_asked_about_and_read(connect: Any) -> None:
    account = connect()
    run = run_report(account)
    assert run["async_status"] == "Job Completed"
    rows = [dict(row) for row in run.get_insights(params={"limit": 50})]
    assert rows == ask(account, "2026-02-01", "2026-02-07")
    assert len(rows) > 100


def test_all_percent_is_not_completed(connect: Any) -> None:
    run = connect().get_insights(fields=FIELDS, params=PARAMETERS, is_async=True)
    told = [dict(run.api_get()) for _ in range(3)]
    assert (told[-1]["async_percent_completion"], told[-1]["async_status"]) == (100, "Job Running")
    with pytest.raises(FacebookRequestError) as caught:
        list(run.get_insights())
    assert caught.value.api_error_code() == 2601


@pytest.mark.parametrize(("fault", "state"), [("job_failed", "Job Failed"), ("job_skipped", "Job Skipped")])
def test_a_report_may_end_badly(connect: Any, sandbox: Any, fault: str, state: str) -> None:
    sandbox.break_with(fault, vendor="meta")
    run = run_report(connect())
    assert run["async_status"] == state
    assert run["error_message"].startswith("Please reduce")
