"""The types of refunds and returns."""

from __future__ import annotations

from sandbox.shopify.specs import read_all, read_money, read_pages, read_part

MONEY_BACK = {
    "Refund": {
        **read_all("id", "createdAt", "updatedAt", "note"),
        "totalRefundedSet": read_money("totalRefundedSet"),
        "refundLineItems": read_pages("refundLineItems", "RefundLineItem"),
    },
    "RefundLineItem": {
        **read_all("id", "quantity", "restockType"),
        "subtotalSet": read_money("subtotalSet"),
        "lineItem": read_part("lineItem", "LineItem", cost=1),
    },
    "Return": {
        **read_all("id", "name", "status", "totalQuantity", "createdAt", "closedAt"),
        "returnLineItems": read_pages("returnLineItems", "ReturnLineItem"),
    },
    "ReturnLineItem": {
        **read_all("id", "quantity", "refundedQuantity"),
        "returnReasonDefinition": read_part("returnReasonDefinition", "ReturnReasonDefinition", cost=1),
        "fulfillmentLineItem": read_part("fulfillmentLineItem", "FulfillmentLineItem", cost=1),
    },
    "ReturnReasonDefinition": read_all("id", "handle", "name"),
    "FulfillmentLineItem": {**read_all("id"), "lineItem": read_part("lineItem", "LineItem", cost=1)},
}
