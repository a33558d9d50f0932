"""What the declared source `salesforce` lands of the sandbox's org, with the truth as the judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.extraction.running_company import run_company

from safar.catalogue.source import Source, Table, read_sources
from safar.clock import FixedClock
from safar.errors import SafarError
from safar.extraction import LoadReport, check_load, land_source
from safar.extraction.rows import Columns
from safar.extraction.session import Patience
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
Rows = dict[str, dict[str, Any]]
NIGHT = datetime(2026, 3, 2, 2, tzinfo=UTC)
OBJECTS = {
    "users": "User",
    "accounts": "Account",
    "contacts": "Contact",
    "leads": "Lead",
    "opportunities": "Opportunity",
    "opportunity_history": "OpportunityHistory",
}
SMALL_PAGES = (("batchSize=2000", "batchSize=200"), ("maxRecords: 50000", "maxRecords: 60"))


@pytest.fixture(scope="module")
def standing_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A company whose clock nobody moves, large enough for several pages."""
    with run_company(tmp_path_factory.mktemp("standing"), 1500) as url:
        yield url


@pytest.fixture
def living_org(tmp_path: Path) -> Iterator[str]:
    home = tmp_path / "living"
    home.mkdir()
    with run_company(home, 700) as url:
        yield url


@pytest.fixture
def connect(connections: dict[str, Any]) -> Callable[..., None]:
    def connect(url: str, **changes: Any) -> None:
        requests.delete(f"{url}/faults", timeout=30).raise_for_status()
        account = {"host": f"{url}/salesforce", "login": "salesforce-sandbox", "password": "salesforce-secret"}
        connections["salesforce"] = {**account, "extra": {"api_version": "66.0"}, **changes}

    return connect


@pytest.fixture
def declare_org(tmp_path: Path) -> Callable[..., Source]:
    """Reads the declared source, changed where the test says so."""

    def declare_org(*changes: tuple[str, str]) -> Source:
        text = (PROJECT_ROOT / "dbt_project/models/staging/salesforce/_salesforce__sources.yml").read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        folder = tmp_path / "project" / "dbt_project" / "models" / "staging" / "salesforce"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_salesforce__sources.yml").write_text(text)
        return read_sources(tmp_path / "project" / "dbt_project")["salesforce"]

    return declare_org


def read_truth(url: str, table: Table, before: datetime) -> Rows:
    """What is true of each record that was changed before a moment, typed as it is to be landed."""
    records = requests.get(f"{url}/truth/salesforce/{OBJECTS[table.name]}", timeout=60).json()
    flat = [Columns(table).flatten(record) for record in records]
    typed = [{name: type_value(kind, one[name]) for name, kind in table.types.items()} for one in flat]
    return {row["id"]: row for row in typed if row["system_modstamp"] < before}


