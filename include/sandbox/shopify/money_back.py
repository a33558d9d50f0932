"""Refunds and returns of an order as GraphQL nodes."""

from __future__ import annotations

from typing import Any

from sandbox.clock import write_seconds
from sandbox.company.returns import RefundLine, choose_reason, split_refund
from sandbox.shopify.connection import Node

Row = dict[str, Any]
REFUND_BASE, RETURN_BASE, FIRST_ORDER_NAME = 9_000_000_000, 2_000_000_000, 1001


def make_refunds(number: int, order: Row, cart: Row, lines: dict[int, Node], now: int) -> list[Node]:
    """Describes the refund of an order, if there was one by a moment; ``lines`` are its line items by place."""
    if order["refunded_at"] > now:
        return []
    moment = write_seconds(order["refunded_at"])
    came_back = order["return_asked_at"] <= now
    restocking = "CANCEL" if order["cancelled_at"] <= now else "RETURN" if came_back else "NO_RESTOCK"
    refund = {
        "id": f"gid://shopify/Refund/{REFUND_BASE + number}",
        "createdAt": moment,
        "updatedAt": moment,
        "note": None,
        "totalRefundedSet": order["refund_cents"],
        "refundLineItems": [
            {
                "id": f"gid://shopify/RefundLineItem/{10 * (REFUND_BASE + number) + line.place}",
                "quantity": line.quantity,
                "restockType": restocking,
                "subtotalSet": line.cents,
                "lineItem": lines[line.place],
            }
            for line in split_refund(cart, order["refund_cents"])
        ],
    }
    return [refund]


def make_returns(number: int, order: Row, cart: Row, lines: dict[int, Node], now: int) -> list[Node]:
    """Describes the return of an order, if one was asked for by a moment."""
    if order["return_asked_at"] > now:
        return []
    is_closed = order["refunded_at"] <= now
    wanted = split_refund(cart, order["refund_cents"])
    told = {
        "id": f"gid://shopify/Return/{RETURN_BASE + number}",
        "name": f"#{FIRST_ORDER_NAME + number}-R1",
        "status": "CLOSED" if is_closed else "OPEN",
        "totalQuantity": sum(line.quantity for line in wanted),
        "createdAt": write_seconds(order["return_asked_at"]),
        "closedAt": write_seconds(order["refunded_at"]) if is_closed else None,
        "returnLineItems": [_make_return_line(number, line, lines[line.place], is_closed) for line in wanted],
    }
    return [told]


def _make_return_line(number: int, line: RefundLine, item: Node, is_closed: bool) -> Node:
    handle, name = choose_reason(number, line.place)
    key = 10 * (RETURN_BASE + number) + line.place
    return {
        "id": f"gid://shopify/ReturnLineItem/{key}",
        "quantity": line.quantity,
        "refundedQuantity": line.quantity if is_closed else 0,
        "returnReasonDefinition": {
            "id": f"gid://shopify/ReturnReasonDefinition/{handle}",
            "handle": handle,
            "name": name,
        },
        "fulfillmentLineItem": {"id": f"gid://shopify/FulfillmentLineItem/{key}", "lineItem": item},
    }


def tell_return_status(order: dict[str, Any], now: int) -> str:
    """The order's own word for how far its returns are."""
    if order["return_asked_at"] > now:
        return "NO_RETURN"
    return "RETURNED" if order["refunded_at"] <= now else "IN_PROGRESS"
