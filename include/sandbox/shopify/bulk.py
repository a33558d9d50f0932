"""Bulk operations: the whole answer to a query becomes a file of JSON lines, written while the client polls."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sandbox.answers import reading
from sandbox.clock import write_moment
from sandbox.company import Company
from sandbox.faults import declare_fault
from sandbox.shopify.connection import Connection, Node
from sandbox.shopify.execution import QueryFault, Step, execute

MOST_AT_ONCE = 5
MOST_CONNECTIONS, DEEPEST = 5, 2
ROWS_AT_ONCE = 250
ALL = 1_000_000
"""Inner lists have no pages in a bulk query."""

declare_fault(
    "bulk_expired",
    "A bulk operation of Shopify ends as EXPIRED: it took longer than ten days.",
    vendor="shopify",
    remedy="ask_again",
)
declare_fault(
    "bulk_cut",
    "A bulk operation of Shopify is COMPLETED, but the file lacks its last line.",
    vendor="shopify",
    remedy="give_up",
)


@dataclass
class BulkOperation:
    """One operation and how far it is."""

    number: int
    query: str
    root: Step
    are_groups_kept: bool
    path: Path
    url: str
    created_at: str
    status: str = "CREATED"
    error_code: str | None = None
    completed_at: str | None = None
    roots: int = 0
    lines: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def gid(self) -> str:
        return f"gid://shopify/BulkOperation/{self.number}"

    def describe(self) -> Node:
        is_done = self.status == "COMPLETED"
        return {
            "id": self.gid,
            "status": self.status,
            "errorCode": self.error_code,
            "createdAt": self.created_at,
            "completedAt": self.completed_at,
            "objectCount": str(self.lines),
            "rootObjectCount": str(self.roots),
            "fileSize": str(self.path.stat().st_size) if is_done else None,
            "url": self.url if is_done and self.lines else None,
            "partialDataUrl": None,
            "query": self.query,
            "type": "QUERY",
        }


class BulkOperations:
    """The operations since the server began."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._operations: dict[str, BulkOperation] = {}
        self.address = ""
        """Where this server is asked for files; known from the request that is being answered."""

    def start(self, query: str, steps: list[Step], are_groups_kept: bool) -> BulkOperation:
        """Begins to write the file of a query.

        Raises:
            QueryFault: the query is none that may run in bulk, or too many run already.
        """
        _require_bulk_query(steps)
        running = [one for one in self._operations.values() if one.status in ("CREATED", "RUNNING")]
        if len(running) >= MOST_AT_ONCE:
            message = f"A bulk query operation for this app and shop is already in progress: {running[0].gid}."
            raise QueryFault(message, "OPERATION_IN_PROGRESS")
        number, name = 7_000_000_000 + len(self._operations), f"bulk-{secrets.token_hex(16)}.jsonl"
        operation = BulkOperation(
            number=number,
            query=query,
            root=steps[0],
            are_groups_kept=are_groups_kept,
            path=self._company.config.home / name,
            url=f"{self.address}/bulk/{name}",
            created_at=write_moment(self._company.now),
        )
        self._operations[operation.gid] = operation
        operation.tasks.append(asyncio.get_running_loop().create_task(self._write(operation)))
        return operation

    def find(self, gid: str) -> BulkOperation | None:
        return self._operations.get(gid)

    def find_file(self, name: str) -> Path | None:
        """The file that was given out under this name."""
        return next((one.path for one in self._operations.values() if one.path.name == name), None)

    def cancel(self, gid: str) -> BulkOperation | None:
        operation = self._operations.get(gid)
        if operation is not None and operation.status in ("CREATED", "RUNNING"):
            operation.status = "CANCELED"
        return operation

    async def _write(self, operation: BulkOperation) -> None:
        if self._company.faults.take(("bulk_expired",), "shopify", operation.root.key):
            operation.status = "EXPIRED"
            return
        operation.status = "RUNNING"
        after: str | None = None
        lines: list[bytes] = []
        with operation.path.open("wb") as file:
            while operation.status == "RUNNING":
                async with reading(self._company):
                    try:
                        page, lines = self._read_page(operation, after)
                    except QueryFault as fault:
                        operation.status, operation.error_code = "FAILED", fault.answer["extensions"]["code"]
                        return
                file.writelines(lines)
                operation.roots += len(page.nodes)
                operation.lines += len(lines)
                after = page.cursor_at(-1)
                if not page.has_next:
                    break
                await asyncio.sleep(0)
            if lines and self._company.faults.take(("bulk_cut",), "shopify", operation.root.key):
                file.truncate(file.tell() - len(lines[-1]))
        if operation.status == "RUNNING":
            operation.status, operation.completed_at = "COMPLETED", write_moment(self._company.now)

    def _read_page(self, operation: BulkOperation, after: str | None) -> tuple[Connection, list[bytes]]:
        root = operation.root
        page = root.spec.resolve(None, {**root.arguments, "first": ROWS_AT_ONCE, "after": after})
        steps = _find_node_steps(root)
        families = [list(_tell(steps, node, None)) for node in page.nodes]
        if not operation.are_groups_kept:
            families = [[line for family in families for line in family[:1]], *(family[1:] for family in families)]
        return page, [orjson.dumps(line) + b"\n" for family in families for line in family]


def _tell(steps: list[Step], node: Node, parent: Any) -> Iterator[dict[str, Any]]:
    """A node and below it the nodes of its connections, each with the id of its parent."""
    told = execute([step for step in steps if not step.spec.is_connection], node)
    yield told if parent is None else {**told, "__parentId": parent}
    for step in steps:
        if step.spec.is_connection:
            children = step.spec.resolve(node, {**step.arguments, "first": ALL})
            for child in children.nodes:
                yield from _tell(_find_node_steps(step), child, node["id"])


def _find_node_steps(step: Step) -> list[Step]:
    """What a connection's selection asks of each node."""
    for inner in step.steps or []:
        if inner.spec.type_name is not None and inner.spec.type_name.endswith("Edge"):
            return next((one.steps or [] for one in inner.steps or [] if one.spec.type_name is not None), [])
        if inner.spec.type_name not in (None, "PageInfo"):
            return inner.steps or []
    return []


def _require_bulk_query(steps: list[Step]) -> None:
    if len(steps) != 1 or not steps[0].spec.is_connection:
        raise QueryFault("Bulk queries must contain exactly one top-level connection.", "INVALID")
    found = list(_walk_connections(steps, 0, False))
    if len(found) > MOST_CONNECTIONS:
        raise QueryFault("Bulk queries cannot contain more than 5 connections.", "INVALID")
    if any(depth > DEEPEST for depth, _ in found):
        raise QueryFault("Bulk queries cannot contain connections with a nesting depth greater than 2.", "INVALID")
    if any(is_in_list for _, is_in_list in found):
        message = "Queries that contain a connection field within a list field are not currently supported."
        raise QueryFault(message, "INVALID")


def _walk_connections(steps: list[Step], depth: int, is_in_list: bool) -> Iterator[tuple[int, bool]]:
    """Each connection: below how many others it stands, and whether inside a list."""
    for step in steps:
        if step.spec.is_connection:
            yield depth, is_in_list
            yield from _walk_connections(_find_node_steps(step), depth + 1, is_in_list)
        elif step.steps:
            yield from _walk_connections(step.steps, depth, is_in_list or step.spec.is_list)
