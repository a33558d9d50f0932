"""Each ad platform as its YAML declares it, against the simulated company: pages, restated days, waits, expired tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from safar.catalogue.source import Source, read_sources
from safar.clock import SandboxClock
from safar.connections import EnvironmentConnections
from safar.errors import SafarError
from safar.extraction import LoadReport, check_load, land_source
from safar.extraction.session import Patience
from safar.services.company import Company
from safar.services.vendors import ACCOUNTS, describe_vendors
from safar.settings import PROJECT_ROOT, Settings
from safar.workspace import Workspace

Select = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Platform:
    """A source, its vendor's name in the sandbox, and where its figures stand."""

    source: str
    vendor: str
    table: str
    day: str
    spend: str

    @property
    def days(self) -> str:
        return f"raw_{self.source}.{self.table} where _dlt_valid_to is null and not coalesce(_deleted, false)"


PLATFORMS = [
    Platform("google_ads", "google", "ad_days", "segments_date", "cost_micros"),
    Platform("linkedin_ads", "linkedin", "ad_days", "start_date", "cost_in_local_currency::numeric"),
    Platform("meta_ads", "meta", "insights_daily", "date_start", "spend::numeric"),
    Platform("tiktok_ads", "tiktok", "ad_days", "stat_date", "spend::numeric"),
]
by_platform = pytest.mark.parametrize("platform", PLATFORMS, ids=lambda one: one.source)