def type_value(kind: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if kind == "timestamptz":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    return Decimal(str(value)) if kind == "numeric" else value


def read_open(select: Select, table: Table) -> Rows:
    """The open versions, `_deleted` as `is_deleted` is."""
    names = list(table.types)
    rows = select(f"select {', '.join(names)} from raw_salesforce.{table.name} where _dlt_valid_to is null")
    if "is_deleted" in names:
        assert select(
            f"select count(*) from raw_salesforce.{table.name} where is_deleted is distinct from coalesce(_deleted, false)"
        ) == [(0,)]
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    assert len(found) == len(rows), f"{table.name} has two open versions of one record"
    return found


def assert_all_is_there(url: str, source: Source, select: Select, before: datetime = NIGHT) -> None:
    for table in source.tables:
        truth = read_truth(url, table, before)
        landed = read_open(select, table)
        assert landed.keys() == truth.keys(), table.name
        assert landed == truth, table.name
        assert len(truth) > 3


def test_the_first_load_brings_what_is_true_by_bulk_jobs_and_by_pages(
    standing_org: str, connect: Any, declare_org: Any, open_at: Open, patience: Patience, select: Select
) -> None:
    connect(standing_org)
    source = declare_org(*SMALL_PAGES)
    report = land_source(open_at(), source, patience)
    assert (report.undeclared, report.quarantined) == ({}, 0)
    assert_all_is_there(standing_org, source, select)
    merged = select("select count(*) from raw_salesforce.leads where _deleted and master_record_id is not null")
    assert merged[0][0] > 0
    assert select("select count(*) from raw_salesforce.leads where description like E'%\\n%'")[0][0] > 0


@pytest.mark.parametrize(
    ("fault", "path", "options"),
    [
        ("server_error", "/queryAll", {"skip": 1}),
        ("server_error", "/results", {"skip": 1, "count": 2}),
        ("cut_body", "/query", {"skip": 2}),
        ("cut_body", "/results", {"skip": 2}),
        ("garbage", "/jobs/query", {"skip": 1}),
        ("garbage", "/results", {}),
        ("throttle", "/services/data", {"skip": 4, "count": 3, "retry_after": 1}),
        ("unauthorized", "/results", {"skip": 2}),
        ("unauthorized", "/query/01g", {}),
        ("unauthorized", "/jobs/query/[^/]+$", {"skip": 1}),
        ("query_forgotten", "/query/OpportunityHistory", {}),
    ],
)
def test_no_fault_loses_or_doubles_a_record(
    fault: str,
    path: str,
    options: dict[str, Any],
    standing_org: str,
    connect: Any,
    declare_org: Any,
    open_at: Open,
    patience: Patience,
    select: Select,
) -> None:
    connect(standing_org)
    source = declare_org(*SMALL_PAGES)
    wanted = {"name": fault, "vendor": "salesforce", "path": path, **options}
    requests.post(f"{standing_org}/faults", json=wanted, timeout=30).raise_for_status()
    land_source(open_at(), source, patience)
    assert requests.get(f"{standing_org}/faults", timeout=30).json()["active"] == [], "the fault never came"
    assert_all_is_there(standing_org, source, select)


@pytest.mark.parametrize(
    ("fault", "path", "told"),
    [
        ("quota_used_up", "/services/data", r"its quota of the day is used up \(REQUEST_LIMIT_EXCEEDED\)"),
        ("job_failed", "/jobs/query", r"ended with the state 'Failed': ApiBatchItems Failed: QUERY_TIMEOUT"),
    ],
)
def test_what_cannot_pass_is_told_and_lands_nothing(
    fault: str,
    path: str,
    told: str,
    standing_org: str,
    connect: Any,
    declare_org: Any,
    open_at: Open,
    patience: Patience,
    select: Select,
) -> None:
    connect(standing_org)
    wanted = {"name": fault, "vendor": "salesforce", "path": path}
    requests.post(f"{standing_org}/faults", json=wanted, timeout=30).raise_for_status()
    with pytest.raises(SafarError, match=told):
        land_source(open_at(), declare_org(), patience)
    assert select("select to_regclass('raw_salesforce.leads') is null") == [(True,)]


@pytest.mark.parametrize("fault", ["missing_key", "unparsable_date"])
def test_a_record_that_cannot_be_read_is_kept_apart_with_its_reason(
    fault: str,
    standing_org: str,
    connect: Any,
    declare_org: Any,
    open_at: Open,
    patience: Patience,
    select: Select,
) -> None:
    connect(standing_org)
    for path in ("/jobs/query/Lead", "/query/Account"):
        wanted = {"name": fault, "vendor": "salesforce", "path": path}
        requests.post(f"{standing_org}/faults", json=wanted, timeout=30).raise_for_status()
    report = land_source(open_at(), declare_org(), patience)
    assert report.quarantined == 2
    assert select("select table_name from raw_salesforce.quarantine order by 1") == [("accounts",), ("leads",)]
    for table in ("leads", "accounts"):
        declared = declare_org().table(table)
        assert len(read_open(select, declared)) == len(read_truth(standing_org, declared, NIGHT)) - 1


def test_a_signed_assertion_logs_in_where_the_connection_has_a_key(
    standing_org: str, connect: Any, declare_org: Any, open_at: Open, patience: Patience, select: Select
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    requests.put(f"{standing_org}/salesforce/setup/certificate", data=public, timeout=30).raise_for_status()
    extra = {"api_version": "66.0", "private_key": pem, "username": "integration@safar.example"}
    connect(standing_org, password="", extra={**extra, "audience": "https://login.salesforce.com"})
    source = declare_org()
    land_source(open_at(), source, patience)
    assert_all_is_there(standing_org, source, select)
    connect(standing_org, extra={**extra, "username": "other", "audience": "https://login.salesforce.com"})
    with pytest.raises(SafarError, match=r"/services/oauth2/token.*HTTP 400.*Put a valid token or secret"):
        land_source(open_at(), source, patience)


def land_and_check(workspace: Workspace, source: Source, patience: Patience) -> LoadReport:
    report = land_source(workspace, source, patience)
    check_load(workspace, source, report.load_id)
    return report


def test_seven_nights_are_landed_version_by_version(
    living_org: str,
    connect: Any,
    declare_org: Any,
    open_at: Open,
    patience: Patience,
    select: Select,
    project: Path,
) -> None:
    shutil.copy(PROJECT_ROOT / "expectations/raw/salesforce.yml", project / "expectations/raw/salesforce.yml")
    connect(living_org)
    source = declare_org()
    workspace = open_at()
    assert isinstance(workspace.clock, FixedClock)
    seen: dict[str, list[Rows]] = {table.name: [] for table in source.tables}
    deleted_by_hand = ""
    for night in range(7):
        at = workspace.clock.at = NIGHT + timedelta(days=night)
        requests.post(f"{living_org}/clock", json={"now": at.isoformat()}, timeout=120).raise_for_status()
        if night == 3:
            deleted_by_hand = delete_somebody(living_org, seen["leads"][-1])
            at = workspace.clock.at = at + timedelta(minutes=1)
        report = land_and_check(workspace, source, patience)
        assert not report.undeclared
        for table in source.tables:
            seen[table.name].append(read_truth(living_org, table, at))
    for table in source.tables:
        expected = count_versions(seen[table.name])
        told = select(f"select id, count(*) from raw_salesforce.{table.name} group by id")
        assert dict(told) == expected, table.name
        assert read_open(select, table) == last_states(seen[table.name]), table.name
    assert max(count_versions(seen["leads"]).values()) > 1
    assert select(
        f"select _deleted from raw_salesforce.leads where id = '{deleted_by_hand}' and _dlt_valid_to is null"
    ) == [(True,)]


def delete_somebody(url: str, leads: Rows) -> str:
    """Somebody deletes a lead by the API, in the second in which the night begins."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "salesforce-sandbox",
        "client_secret": "salesforce-secret",
    }
    token = requests.post(f"{url}/salesforce/services/oauth2/token", data=form, timeout=30).json()["access_token"]
    record = next(key for key, lead in leads.items() if not lead["is_deleted"] and not lead["is_converted"])
    requests.delete(
        f"{url}/salesforce/services/data/v66.0/sobjects/Lead/{record}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ).raise_for_status()
    return record


def count_versions(nights: list[Rows]) -> dict[str, int]:
    """How many different states of each record the nights saw, one after another."""
    counts: dict[str, int] = {}
    last: Rows = {}
    for rows in nights:
        for key, row in rows.items():
            counts[key] = counts.get(key, 0) + (last.get(key) != row)
            last[key] = row
    return counts


def last_states(nights: list[Rows]) -> Rows:
    """Each record as it was told last; what left the recycle bin keeps its last version."""
    return {key: row for rows in nights for key, row in rows.items()}
