"""Reads the heavy libraries into memory ahead of their use."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

HEAVY = ("dbt.cli.main", "dbt.adapters.postgres", "great_expectations", "dlt")
"""They cost seconds to import; functions that need one import it when they are called."""


def import_libraries(names: Iterable[str] = HEAVY) -> None:
    """Imports each of them once; whoever needs one later finds it in memory."""
    for name in names:
        import_module(name)
