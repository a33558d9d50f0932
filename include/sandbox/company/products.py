"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CURRENCY = "EUR"


@dataclass(frozen=True)
class Product:
    """One thing on the shelf."""

    product_id: int
    variant_id: int
    """Each product comes in one variant."""
    inventory_item_id: int
    title: str
    kind: str
    sku: str
    price_cents: int
    status: str = "ACTIVE"


_KINDS = (
    ("Saffron", 1290), ("Black Tea", 890), ("Coffee Beans", 1450), ("Walnuts", 760), ("Pistachios", 1390),
    ("Dried Limes", 540), ("Rose Water", 680), ("Honey", 1150), ("Olive Oil", 1790), ("Dates", 720),
    ("Copper Pot", 5900), ("Tea Glasses", 2450), ("Linen Towel", 1690), ("Wool Rug", 18900), ("Clay Lamp", 3400),
    ("Notebook", 1240), ("Travel Bag", 7900), ("Walking Boots", 12900), ("Rain Jacket", 9900), ("Water Flask", 2190),
)  # fmt: skip
_MAKES = (("Classic", 1.0), ("Large", 1.6), ("Gift Set", 2.2))


def _make_product(index: int, kind: str, title: str, price_cents: int, status: str = "ACTIVE") -> Product:
    return Product(
        product_id=8_100_000_000 + index,
        variant_id=44_100_000_000 + index,
        inventory_item_id=46_100_000_000 + index,
        title=title,
        kind=kind,
        sku=f"SF-{index + 1:03d}",
        price_cents=price_cents,
        status=status,
    )


PRODUCTS = tuple(
    _make_product(index, kind, f"{kind}, {make}" if make != "Classic" else kind, round(cents * factor / 10) * 10)
    for index, (kind, cents, make, factor) in enumerate(
        (kind, cents, make, factor) for kind, cents in _KINDS for make, factor in _MAKES
    )
)
SHELF = (
    *PRODUCTS,
    _make_product(len(PRODUCTS), "Samovar", "Samovar", 24900, status="DRAFT"),
    _make_product(len(PRODUCTS) + 1, "Candles", "Candles", 990, status="ARCHIVED"),
)
"""All that the shop has or had; its end was never sold."""
PRICES = np.array([product.price_cents for product in PRODUCTS], dtype=np.int64)
_WISHES = 1.0 / np.sqrt(PRICES)
DEMAND = np.cumsum(_WISHES) / _WISHES.sum()
"""Chance that an item in a cart is this product or one before it; cheap things sell more."""
