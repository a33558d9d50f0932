"""What a vendor may do wrong. Nothing is lost, nothing doubled, and the message says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_vendor import TOKEN, Fault, Vendor, answer, cut_body, hang_up, let_pass

from safar.catalogue.source import Source
from safar.connections import EnvironmentConnections
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, land_source
from safar.extraction.session import Patience
from safar.outbound import ForbiddenAddress
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def five_contacts(vendor: Vendor) -> Vendor:
    vendor.contacts = [
        {"id": str(number), "changed": "2026-03-01T00:00:00Z", "properties": {"email": f"p{number}@example.com"}}
        for number in range(1, 6)
    ]
    return vendor


def raw_schema_is_absent(select: Select, schema: str = "raw_crm") -> bool:
    return select(
        f"select to_regclass('{schema}.contacts') is null and (select count(*) = 0 from ledger.source_load where status <> 'put_off')"
    ) == [(True,)]


@pytest.mark.parametrize(
    "faults",
    [
        [answer(500, b"oops")],
        [answer(502, b"<html>"), answer(503, b""), answer(504, b"")],
        [answer(200, b"<html>not JSON</html>")],
        [answer(200, b'{"results": [{"id": "1"')],
        [cut_body],
        [hang_up],
        [let_pass, let_pass, cut_body, answer(500, b"")],
        [answer(401, {"message": "expired in the middle"})],
    ],
    ids=["500", "three 5xx", "no JSON", "JSON cut short", "body cut short", "hung up", "cut on page two", "one 401"],
)
def test_what_passes_is_asked_again_and_nothing_is_lost_or_doubled(
    faults: list[Fault], five_contacts: Vendor, declare: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    five_contacts.faults = list(faults)
    report = land_source(open_at(), declare("crm"), patience)
    assert report.rows["contacts"] == Counts(new=5)
    assert select("select count(*), count(distinct id) from raw_crm.contacts") == [(5, 5)]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (answer(500, b"oops"), "HTTP 500, 5 times in a row"),
        (answer(200, b"garbage"), "not JSON"),
        (cut_body, "broke off"),
        (hang_up, "broke off or never came"),
        (answer(401, {}), "refuses our credentials (HTTP 401). Nothing was landed. Put a valid token"),
        (answer(403, {}), "Grant the token the scopes"),
        (answer(404, {}), "Check the path"),
        (answer(400, {"message": "bad filter"}), "HTTP 400"),
        (answer(301, b"", {"Location": "https://elsewhere.example.com/contacts"}), "HTTP 301"),
        (answer(200, {"unexpected": []}), "answered without 'results'"),
        (answer(429, {"policy": "DAILY"}), "quota of the day is used up"),
    ],
    ids=["500", "garbage", "cut", "hung up", "401", "403", "404", "400", "redirect", "no rows' place", "daily quota"],
)
def test_what_does_not_pass_lands_nothing_and_says_what_to_do(
    fault: Fault,
    told: str,
    five_contacts: Vendor,
    declare: Declare,
    open_at: Open,
    patience: Patience,
    select: Select,
) -> None:
    workspace, source = open_at(), declare("crm")
    five_contacts.faults = [let_pass, *[fault] * 9]
    with pytest.raises(SafarError) as caught:
        land_source(workspace, source, patience)
    assert "crm" in str(caught.value)
    assert told in str(caught.value)
    assert raw_schema_is_absent(select), "a page was read before, yet nothing of it may land"
    five_contacts.faults = []
    assert land_source(workspace, source, patience).rows["contacts"] == Counts(new=5), "the next load is whole"


def test_a_wrong_token_is_said_without_repeating_it(
    five_contacts: Vendor, declare: Declare, open_at: Open, connections: dict[str, Any], patience: Patience
) -> None:
    workspace = open_at()
    connections["crm"]["password"] = "secret-but-wrong"
    with pytest.raises(SafarError) as caught:
        land_source(open_with(workspace, connections), declare("crm"), patience)
    assert "connection 'crm'" in str(caught.value)
    assert "secret-but-wrong" not in str(caught.value)


def open_with(workspace: Workspace, connections: dict[str, Any]) -> Workspace:
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    return Workspace(workspace.settings, EnvironmentConnections(environment), workspace.clock)


def test_a_connection_without_a_secret_names_the_field(
    declare: Declare, open_at: Open, connections: dict[str, Any]
) -> None:
    workspace = open_at()
    connections["crm"] = {"host": connections["crm"]["host"]}
    with pytest.raises(ConfigurationError, match=r"connection 'crm': it has no password"):
        land_source(open_with(workspace, connections), declare("crm"))


def test_a_told_wait_is_kept_to_the_second(
    five_contacts: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    five_contacts.faults = [answer(429, {}, {"Retry-After": "7"}), answer(429, {}, {"Retry-After": "3"})]
    land_source(open_at(), declare("crm"), patience)
    assert naps == [7.0, 3.0]


def test_throttling_without_a_told_wait_backs_off_and_is_no_failure(
    five_contacts: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    five_contacts.faults = [answer(429, {})] * 8
    assert land_source(open_at(), declare("crm"), patience).rows["contacts"] == Counts(new=5)
    assert len(naps) == 8
    assert 0 < naps[0] < naps[-1]


def test_endless_throttling_ends(
    five_contacts: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    five_contacts.faults = [answer(429, {}, {"Retry-After": "400"})] * 9
    with pytest.raises(SafarError, match=r"throttles us.*goes on at"):
        land_source(open_at(), declare("crm"), patience)
    assert sum(naps) <= 900


THROTTLED = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {
        "cost": {"requestedQueryCost": 752, "throttleStatus": {"currentlyAvailable": 652, "restoreRate": 50.0}}
    },
}


def test_throttling_inside_200_waits_exactly_until_there_are_points(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience, naps: list[float]
) -> None:
    vendor.orders = [{"id": "1", "updatedAt": "2026-03-01T00:00:00Z"}]
    vendor.faults = [let_pass, answer(200, THROTTLED)]
    assert land_source(open_at(), declare("shop"), patience).rows["orders"] == Counts(new=1)
    assert naps == [2.0], "(752 - 652) / 50"


def test_an_error_inside_200_is_an_error(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    denied = {
        "errors": [{"message": "Access denied for orders", "extensions": {"code": "ACCESS_DENIED"}}],
        "data": None,
    }
    vendor.faults = [let_pass, answer(200, denied)]
    with pytest.raises(SafarError, match=r"shop: POST /graphql failed: .*ACCESS_DENIED: Access denied for orders"):
        land_source(open_at(), declare("shop"), patience)
    assert select("select to_regclass('raw_shop.orders') is null") == [(True,)]


def test_an_expired_token_is_asked_for_once_more(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience
) -> None:
    vendor.orders = [{"id": str(number), "updatedAt": "2026-03-01T00:00:00Z"} for number in range(5)]
    vendor.faults = [let_pass, let_pass, answer(401, {"errors": "expired"})]
    assert land_source(open_at(), declare("shop"), patience).rows["orders"] == Counts(new=5)
    assert vendor.tokens_given == 2


def test_a_wrong_client_secret_names_the_connection(
    vendor: Vendor, declare: Declare, open_at: Open, connections: dict[str, Any], patience: Patience
) -> None:
    workspace = open_at()
    connections["shop"]["password"] = "wrong"
    with pytest.raises(SafarError, match=r"POST /token failed: .* connection 'shop'"):
        land_source(open_with(workspace, connections), declare("shop"), patience)


def test_a_next_page_on_another_host_is_not_followed(
    vendor: Vendor, declare: Declare, open_at: Open, patience: Patience
) -> None:
    page = {"data": [], "paging": {"next": "http://elsewhere.example.com/report?access_token=x"}}
    vendor.faults = [answer(200, page)]
    with pytest.raises(SafarError, match="another host"):
        land_source(open_at(), declare("ads"), patience)


def test_one_vendor_down_leaves_another_as_it_was(
    five_contacts: Vendor, declare: Declare, open_at: Open, patience: Patience, select: Select
) -> None:
    workspace = open_at()
    land_source(workspace, declare("crm"), patience)
    five_contacts.faults = [answer(500, b"")] * 99
    with pytest.raises(SafarError):
        land_source(workspace, declare("shop"), patience)
    assert select("select source, status from ledger.source_load") == [("crm", "landed")]


def test_in_production_a_vendor_inside_our_network_is_not_called(
    declare: Declare, open_workspace: Open, connections: dict[str, Any], vendor: Vendor, project: Path
) -> None:
    source = declare("crm")
    connections["crm"] = {"host": vendor.base_url, "password": TOKEN}
    with pytest.raises(ForbiddenAddress, match="allow_hosts"):
        land_source(open_workspace(environment="production", project_root=project), source)
    assert vendor.requests == []
