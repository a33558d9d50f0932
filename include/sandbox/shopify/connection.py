"""A page of nodes as GraphQL serves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.shopify.pages import read_cursor, write_cursor

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
    def of_list(cls, nodes: list[Node], arguments: dict[str, Any]) -> Connection:
        """A page of some nodes that are all at hand."""
        after = arguments.get("after")
        start = read_cursor(str(after))[0] + 1 if after else 0
        end = min(start + int(arguments["first"]), len(nodes))
        places = [(place, place) for place in range(start, end)]
        return cls(nodes[start:end], places, end < len(nodes), start > 0)

    def edges(self) -> list[dict[str, Any]]:
        return [
            {"cursor": write_cursor(*place), "node": node} for place, node in zip(self.places, self.nodes, strict=True)
        ]

    def cursor_at(self, place: int) -> str | None:
        """The cursor of the first (0) or last (-1) node, if there is one."""
        return write_cursor(*self.places[place]) if self.places else None
