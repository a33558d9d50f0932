"""Finds a model's declared columns without reading the whole project: this runs at DAG parse."""

from __future__ import annotations

from pathlib import Path

from safar.catalogue.marked_yaml import read_marked_yaml


def find_columns(dbt_project: Path, model: str) -> tuple[str, ...] | None:
    """The declared columns of a model in their order, or None when no YAML under models/ declares it."""
    for path in sorted((dbt_project / "models").rglob("*.yml")):
        # Reading a file is cheap, parsing is not: parse only where the name stands.
        if model not in path.read_text(encoding="utf-8"):
            continue
        for declared in (read_marked_yaml(path).data or {}).get("models") or []:
            if declared.get("name") == model:
                return tuple(str(column.get("name")) for column in declared.get("columns") or [])
    return None