class Sandbox:
    """The simulated company as a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, address: str, **body: Any) -> None:
        requests.post(f"{self.url}{address}", json=body, timeout=120).raise_for_status()

    def move_on(self, **by: int) -> None:
        now = datetime.fromisoformat(requests.get(f"{self.url}/clock", timeout=10).json()["now"])
        self.post("/clock", now=(now + timedelta(**by)).isoformat())


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = str(tmp_path_factory.mktemp("sandbox"))
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", home, "--people", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Sandbox(process.stdout.readline().split()[-1])
        process.terminate()


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    yield started
    requests.delete(f"{started.url}/faults", timeout=10).raise_for_status()


@pytest.fixture
def land(
    sandbox: Sandbox, connections: dict[str, Any], tmp_path: Path, patience: Patience
) -> Callable[..., LoadReport]:
    """Lands and checks a source of the project."""
    described = describe_vendors(Company(sandbox.url), "", ACCOUNTS)

    def land(name: str, params: dict[str, Any] | None = None, most_rows: int | None = None, **extra: str) -> LoadReport:
        known: dict[str, Any] = {**connections, **described}
        known[name]["extra"] = {**known[name]["extra"], **extra}
        environment = {f"AIRFLOW_CONN_{key.upper()}": json.dumps(value) for key, value in known.items()}
        settings = Settings(home=tmp_path / "home", environment="sandbox")
        workspace = Workspace(settings, EnvironmentConnections(environment), SandboxClock(sandbox.url))
        source = read_sources(PROJECT_ROOT / "dbt_project")[name]
        for table in source.tables:
            assert table.extract.endpoint is not None
            table.extract.endpoint.params.update(params or {})
        if most_rows is not None:
            source = cut_after(source, most_rows)
        report = land_source(workspace, source, patience)
        check_load(workspace, source, report.load_id)
        return report

    return land


def cut_after(source: Source, most_rows: int) -> Source:
    """The source as if the vendor cut its answers after so many rows."""
    *others, days = source.tables
    assert days.extract.window is not None
    window = days.extract.window.model_copy(update={"most_rows": most_rows})
    extract = days.extract.model_copy(update={"window": window})
    return source.model_copy(update={"tables": (*others, days.model_copy(update={"extract": extract}))})


@by_platform
def test_every_page_lands_with_nothing_undeclared(platform: Platform, sandbox: Sandbox, land: Any) -> None:
    whole = land(platform.source)
    assert whole.rows[platform.table].new > 100
    assert (whole.undeclared, whole.quarantined) == ({}, 0)


@by_platform
def test_a_restated_day_replaces_the_one_before(
    platform: Platform, sandbox: Sandbox, land: Any, select: Select
) -> None:
    figures = f"select {platform.day}, sum({platform.spend}) from {platform.days} group by 1 order by 1"
    land(platform.source)
    before = dict(select(figures))
    sandbox.move_on(hours=30)
    report = land(platform.source)
    after = dict(select(figures))
    assert report.rows[platform.table].changed > 20
    assert report.rows[platform.table].new > 0
    restated = [day for day in before if before[day] != after[day]]
    assert sorted(before)[0] not in restated
    assert len(restated) > 3
    twice = select(f"select count(*) from (select 1 from {platform.days} group by {', '.join(key(platform))}) as rows")
    assert twice == select(f"select count(*) from {platform.days}")


def key(platform: Platform) -> tuple[str, ...]:
    return read_sources(PROJECT_ROOT / "dbt_project")[platform.source].table(platform.table).extract.key


@by_platform
def test_a_fault_between_is_borne_and_nothing_is_lost(
    platform: Platform, sandbox: Sandbox, land: Any, select: Select, naps: list[float]
) -> None:
    for name in ("throttle", "unauthorized", "server_error", "cut_body"):
        sandbox.post("/faults", name=name, vendor=platform.vendor, path="search|insights|report|Analytics")
    report = land(platform.source)
    assert report.rows[platform.table].new > 100
    assert len(naps) >= 3


def test_google_s_pages_are_asked_for_by_their_token_in_the_body(sandbox: Sandbox, land: Any, select: Select) -> None:
    sandbox.post("/faults", name="small_pages", vendor="google", rows=50, count=None)
    report = land("google_ads")
    assert report.rows["ad_days"].new > 100
    assert select("select count(*) - count(distinct (segments_date, ad_id)) from raw_google_ads.ad_days") == [(0,)]


def test_google_s_campaigns_without_ads_are_not_forgotten(sandbox: Sandbox, land: Any, select: Select) -> None:
    assert land("google_ads").rows["campaign_days"].new > 20
    found = select("select distinct campaign_name from raw_google_ads.campaign_days order by 1")
    assert found == [("Performance Max",), ("Performance Max Local",)]


def test_google_tells_in_the_body_how_long_to_wait(sandbox: Sandbox, land: Any, naps: list[float]) -> None:
    sandbox.post("/faults", name="throttle", vendor="google", path="search", retry_after=7)
    land("google_ads")
    assert naps == [7.0]


def test_a_refresh_token_that_holds_no_more_is_told_with_its_remedy(land: Any) -> None:
    with pytest.raises(
        SafarError, match=r"POST /google/token failed: .* Put a valid token or secret into .*'google_ads'"
    ):
        land("google_ads", refresh_token="old")


def test_tiktok_s_pages_are_asked_for_until_the_last(sandbox: Sandbox, land: Any, select: Select) -> None:
    report = land("tiktok_ads", params={"page_size": 50})
    assert report.rows["ad_days"].new > 100
    assert select("select count(*) - count(distinct (stat_date, ad_id)) from raw_tiktok_ads.ad_days") == [(0,)]


def test_tiktok_s_errors_have_status_200_and_are_told(sandbox: Sandbox, land: Any) -> None:
    with pytest.raises(SafarError, match=r"error 40001: No permission to operate advertisers: 1"):
        land("tiktok_ads", advertiser_id="1")


def test_tiktok_s_silence_about_waiting_is_borne_by_a_pause(sandbox: Sandbox, land: Any, naps: list[float]) -> None:
    sandbox.post("/faults", name="throttle", vendor="tiktok", path="report")
    land("tiktok_ads")
    assert naps == [300.0]


def test_linkedin_s_cut_answers_are_asked_for_in_halves(sandbox: Sandbox, land: Any, select: Select) -> None:
    whole = land("linkedin_ads")
    source = read_sources(PROJECT_ROOT / "dbt_project")["linkedin_ads"].table("ad_days")
    window = source.extract.window
    assert window is not None
    assert window.most_rows == 15_000
    sandbox.post("/faults", name="row_cap", vendor="linkedin", rows=60, count=None)
    cut = land("linkedin_ads", most_rows=60)
    assert whole.rows["ad_days"].new > 100
    assert (cut.rows["ad_days"].new, cut.rows["ad_days"].deleted) == (0, 0), "nothing is new, and nothing is missed"


def test_a_day_of_linkedin_s_that_is_cut_is_told(sandbox: Sandbox, land: Any) -> None:
    sandbox.post("/faults", name="row_cap", vendor="linkedin", rows=3, count=None)
    with pytest.raises(SafarError, match=r"linkedin_ads\.ad_days: the answer for 2026-\d\d-\d\d has 3 rows"):
        land("linkedin_ads", most_rows=3)


def test_linkedin_s_silence_about_an_account_of_others_is_refused(sandbox: Sandbox, land: Any) -> None:
    with pytest.raises(SafarError, match="linkedin_ads: GET .* failed: it answered HTTP 404"):
        land("linkedin_ads", account_id="77")


def test_a_report_of_meta_s_that_was_dropped_is_run_again(sandbox: Sandbox, land: Any, naps: list[float]) -> None:
    sandbox.post("/faults", name="job_skipped", vendor="meta")
    assert land("meta_ads").rows["insights_daily"].new > 100
    assert len(naps) == 6, "each report is asked about four times, and waited for between"


def test_a_report_of_meta_s_that_failed_is_told_with_its_reason(sandbox: Sandbox, land: Any) -> None:
    sandbox.post("/faults", name="job_failed", vendor="meta", message="too much")
    with pytest.raises(
        SafarError, match=r"meta_ads\.insights_daily: job \d+ ended with the state 'Job Failed': too much"
    ):
        land("meta_ads")
