"""What one visit tells: pages, products, searches, carts. From the seed and the visit's own name alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sandbox.clock import write_seconds
from sandbox.company.products import CURRENCY, PRODUCTS

NAMESPACE = uuid.UUID("b0a4c3de-5b39-4f2f-9a35-5f5f0f3b7f10")
SITE = "https://shop.example.com"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
# How people come: what the link says, and the page before.
ARRIVALS = (
    ("", "https://www.google.com/"),
    ("", "https://www.google.de/"),
    ("", ""),
    ("", ""),
    ("", "https://l.instagram.com/"),
    ("", "https://blog.example.org/tea"),
    ("?utm_source=newsletter&utm_medium=email&utm_campaign=spring", ""),
    ("?utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=saffron&gclid=Cj0K", "https://www.google.com/"),
    ("?gclid=Cj1K", "https://www.google.com/"),
    ("?fbclid=IwAR", "https://l.facebook.com/"),
    ("?utm_source=tiktok&utm_medium=paid_social&utm_campaign=carts&utm_content=video_1", ""),
)
WORDS = ("saffron", "tea", "gift", "rug", "boots", "honey")

Call = dict[str, Any]


def name(*parts: object) -> str:
    """An id that the same company gives again."""
    return str(uuid.uuid5(NAMESPACE, ":".join(map(str, parts))))


@dataclass
class Visit:
    """Calls of one device, one after the other.

    Args:
        key: what makes this visit itself: the seed and what it is about.
    """

    key: tuple[int, ...]
    device_id: str
    at: int
    is_bot: bool = False
    calls: list[Call] = field(default_factory=list)
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(list(self.key))
        draws = self.random.random(2)
        self.is_phone = not self.is_bot and draws[0] < 0.2
        self.link, self.referrer = ARRIVALS[int(draws[1] * len(ARRIVALS))]

    def tell(self, call: str, seconds: int, **more: Any) -> None:
        """Adds a call so many seconds after the visit's moment."""
        context: dict[str, Any] = {"userAgent": CRAWLER if self.is_bot else BROWSER, "locale": "de-DE"}
        if self.is_phone:
            context |= {"device": {"type": "ios"}, "app": {"version": "3.1.0"}}
        self.calls.append(
            {
                "type": call,
                "messageId": name(*self.key, len(self.calls)),
                "anonymousId": self.device_id,
                "timestamp": write_seconds(self.at + seconds),
                "context": context,
                **more,
            }
        )

    def arrive(self, seconds: int, path: str, title: str) -> None:
        if self.is_phone:
            self.tell("screen", seconds, name=title)
            return
        properties = {"url": f"{SITE}{path}{self.link}", "path": path, "title": title}
        if self.referrer:
            properties["referrer"] = self.referrer
        self.tell("page", seconds, name=title, properties=properties)

    def look_at(self, seconds: int, event: str, product: int, **more: Any) -> None:
        shown = PRODUCTS[product]
        told = {"product_id": str(shown.product_id), "sku": shown.sku, "name": shown.title, "currency": CURRENCY}
        self.tell("track", seconds, event=event, properties={**told, "price": shown.price_cents / 100, **more})


def visit_with_cart(seed: int, cart: int, person: int, at: int, product: int, is_checkout: bool) -> Visit:
    """Somebody fills a cart: it stands in the shop's table at the visit's moment."""
    visit = Visit((seed, 41, cart), name(seed, "device", person, cart % 2), at)
    visit.arrive(-240, f"/products/{PRODUCTS[product].sku.lower()}", PRODUCTS[product].title)
    visit.look_at(-239, "Product Viewed", product)
    visit.look_at(-60, "Product Added", product, quantity=1)
    if is_checkout:
        visit.tell("track", 0, event="Checkout Started", properties={"step": 1})
    return visit


def visit_of_stranger(seed: int, hour: int, number: int, visitors: int) -> Visit:
    """Somebody looks around and says no name; one in thirty is a program."""
    at = np.random.default_rng([seed, 42, hour, number])
    second, visitor, kind = int(at.integers(0, 3000)), int(at.integers(0, visitors)), float(at.random())
    is_bot = float(at.random()) < 1 / 30
    visit = Visit((seed, 43, hour, number), name(seed, "stranger", visitor), hour * 3600 + second, is_bot)
    product = int(visit.random.integers(0, len(PRODUCTS)))
    visit.arrive(0, "/", "Home")
    if kind < 0.5:
        visit.tell("track", 20, event="Product List Viewed", properties={"category": "kitchen"})
        visit.look_at(60, "Product Viewed", product)
    elif kind < 0.7:
        word = WORDS[int(visit.random.integers(0, len(WORDS)))]
        visit.tell("track", 15, event="Products Searched", properties={"query": word})
    elif kind < 0.75:
        visit.look_at(90, "Back In Stock Requested", product)
    elif kind < 0.8:
        visit.tell("track", 40, event="Form Step Completed", properties={"form_id": "newsletter", "step": 1})
    elif kind < 0.82:
        answer = {"survey_id": "nps", "question": "Would you recommend us?", "answer": str(int(kind * 1000) % 11)}
        visit.tell("track", 120, event="Survey Answered", properties=answer)
    elif kind < 0.85 and visit.is_phone:
        visit.tell("track", 1, event="Application Installed", properties={"version": "3.1.0"})
    return visit
