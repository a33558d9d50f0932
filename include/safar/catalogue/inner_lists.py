"""Lists inside a record that come in pages of their own, as connections inside GraphQL's nodes do.

What did not come with the record is asked for, page by page, and joined to what came; so a record is whole or the load
fails. The endpoint's own query asks for ``has_more`` beside the items. In ``json`` stand ``{inner.id}``, the id of the
object that holds the list, and ``{inner.after}``, the end of the page before::

    endpoint:
      path: /graphql
      inner:
        - path: lineItems
          json: {query: "query ...", variables: {id: "{inner.id}", after: "{inner.after}"}}
          selector: data.node.lineItems
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from safar.catalogue.frozen import Frozen


class InnerList(Frozen):
    """One such list. It stays in the record under ``items``; what only served for paging is dropped."""

    path: str
    """Dotted, from the record to the list's page; lists on the way are gone through: ``refunds.refundLineItems``."""
    json_: dict[str, Any] = Field(alias="json")
    """Sent to the endpoint's own path, to ask for the next page of one list."""
    selector: str
    """Where in the answer to that the next page stands, shaped like the first one."""
    id: str = "id"
    """The field that the object which holds the list is known by."""
    items: str = "nodes"
    """Where in a page its items stand."""
    has_more: str = "pageInfo.hasNextPage"
    """Where in a page the vendor says whether another follows."""
    cursor: str = "pageInfo.endCursor"
    """Where in a page its end is named."""
