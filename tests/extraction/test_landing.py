"""What lands, in which versions, and that nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.clock import FixedClock
from safar.extraction import Counts, check_load, land_source
from safar.workspace import Workspace

Declare = Callable[..., Source]
Select = Callable[..., list[tuple[Any, ...]]]


def contact(number: int, changed: str = "2026-03-01T10:00:00.000Z", **fields: Any) -> dict[str, Any]:
    properties = {"email": f"p{number}@example.com", "born": "1990-05-17", **fields}
    return {"id": str(number), "changed": changed, "properties": properties, "tags": ["a", {"b": 1}], "score": number}


def move_on(workspace: Workspace, **by: int) -> None:
    assert isinstance(workspace.clock, FixedClock)
    workspace.clock.at += timedelta(**by)


def test_first_load_flattens_objects_and_keeps_lists(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.contacts = [contact(number) for number in range(1, 6)]
    vendor.consents = {"p1@example.com": "SUBSCRIBED"}
    report = land_source(open_at(), declare("crm"))
    assert report.rows == {"contacts": Counts(new=5), "consents": Counts(new=5)}
    rows = select("select id, properties__email, properties__born::text, tags, score from raw_crm.contacts order by id")
    assert rows[0] == ("1", "p1@example.com", "1990-05-17", ["a", {"b": 1}], 1)
    assert select("select address, status from raw_crm.consents order by 1")[:2] == [
        ("p1@example.com", "SUBSCRIBED"),
        ("p2@example.com", None),
    ]


def test_second_load_of_the_same_rows_changes_nothing(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    first = land_source(workspace, source)
    check_load(workspace, source, first.load_id)
    before = select("select * from raw_crm.contacts order by id")
    report = land_source(workspace, source)
    assert report.rows == {"contacts": Counts(), "consents": Counts()}
    assert report.landed_at > first.landed_at, "the landing clock stands still only when business time does"
    assert select("select * from raw_crm.contacts order by id") == before


def test_a_change_closes_the_old_version_and_opens_a_new_one(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    move_on(workspace, hours=24)
    vendor.contacts[0] = contact(1, changed="2026-03-02T20:00:00.000Z", email="new@example.com")
    report = land_source(workspace, source)
    assert report.rows["contacts"] == Counts(changed=1)
    assert report.rows["consents"] == Counts(new=1)
    rows = select("select properties__email, _dlt_valid_to is null from raw_crm.contacts where id = '1' order by 2")
    assert rows == [("p1@example.com", False), ("new@example.com", True)]
    assert vendor.paths().count("/contacts/search") > 0
    asked = vendor.bodies("/contacts/search")[0]
    assert asked == {"from": "2026-03-01T09:00:00Z", "to": "2026-03-03T02:00:00Z"}, "an hour of overlap"


def test_rows_that_share_one_instant_are_paged_by_their_id(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.contacts = [contact(1)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    move_on(workspace, hours=24)
    flood = [contact(number, changed="2026-03-02T12:00:00Z") for number in range(2, 9)]
    later = [contact(number, changed="2026-03-02T12:00:05Z") for number in range(9, 12)]
    vendor.contacts = [contact(1), *flood, *later]
    report = land_source(workspace, source)
    assert report.rows["contacts"] == Counts(new=10)
    assert select("select count(*), count(distinct id) from raw_crm.contacts") == [(11, 11)]


def test_a_change_while_we_page_is_asked_for_again(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace]
) -> None:
    workspace, source = open_at(), declare("crm", ("overlap: 1 hour", "overlap: 1 second"))
    vendor.contacts = [contact(1, changed="2026-03-02T05:00:00.000Z")]
    check_load(workspace, source, land_source(workspace, source).load_id)
    land_source(workspace, source)
    assert vendor.bodies("/contacts/search")[0]["from"] == "2026-03-02T01:59:59Z", "never later than we began to ask"


def test_archived_records_get_a_tombstone_once(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.contacts = [contact(1), contact(2)]
    workspace, source = open_at(), declare("crm")
    check_load(workspace, source, land_source(workspace, source).load_id)
    move_on(workspace, hours=24)
    vendor.archived, vendor.contacts = [vendor.contacts[0]], [vendor.contacts[1]]
    report = land_source(workspace, source)
    assert report.rows["contacts"] == Counts(deleted=1)
    check_load(workspace, source, report.load_id)
    move_on(workspace, hours=24)
    assert land_source(workspace, source).rows["contacts"] == Counts()
    assert select("select _deleted from raw_crm.contacts where id = '1' and _dlt_valid_to is null") == [(True,)]
    looked_up = [address for body in vendor.bodies("/consents")[-1:] for address in body["inputs"]]
    assert looked_up == ["p2@example.com"]


def test_the_newer_of_two_versions_in_one_load_counts(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    newer = contact(1, changed="2026-03-01T12:00:00Z", email="newer@example.com")
    vendor.contacts = [contact(1), newer, contact(2), contact(1)]
    land_source(open_at(), declare("crm"))
    assert select("select id, properties__email from raw_crm.contacts order by id") == [
        ("1", "newer@example.com"),
        ("2", "p2@example.com"),
    ]


def test_an_empty_source_has_its_tables(declare: Declare, open_at: Callable[..., Workspace], select: Select) -> None:
    report = land_source(open_at(), declare("crm"))
    assert report.rows == {"contacts": Counts(), "consents": Counts()}
    types = dict(
        select(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'raw_crm' and table_name = 'contacts'"
        )
    )
    assert types["changed"] == "timestamp with time zone"
    assert types["tags"] == "jsonb"
    assert types["score"] == "bigint"
    assert types["_deleted"] == "boolean"
    assert {"_dlt_valid_from", "_dlt_valid_to"} <= types.keys()


def test_an_undeclared_column_lands_as_text_and_is_told(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    workspace, source = open_at(), declare("crm")
    vendor.contacts = [contact(1), contact(2, nickName="Bob", shoeSize=44)]
    report = land_source(workspace, source)
    assert report.undeclared == {"contacts": ("properties__nick_name", "properties__shoe_size")}
    rows = select("select id, properties__nick_name, properties__shoe_size from raw_crm.contacts order by id")
    assert rows == [("1", None, None), ("2", "Bob", "44")]


def test_quotes_newlines_and_nul_survive_the_journey(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    odd = 'a "quoted",\nbroken\\. line \\N \N{SNOWMAN}'
    vendor.contacts = [contact(1, email=odd), contact(2, email="nul\0byte"), contact(3, email="")]
    vendor.contacts[0]["tags"] = ['"', "\n", "nul\0byte"]
    vendor.page_size = 10
    land_source(open_at(), declare("crm"))
    rows = select("select properties__email, tags from raw_crm.contacts order by id")
    assert rows[0] == (odd, ['"', "\n", "nulbyte"])
    assert [row[0] for row in rows[1:]] == ["nulbyte", None]


def day(date: str, ad: str, spend: str) -> dict[str, str]:
    return {"date_start": date, "ad": ad, "spend": spend}


def test_a_restated_day_replaces_the_old_one_and_what_vanished_is_retired(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    workspace, source = open_at(), declare("ads")
    vendor.days = [
        day("2026-01-01", "a", "9"),
        day("2026-02-20", "a", "1"),
        day("2026-02-20", "b", "2"),
        day("2026-02-21", "a", "3"),
        day("2026-02-22", "a", "4"),
    ]
    assert land_source(workspace, source).rows["days"] == Counts(new=4), "28 days only"
    check_load(workspace, source, select("select load_id from ledger.source_load")[0][0])
    move_on(workspace, days=1)
    vendor.days = [day("2026-02-20", "a", "1.5"), day("2026-02-22", "a", "4")]
    assert land_source(workspace, source).rows["days"] == Counts(changed=1, deleted=2)
    open_days = select("select date_start, ad, spend from raw_ads.days where _dlt_valid_to is null order by 1, 2")
    assert open_days == [("2026-02-20", "a", "1.5"), ("2026-02-22", "a", "4")]


def test_days_before_the_window_are_left_alone(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    workspace, source = open_at(), declare("ads")
    vendor.days = [day("2026-02-20", "a", "1")]
    check_load(workspace, source, land_source(workspace, source).load_id)
    move_on(workspace, days=60)
    vendor.days = []
    assert land_source(workspace, source).rows["days"] == Counts()
    assert select("select count(*) from raw_ads.days where _dlt_valid_to is null") == [(1,)]


def test_graphql_pages_with_a_token_of_its_own(
    vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    vendor.orders = [
        {
            "id": f"gid://shop/Order/{number}",
            "updatedAt": "2026-03-01T00:00:00Z",
            "totalPriceSet": {"shopMoney": {"amount": "10.50"}},
            "lineItems": {"nodes": [{"id": 1}]},
        }
        for number in range(5)
    ]
    report = land_source(open_at(), declare("shop"))
    assert report.rows["orders"] == Counts(new=5)
    rows = select("select total_price_set__shop_money__amount, line_items from raw_shop.orders limit 1")
    assert rows == [("10.50", [{"id": 1}])]
    assert vendor.bodies("/graphql")[0]["variables"]["since"] == "updated_at:>='1970-01-01T00:00:00Z'"
    assert "{ nodes { id } pageInfo" in vendor.bodies("/graphql")[0]["query"], "braces of GraphQL stay"


@pytest.mark.parametrize("table", ["contacts", "consents"])
def test_each_open_key_is_there_once(
    table: str, vendor: Vendor, declare: Declare, open_at: Callable[..., Workspace], select: Select
) -> None:
    workspace, source = open_at(), declare("crm")
    for night in range(3):
        vendor.contacts = [contact(number, changed=f"2026-03-0{night + 1}T10:00:00Z") for number in range(1, 5)]
        vendor.consents = {f"p{number}@example.com": f"STATE {night}" for number in range(1, 5)}
        check_load(workspace, source, land_source(workspace, source).load_id)
        move_on(workspace, hours=24)
    assert select(f"select count(*) from raw_crm.{table} where _dlt_valid_to is null") == [(4,)]
    assert select(f"select count(*) from raw_crm.{table}") == [(12,)]
