"""Finds a model's declared columns without reading the whole project: this runs at DAG parse."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from safar.catalogue.marked_yaml import read_marked_yaml


def find_columns(dbt_project: Path, model: str) -> tuple[str, ...] | None:
    """The declared columns of a model in their order, or None when no YAML under models/ declares it."""
    declaration = re.compile(rf"\bname:\s*['\"]?{re.escape(model)}['\"]?\s*(?:$|[,}}#])", re.MULTILINE)
    for path in sorted((dbt_project / "models").rglob("*.yml")):
        # Looking through a file's text is cheap, parsing it is not.
        if declaration.search(path.read_text(encoding="utf-8")):
            columns = _read_models(path, path.stat().st_mtime_ns).get(model)
            if columns is not None:
                return columns
    return None


@lru_cache(maxsize=64)
def _read_models(path: Path, modified_at: int) -> dict[str, tuple[str, ...]]:
    """The columns of each model in a file; several campaigns have the same goal."""
    declared = (read_marked_yaml(path).data or {}).get("models") or []
    return {
        str(model.get("name")): tuple(str(column.get("name")) for column in model.get("columns") or [])
        for model in declared
    }
