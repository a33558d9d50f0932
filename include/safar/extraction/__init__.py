"""From a vendor API or a folder of files to checked, versioned rows in raw_<source>."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safar.extraction.checking import check_load
    from safar.extraction.landing import land_source
    from safar.extraction.put_off import LoadPutOff
    from safar.extraction.report import Counts, LoadReport
    from safar.extraction.repull import Repull, read_repull
    from safar.quality import CheckFailed

# dlt reads these when it is first used. Its log repeats rows that a database refuses: personal data.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")
os.environ.setdefault("LOAD__RAISE_ON_MAX_RETRIES", "2")

_HOMES = {
    "check_load": "safar.extraction.checking",
    "land_source": "safar.extraction.landing",
    "Repull": "safar.extraction.repull",
    "read_repull": "safar.extraction.repull",
    "LoadPutOff": "safar.extraction.put_off",
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


__all__ = [
    "CheckFailed",
    "Counts",
    "LoadPutOff",
    "LoadReport",
    "Repull",
    "check_load",
    "land_source",
    "read_repull",
]
