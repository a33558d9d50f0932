"""What the declared source `shopify` lands of the sandbox's shop, with the truth as the judge."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from safar.catalogue.source import Source, read_sources
from safar.extraction import Counts, check_load, land_source
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

Open = Callable[..., Workspace]
Select = Callable[..., list[tuple[Any, ...]]]
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
PAGED = re.compile(r"(\w+)\(first: (\d+)")


@pytest.fixture
def shop(company: str, connections: dict[str, Any]) -> str:
    """The sandbox's root, with a connection to its shop."""
    connections["shopify"] = {
        "host": f"{company}/shopify",
        "login": "shop-sandbox",
        "password": "shop-secret",
        "extra": {"api_version": "2026-07"},
    }
    return company


@pytest.fixture
def declare_shop(tmp_path: Path) -> Callable[..., Source]:
    """Reads the declared source, changed where the test says so."""

    def declare(*changes: tuple[str, str]) -> Source:
        text = (DBT_PROJECT / "models/staging/shopify/_shopify__sources.yml").read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        folder = tmp_path / "project" / "dbt_project" / "models" / "staging" / "shopify"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_shopify__sources.yml").write_text(text)
        return read_sources(tmp_path / "project" / "dbt_project")["shopify"]

    return declare


def test_each_line_of_each_order_lands_however_few_a_page_tells(
    shop: str, open_at: Open, declare_shop: Callable[..., Source], select: Select
) -> None:
    one_at_a_time = (("lineItems(first: 10)", "lineItems(first: 1)"), ("lineItems(first: 250,", "lineItems(first: 1,"))
    report = land_source(open_at(), declare_shop(*one_at_a_time))
    assert report.undeclared == {}
    landed = select(
        "select line ->> 'id', orders.id, line ->> 'sku', (line ->> 'quantity')::int, "
        "round((line #>> '{originalUnitPriceSet,shopMoney,amount}')::numeric * 100)::int * (line ->> 'quantity')::int, "
        "round((line #>> '{discountedTotalSet,shopMoney,amount}')::numeric * 100)::int "
        "from raw_shopify.orders, jsonb_array_elements(line_items) as line order by 1"
    )
    truth = requests.get(f"{shop}/truth/order_lines", timeout=60).json()
    names = ("id", "order_id", "sku", "quantity", "list_cents", "charged_cents")
    assert landed == sorted(tuple(line[name] for name in names) for line in truth)
    assert max(select("select jsonb_array_length(line_items) from raw_shopify.orders")) == (3,)
    carts = select(
        "select max(jsonb_array_length(line_items)), bool_and(line_items is not null) from raw_shopify.abandoned_checkouts"
    )
    assert carts == [(3, True)]


def test_every_list_that_comes_in_pages_is_read_to_its_end() -> None:
    for table in read_sources(DBT_PROJECT)["shopify"].tables:
        endpoint = table.extract.endpoint
        assert endpoint is not None
        assert endpoint.json_ is not None
        paged = [name for name, _ in PAGED.findall(endpoint.json_["query"])]
        inside = [name for name in paged if f".{name}." not in f"{endpoint.data_selector}."]
        assert sorted(inside) == sorted(rule.path.split(".")[-1] for rule in endpoint.inner), table.name


def test_what_there_is_to_buy_lands_with_its_stock(
    shop: str, open_at: Open, declare_shop: Callable[..., Source], select: Select
) -> None:
    workspace, source = open_at(), declare_shop(("inventoryLevels(first: 250", "inventoryLevels(first: 7"))
    report = land_source(workspace, source)
    assert report.undeclared == {}
    landed = select(
        "select variant.id, place.name, (quantity ->> 'quantity')::int from raw_shopify.product_variants as variant "
        "join raw_shopify.inventory_levels as level on level.item__id = variant.inventory_item__id "
        "join raw_shopify.locations as place on place.id = level.location_id, "
        "jsonb_array_elements(level.quantities) as quantity where quantity ->> 'name' = 'available' order by 1, 2"
    )
    truth = requests.get(f"{shop}/truth/stock", timeout=60).json()
    assert landed == sorted((one["variant_id"], one["location"], one["available"]) for one in truth)
    assert select(
        "select count(*) from raw_shopify.product_variants join raw_shopify.products on product__id = products.id"
    ) == [(62,)]
    check_load(workspace, source, report.load_id)
    again = land_source(workspace, source)
    assert again.rows["inventory_levels"] == Counts()
    assert again.rows["products"] == Counts()


def test_what_comes_back_lands_with_its_reason_and_its_money(
    shop: str, open_at: Open, declare_shop: Callable[..., Source], select: Select
) -> None:
    one_at_a_time = [
        (f"{name}(first: {size}", f"{name}(first: 1")
        for name, size in [
            *(("refundLineItems", 10), ("refundLineItems", 250)),
            *(("returns", 3), ("returns", 20), ("returnLineItems", 100), ("returnLineItems", 10)),
        ]
    ]
    report = land_source(open_at(), declare_shop(*one_at_a_time))
    assert report.undeclared == {}
    refunded = select(
        "select line #>> '{lineItem,id}', sum((line ->> 'quantity')::int), "
        "round(sum((line #>> '{subtotalSet,shopMoney,amount}')::numeric) * 100)::int from raw_shopify.order_refunds, "
        "jsonb_array_elements(refunds) as refund, jsonb_array_elements(refund #> '{refundLineItems,nodes}') as line "
        "group by 1 order by 1"
    )
    returned = select(
        "select line #>> '{fulfillmentLineItem,lineItem,id}', (line ->> 'quantity')::int, "
        "line #>> '{returnReasonDefinition,handle}' from raw_shopify.order_returns, "
        "jsonb_array_elements(returns) as one, jsonb_array_elements(one #> '{returnLineItems,nodes}') as line order by 1"
    )
    truth = requests.get(f"{shop}/truth/returns", timeout=60).json()
    assert refunded == sorted(
        (one["line_id"], one["quantity"], one["refunded_cents"]) for one in truth if one["is_refunded"]
    )
    assert returned == sorted((one["line_id"], one["quantity"], one["reason"]) for one in truth if one["reason"])
    assert 5 < len(returned) < len(refunded)
    assert len({reason for _, _, reason in returned}) > 2
