"""A page of nodes as GraphQL serves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.shopify.pages import write_cursor

Node = dict[str, Any]


@dataclass
class Connection:
    """One page of nodes."""

    nodes: list[Node]
    places: list[tuple[int, int]]
    """Per node its number and what it is sorted by: what a cursor is made of."""
    has_next: bool = False
    has_previous: bool = False

    @classmethod
    def of_list(cls, nodes: list[Node], first: int) -> Connection:
        """The first of some nodes that are all at hand."""
        places = [(place, place) for place in range(min(first, len(nodes)))]
        return cls(nodes[:first], places, first < len(nodes))

    def edges(self) -> list[dict[str, Any]]:
        return [
            {"cursor": write_cursor(*place), "node": node} for place, node in zip(self.places, self.nodes, strict=True)
        ]

    def cursor_at(self, place: int) -> str | None:
        """The cursor of the first (0) or last (-1) node, if there is one."""
        return write_cursor(*self.places[place]) if self.places else None
