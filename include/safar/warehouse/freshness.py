"""Which sources have nothing checked for a moment yet."""

from __future__ import annotations

from datetime import datetime

from safar.catalogue import Catalogue
from safar.workspace import Workspace


def missing_sources(
    workspace: Workspace, catalogue: Catalogue, as_of: datetime, *, cadence: str | None = None
) -> list[str]:
    """The declared sources whose newest checked load landed before ``as_of`` (business time), or that have none.

    Args:
        cadence: look only at the sources that are extracted before its builds.
    """
    with workspace.open_ledger() as ledger:
        rows = ledger.execute(
            "select distinct source from ledger.source_load"
            " where status = 'checked' and repull is null and landed_at >= %s",
            [as_of],
        )
        fresh = {row[0] for row in rows}
    wanted = catalogue.sources if cadence is None else catalogue.name_sources(cadence)
    return sorted(set(wanted) - fresh)
