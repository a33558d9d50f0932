"""Which rules a run was decided by: one hash over everything that could change its outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from safar.settings import Settings

WRITTEN_BY_DBT = frozenset({"target", "logs", "dbt_packages"})


def compute_rules_version(settings: Settings) -> str:
    """Hashes the dbt project (models, vars, seeds), the templates and the package's version."""
    digest = hashlib.sha256(version("safar").encode())
    for path in (*list_project_files(settings.dbt_project), *_list_files(settings.templates)):
        _add_file(digest, path, settings.project_root)
    return digest.hexdigest()[:16]


def fingerprint_project(dbt_project: Path) -> str:
    """Hashes what dbt reads: a manifest with another fingerprint is stale."""
    digest = hashlib.sha256()
    for path in list_project_files(dbt_project):
        _add_file(digest, path, dbt_project)
    return digest.hexdigest()[:16]


def list_project_files(dbt_project: Path) -> Iterator[Path]:
    """Every file of the dbt project but those that dbt itself writes, in a fixed order."""
    for path in _list_files(dbt_project):
        parts = path.relative_to(dbt_project).parts
        if parts[0] not in WRITTEN_BY_DBT and not any(part.startswith(".") for part in parts):
            yield path


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _add_file(digest: hashlib._Hash, path: Path, root: Path) -> None:
    digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
    digest.update(path.read_bytes())
