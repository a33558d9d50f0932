"""The types of bulk operations, and the fields that start, find and cancel them."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.bulk import BulkOperation, BulkOperations
from sandbox.shopify.connection import Node
from sandbox.shopify.execution import QueryFault, Spec, prepare
from sandbox.shopify.parser import SyntaxFault, parse
from sandbox.shopify.specs import read_all, read_part

TYPES = {
    "BulkOperation": read_all(
        *("id", "status", "errorCode", "createdAt", "completedAt", "objectCount", "rootObjectCount", "fileSize"),
        *("url", "partialDataUrl", "query", "type"),
    ),
    "BulkOperationPayload": {
        "bulkOperation": read_part("bulkOperation", "BulkOperation"),
        "userErrors": read_part("userErrors", "BulkOperationUserError"),
    },
    "BulkOperationUserError": read_all("field", "message", "code"),
}


def add_bulk_operations(schema: dict[str, dict[str, Spec]], bulk: BulkOperations) -> None:
    """Lets a schema run its own queries in bulk."""

    def start(root: Any, arguments: dict[str, Any]) -> Node:
        query = str(arguments.get("query"))
        try:
            document = parse(query)
            steps = prepare(schema, document, document.choose(None), {}, has_pages=False)
            operation = bulk.start(query, steps, bool(arguments.get("groupObjects")))
        except (QueryFault, SyntaxFault) as fault:
            code = fault.answer["extensions"]["code"] if isinstance(fault, QueryFault) else "INVALID"
            return {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": str(fault), "code": code}]}
        return {"bulkOperation": operation.describe(), "userErrors": []}

    def describe(operation: BulkOperation | None) -> Node | None:
        return None if operation is None else operation.describe()

    def cancel(root: Any, arguments: dict[str, Any]) -> Node:
        return {"bulkOperation": describe(bulk.cancel(str(arguments.get("id")))), "userErrors": []}

    schema.update(TYPES)
    by_id = frozenset({"id"})
    started = frozenset({"query", "groupObjects"})
    schema["Mutation"]["bulkOperationRunQuery"] = Spec(start, "BulkOperationPayload", cost=10, arguments=started)
    schema["Mutation"]["bulkOperationCancel"] = Spec(cancel, "BulkOperationPayload", cost=10, arguments=by_id)
    schema["QueryRoot"]["bulkOperation"] = Spec(
        lambda root, arguments: describe(bulk.find(str(arguments.get("id")))), "BulkOperation", cost=1, arguments=by_id
    )
