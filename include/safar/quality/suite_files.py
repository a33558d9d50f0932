"""Reads expectation suites from YAML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from safar.errors import ConfigurationError


def read_expectations(files: Sequence[Path], table: str) -> list[dict[str, Any]]:
    """The expectations for ``table`` from all files, in order.

    A file holds either ``expectations: [...]`` (they apply to every table), or ``tables: {<table>: [...]}``,
    or both. Each entry is Great Expectations' own form: ``type``, ``kwargs``, ``severity``, ``meta``.

    Raises:
        ConfigurationError: a file is missing or has another form.
    """
    return [entry for file in files for entry in _read_file(file, table)]


def _read_file(file: Path, table: str) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read ({error.strerror}). Restore the suite or its path.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file} is not YAML: {error}") from error
    if not isinstance(content, dict) or not {"expectations", "tables"} & set(content):
        raise ConfigurationError(f"{file}: write `expectations: [...]` or `tables: {{<table>: [...]}}` at the top.")
    entries = [*(content.get("expectations") or []), *((content.get("tables") or {}).get(table) or [])]
    for position, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or "type" not in entry:
            raise ConfigurationError(f"{file}: expectation {position} of {table} has no `type`.")
    return entries
