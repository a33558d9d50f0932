"""From a vendor API or a folder of files to checked, versioned rows in raw_<source>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safar.extraction.checking import check_load
    from safar.extraction.landing import land_source
    from safar.extraction.report import Counts, LoadReport
    from safar.quality import CheckFailed

_HOMES = {
    "check_load": "safar.extraction.checking",
    "land_source": "safar.extraction.landing",
    "Counts": "safar.extraction.report",
    "LoadReport": "safar.extraction.report",
    "CheckFailed": "safar.quality",
}


def __getattr__(name: str) -> Any:
    """Imports dlt and Great Expectations only when somebody extracts: they cost seconds."""
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


__all__ = ["CheckFailed", "Counts", "LoadReport", "check_load", "land_source"]
