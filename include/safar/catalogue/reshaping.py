"""How a vendor's record becomes rows where its shape is not a table's."""

from __future__ import annotations

from pydantic import Field

from safar.catalogue.frozen import Frozen


class Unnest(Frozen):
    """The elements of a list inside each record are the rows, instead of the record.

    A record without the list is a row itself, so it ends in quarantine by its missing key and not in silence.
    """

    list_: str = Field(alias="list")
    """Where the list stands in the record, dotted."""
    keep: dict[str, str] = Field(default_factory=dict)
    """Where something stands in the record, dotted -> the field of each row that gets it."""
    more: str | None = None
    """Where the record says that its list goes on elsewhere, dotted. When something stands there, the load fails: what
    was cut must not be taken for whole."""
