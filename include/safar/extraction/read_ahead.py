"""Lets a thread fetch the next page while this one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
PAGES_AHEAD = 2
LOOK_UP_EVERY = 0.2
"""Seconds after which a producer that nobody reads from looks whether it should end."""


class _Producer(threading.Thread):
    """Puts the items into ``ready`` as (kind, value): item, end or error."""

    def __init__(self, items: Iterator[Any], depth: int) -> None:
        super().__init__(name="pages-ahead", daemon=True)
        self.ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)
        self.is_over = threading.Event()
        self._items = items

    def run(self) -> None:
        try:
            for item in self._items:
                if not self._hand_over("item", item):
                    return
            self._hand_over("end", None)
        except BaseException as error:
            self._hand_over("error", error)

    def _hand_over(self, kind: str, value: Any) -> bool:
        while not self.is_over.is_set():
            try:
                self.ready.put((kind, value), timeout=LOOK_UP_EVERY)
                return True
            except queue.Full:
                continue
        return False


def read_ahead(items: Iterator[Item], depth: int = PAGES_AHEAD) -> Iterator[Item]:
    """Yields the same items, produced by a thread that stays up to ``depth`` of them ahead."""
    producer = _Producer(items, depth)
    producer.start()
    try:
        while True:
            kind, value = producer.ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        producer.is_over.set()
        producer.join(timeout=5)
