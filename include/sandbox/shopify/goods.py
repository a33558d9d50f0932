"""Products, their variants and what is in stock, as GraphQL nodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sandbox.clock import write_seconds
from sandbox.company import Company
from sandbox.company.columns import Array
from sandbox.company.products import SHELF, Product
from sandbox.company.stock import LOCATIONS, Location, Stock, count_stock, find_praised, list_product_moments
from sandbox.shopify.connection import Connection, Node
from sandbox.shopify.search import filter_rows

OF_THE_MONTH = "product-of-the-month"
IMAGES = "https://shop.example.com/cdn"


class Sold(Node):
    """A product or a variant as a line of an order names it; whatever else is asked of it is found then."""

    def __init__(self, find: Callable[[], Node], **known: str) -> None:
        super().__init__(known)
        self._find = find

    def __missing__(self, name: str) -> Any:
        self.update(self._find())
        return self[name]


def name_product(company: Company, number: int) -> Node:
    product = SHELF[number]
    find = partial(_make_one, make_products, company, number)
    return Sold(find, id=_gid("Product", product.product_id), title=product.title)


def name_variant(company: Company, number: int) -> Node:
    product = SHELF[number]
    find = partial(_make_one, make_variants, company, number)
    return Sold(find, id=_gid("ProductVariant", product.variant_id), sku=product.sku)


def _make_one(make: Callable[[Company, Array, list[int]], list[Node]], company: Company, number: int) -> Node:
    updated = int(list_product_moments(company.config.start, company.now)[1][number])
    return make(company, np.array([number]), [updated])[0]


def make_products(company: Company, numbers: Array, updated: list[int]) -> list[Node]:
    created = list_product_moments(company.config.start, company.now)[0]
    return [
        _make_product(company, number, int(created[number]), moment)
        for number, moment in zip(numbers.tolist(), updated, strict=True)
    ]


def make_variants(company: Company, numbers: Array, updated: list[int]) -> list[Node]:
    created = list_product_moments(company.config.start, company.now)[0]
    available = np.sum([_count(company, place).available for place in LOCATIONS], axis=0)
    return [
        _make_variant(company, number, int(created[number]), moment, int(available[number]))
        for number, moment in zip(numbers.tolist(), updated, strict=True)
    ]


def make_locations(company: Company, numbers: Array, updated: list[int]) -> list[Node]:
    return [
        {
            "id": _gid("Location", LOCATIONS[number].location_id),
            "name": LOCATIONS[number].name,
            "isActive": True,
            "fulfillsOnlineOrders": LOCATIONS[number].serves_online,
            "createdAt": write_seconds(moment),
            "updatedAt": write_seconds(moment),
            "inventoryLevels": partial(_read_levels, company, LOCATIONS[number]),
        }
        for number, moment in zip(numbers.tolist(), updated, strict=True)
    ]


def _make_product(company: Company, number: int, created: int, updated: int) -> Node:
    product = SHELF[number]
    handle = product.title.lower().replace(",", "").replace(" ", "-")
    is_active = product.status == "ACTIVE"
    return {
        "id": _gid("Product", product.product_id),
        "title": product.title,
        "handle": handle,
        "vendor": "Safar",
        "productType": product.kind,
        "status": product.status,
        "tags": [OF_THE_MONTH] if number == find_praised(company.now) else [],
        "createdAt": write_seconds(created),
        "updatedAt": write_seconds(updated),
        "publishedAt": write_seconds(created) if is_active else None,
        "onlineStoreUrl": f"https://shop.example.com/products/{handle}" if is_active else None,
        "featuredMedia": {"preview": {"image": {"url": f"{IMAGES}/{handle}.jpg", "altText": product.title}}},
        "variants": lambda: [name_variant(company, number)],
    }


def _make_variant(company: Company, number: int, created: int, updated: int, available: int) -> Node:
    product = SHELF[number]
    return {
        "id": _gid("ProductVariant", product.variant_id),
        "title": "Default Title",
        "displayName": f"{product.title} - Default Title",
        "sku": product.sku,
        "barcode": None,
        "price": f"{product.price_cents / 100:.2f}",
        "compareAtPrice": _tell_former_price(number, product),
        "position": 1,
        "inventoryQuantity": available,
        "inventoryPolicy": "DENY",
        "createdAt": write_seconds(created),
        "updatedAt": write_seconds(updated),
        "product": name_product(company, number),
        "inventoryItem": {
            "id": _gid("InventoryItem", product.inventory_item_id),
            "sku": product.sku,
            "tracked": True,
            "variant": name_variant(company, number),
        },
    }


def _tell_former_price(number: int, product: Product) -> str | None:
    return f"{product.price_cents * 5 // 4 / 100:.2f}" if number % 10 == 3 else None


def _read_levels(company: Company, location: Location, arguments: dict[str, Any]) -> Connection:
    stock = _count(company, location)
    columns = {"id": np.arange(len(stock.available)), "updated_at": stock.updated}
    numbers = np.flatnonzero(filter_rows(str(arguments.get("query") or ""), columns)[0])
    return Connection.of_list([_make_level(company, location, number, stock) for number in numbers.tolist()], arguments)


def _make_level(company: Company, location: Location, number: int, stock: Stock) -> Node:
    product, available = SHELF[number], int(stock.available[number])
    key = f"{location.location_id}?inventory_item_id={product.inventory_item_id}"
    return {
        "id": f"gid://shopify/InventoryLevel/{key}",
        "updatedAt": write_seconds(int(stock.updated[number])),
        "isActive": True,
        "item": {
            "id": _gid("InventoryItem", product.inventory_item_id),
            "sku": product.sku,
            "tracked": True,
            "variant": name_variant(company, number),
        },
        "quantities": {"available": available, "on_hand": available},
    }


def _count(company: Company, location: Location) -> Stock:
    return count_stock(company.shop, location, company.seed, company.config.people, company.now)


def _gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"
