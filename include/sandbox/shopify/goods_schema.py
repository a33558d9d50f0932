"""The types of what the shop sells and where it lies."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.execution import QueryFault, Spec
from sandbox.shopify.specs import PAGE_ARGUMENTS, read_all, read_pages, read_part


def _quantities(level: dict[str, Any], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Raises:
    QueryFault: a name of a quantity that the shop does not have.
    """
    quantities: dict[str, int] = level["quantities"]
    names = arguments.get("names") or []
    unknown = [name for name in names if name not in quantities]
    if unknown or not names:
        raise QueryFault(f"{unknown} are not quantity names", "BAD_REQUEST", ("quantities",))
    return [{"name": name, "quantity": quantities[name]} for name in names]


GOODS = {
    "Product": {
        **read_all("id", "title", "handle", "vendor", "productType", "status", "tags", "createdAt", "updatedAt"),
        **read_all("publishedAt", "onlineStoreUrl"),
        "featuredMedia": read_part("featuredMedia", "Media", cost=1),
        "variants": read_pages("variants", "ProductVariant"),
    },
    "Media": {"preview": read_part("preview", "MediaPreviewImage")},
    "MediaPreviewImage": {"image": read_part("image", "Image")},
    "Image": read_all("url", "altText"),
    "ProductVariant": {
        **read_all("id", "title", "displayName", "sku", "barcode", "price", "compareAtPrice", "position"),
        **read_all("inventoryQuantity", "inventoryPolicy", "createdAt", "updatedAt"),
        "product": read_part("product", "Product", cost=1),
        "inventoryItem": read_part("inventoryItem", "InventoryItem", cost=1),
    },
    "InventoryItem": {**read_all("id", "sku", "tracked"), "variant": read_part("variant", "ProductVariant", cost=1)},
    "Location": {
        **read_all("id", "name", "isActive", "fulfillsOnlineOrders", "createdAt", "updatedAt"),
        "inventoryLevels": Spec(
            lambda node, arguments: node["inventoryLevels"](arguments),
            "InventoryLevelConnection",
            is_connection=True,
            arguments=PAGE_ARGUMENTS,
        ),
    },
    "InventoryLevel": {
        **read_all("id", "isActive", "updatedAt"),
        "item": read_part("item", "InventoryItem", cost=1),
        "quantities": Spec(_quantities, "InventoryQuantity", cost=1, arguments=frozenset({"names"})),
    },
    "InventoryQuantity": read_all("name", "quantity"),
}
