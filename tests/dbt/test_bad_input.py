"""What vendors should not send: nothing of it is an error, and no row is lost or doubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

AS_OF = datetime(2026, 1, 11, 23, tzinfo=UTC)
CREATED = datetime(2025, 1, 1, tzinfo=UTC)

CONTACTS = [
    {
        "id": "1",
        "properties__email": " \tAnna@Example.com\u00a0",
        "created_at": CREATED,
        "properties__birthday": "soon",
    },
    {
        "id": "2",
        "properties__email": "anna@example.com",
        "created_at": None,
        "properties__hs_timezone": "Nowhere/At_all",
    },
    {"id": "3", "properties__email": "none", "created_at": CREATED, "properties__hs_merged_object_ids": ";;3; ;2"},
    {"id": "4", "created_at": CREATED, "archived": True, "_deleted": True, "properties__email": "gone@example.com"},
]
STATUSES = [
    {
        "subscriber_id_string": "ANNA@example.com ",
        "subscription_id": 441,
        "channel": "EMAIL",
        "status": "SUBSCRIBED",
        "timestamp": CREATED,
    },
    {
        "subscriber_id_string": "anna@example.com",
        "subscription_id": 441,
        "channel": "EMAIL",
        "status": "SUBSCRIBED",
        "timestamp": CREATED,
    },
    {
        "subscriber_id_string": "stranger@example.com",
        "subscription_id": 441,
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "timestamp": None,
    },
    {"subscriber_id_string": None, "subscription_id": None, "channel": None, "status": None},
]
CUSTOMERS = [
    {"id": "c1", "email": "ANNA@EXAMPLE.COM", "created_at": CREATED, "tags": {"not": "a list"}},
    {"id": "c2", "email": None, "created_at": CREATED, "email_marketing_consent__marketing_state": "INVALID"},
    {
        "id": "c3",
        "email": "bo@example.com",
        "created_at": None,
        "email_marketing_consent__marketing_state": "SUBSCRIBED",
    },
]
ORDERS = [
    {"id": "o1", "customer__id": "c1", "created_at": CREATED, "total_price_set__shop_money__amount": "1e9"},
    {"id": "o2", "customer__id": "nobody", "created_at": CREATED, "total_price_set__shop_money__amount": "12.50"},
    {
        "id": "o3",
        "customer__id": None,
        "email": "bo@example.com",
        "created_at": CREATED,
        "refunds": Jsonb("garbage"),
        "line_items": Jsonb({"no": "list"}),
        "fulfillments": [7, {"id": "f1", "createdAt": "today"}],
        "total_price_set__shop_money__amount": "12.50",
        "total_refunded_set__shop_money__amount": "99",
    },
    {
        "id": "o4",
        "customer__id": "c1",
        "created_at": CREATED,
        "total_price_set__shop_money__amount": "-5.00",
        "line_items": [{"id": "l1", "quantity": "two", "product": "none"}, {"id": "l2", "quantity": 1.5}],
    },
    {"id": "o5", "customer__id": "c1", "created_at": AS_OF + timedelta(seconds=1)},
    {
        "id": "o6",
        "customer__id": "c1",
        "created_at": CREATED,
        "total_price_set__shop_money__amount": "10",
        "refunds": [{"createdAt": "yesterday", "totalRefundedSet": {"shopMoney": {"amount": "10"}}}, None, 7],
    },
]
CHECKOUTS = [
    {
        "id": "k1",
        "customer__id": None,
        "customer__email": "Bo@Example.com",
        "created_at": CREATED,
        "line_items": [{"title": "  Tea "}],
        "total_price_set__shop_money__amount": "",
    },
    {"id": "k2", "customer__id": "c1", "created_at": CREATED, "line_items": Jsonb("none")},
]
REFUNDS = [
    {"id": "o2", "refunds": Jsonb("none")},
    {"id": "o3", "refunds": [7, {"createdAt": CREATED.isoformat(), "refundLineItems": {"nodes": "none"}}]},
    {
        "id": "o4",
        "refunds": [
            {
                "createdAt": CREATED.isoformat(),
                "refundLineItems": {"nodes": [{"lineItem": {"id": "l1"}, "quantity": "all", "subtotalSet": 7}]},
            }
        ],
    },
]
RETURNS = [
    {"id": "o2", "returns": Jsonb({"no": "list"})},
    {"id": "o4", "returns": [{"createdAt": "soon"}, {"createdAt": CREATED.isoformat(), "returnLineItems": None}]},
]
PRODUCTS = [
    {"id": "p1", "title": " Tea ", "status": "active", "created_at": CREATED},
    {"id": "p2", "created_at": None},
    {"id": "p3", "created_at": AS_OF},
]
VARIANTS = [
    {"id": "v1", "product__id": "p1", "price": "8,90", "inventory_item__id": "i1", "created_at": CREATED},
    {"id": "v2", "product__id": "nothing", "price": "-1", "inventory_item__id": "i1", "created_at": CREATED},
]
LEVELS = [
    {"id": "s1", "item__id": "i1", "quantities": Jsonb("none")},
    {"id": "s2", "item__id": "i1", "quantities": [7, None, {"name": "available", "quantity": 1.5}]},
    {"id": "s3", "item__id": None, "quantities": None},
]
INSIGHTS = [
    {"account_id": "a", "ad_id": "x", "date_start": "2026-01-01", "impressions": "1", "clicks": "none", "spend": "1.5",
     "account_currency": "eur", "actions": {"no": "list"}},
    {"account_id": "a", "ad_id": "x", "date_start": "2026-02-31", "impressions": "1", "spend": "9"},
    {"account_id": "a", "ad_id": "x", "date_start": "2026-01-12", "impressions": "1", "spend": "9"},
]  # fmt: skip


@pytest.fixture(scope="module")
def built(warehouse: Any) -> Any:
    warehouse.land("raw_hubspot.contacts", CONTACTS)
    warehouse.land("raw_hubspot.subscription_statuses", STATUSES)
    warehouse.land("raw_shopify.customers", CUSTOMERS)
    warehouse.land("raw_shopify.orders", ORDERS)
    warehouse.land("raw_shopify.abandoned_checkouts", CHECKOUTS)
    warehouse.land("raw_shopify.order_refunds", REFUNDS)
    warehouse.land("raw_shopify.order_returns", RETURNS)
    warehouse.land("raw_shopify.products", PRODUCTS)
    warehouse.land("raw_shopify.product_variants", VARIANTS)
    warehouse.land("raw_shopify.inventory_levels", LEVELS)
    warehouse.land("raw_meta_ads.insights_daily", INSIGHTS)
    folders = ["intermediate", "marts/people", "marts/orders", "marts/products", "marts/ads", "marts/lifecycle"]
    warehouse.build([f"+path:models/{folder}" for folder in folders], AS_OF)
    return warehouse


def test_everything_is_green_and_each_record_is_there_once(built: Any) -> None:
    records = built.query("select record_id from nightly_intermediate.int_contact_records order by 1")
    assert [row["record_id"] for row in records] == [
        "hubspot:1", "hubspot:2", "hubspot:3", "hubspot:4", "shopify:c1", "shopify:c2", "shopify:c3",
    ]  # fmt: skip


def test_one_human_behind_four_spellings_and_a_merge(built: Any) -> None:
    people = built.query("select email, is_archived from nightly_marts.dim_contacts order by created_at, email")
    assert sorted((row["email"] or "", row["is_archived"]) for row in people) == [
        ("", False), ("", True), ("anna@example.com", False), ("bo@example.com", False),
    ]  # fmt: skip


def test_orders_are_kept_and_only_sound_ones_count(built: Any) -> None:
    orders = built.query("select * from nightly_marts.fct_orders order by order_id")
    assert [(row["order_id"], row["is_purchase"], row["contact_id"] is not None) for row in orders] == [
        ("o1", False, True), ("o2", True, False), ("o3", False, True), ("o4", False, True), ("o6", True, True),
    ]  # fmt: skip
    assert str(orders[2]["net_amount"]) == "0.00"


def test_carts_find_their_people_by_address_and_ads_their_day(built: Any) -> None:
    carts = built.query("select * from nightly_marts.fct_carts order by cart_id")
    assert [(row["contact_id"] is not None, row["first_item_title"], row["total_amount"]) for row in carts] == [
        (True, "Tea", None), (True, None, None),
    ]  # fmt: skip
    ads = built.query(
        "select spend_date::text, clicks_count, spend_amount::text, currency from nightly_marts.fct_ad_spend_daily"
    )
    assert ads == [{"spend_date": "2026-01-01", "clicks_count": 0, "spend_amount": "1.500000", "currency": "EUR"}]


def test_a_statement_told_in_two_spellings_is_one(built: Any) -> None:
    changes = built.query("select address, state, source from nightly_intermediate.int_permission_changes order by 1")
    assert [tuple(row.values()) for row in changes] == [
        ("anna@example.com", "pending", "hubspot"),
        ("stranger@example.com", "revoked", "hubspot"),
    ]


def test_products_that_are_told_badly_are_there_without_what_is_wrong(built: Any) -> None:
    rows = built.query(
        "select variant_id, product_title, price_amount, available_quantity from nightly_marts.dim_products"
    )
    assert sorted(map(tuple, map(dict.values, rows)), key=str) == [("v1", "Tea", None, None), ("v2", None, None, None)]
