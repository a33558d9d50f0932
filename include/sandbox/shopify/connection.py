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
    cursors: list[str]
    has_next: bool = False
    has_previous: bool = False

    @classmethod
    def of_list(cls, nodes: list[Node], first: int) -> Connection:
        """The first of some nodes that are all at hand."""
        cursors = [write_cursor(place, place) for place in range(min(first, len(nodes)))]
        return cls(nodes[:first], cursors, first < len(nodes))

    def edges(self) -> list[dict[str, Any]]:
        return [{"cursor": cursor, "node": node} for cursor, node in zip(self.cursors, self.nodes, strict=True)]
