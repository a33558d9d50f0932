"""The real dbt project, parsed once and run in this process against one scratch database."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner

from safar.settings import PROJECT_ROOT

PROJECT = Path(os.environ.get("SAFAR_TEST_DBT_PROJECT", PROJECT_ROOT / "dbt_project"))


@dataclass
class DbtProject:
    """dbt with its manifest kept in memory. ``environment`` tells it where the warehouse is."""

    environment: dict[str, str]
    target_path: Path
    manifest: Any = None

    def parse(self) -> None:
        self.manifest = self.run(["parse"], {}).result

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> Any:
        """Runs a command; a node that is not green fails the test with dbt's message."""
        arguments = [
            *command,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(self.target_path), "--log-path", str(self.target_path / "logs")),
            *("--target", "nightly", "--log-level", "none", "--log-level-file", "none", "--no-write-json"),
            *("--cache-selected-only", "--no-send-anonymous-usage-stats", "--no-version-check"),
        ]
        before = dict(os.environ)
        os.environ.update({**self.environment, **environment})
        try:
            outcome = dbtRunner(manifest=self.manifest).invoke(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
        if outcome.exception is not None:
            raise outcome.exception
        for result in getattr(outcome.result, "results", []):
            assert result.status in ("success", "pass"), f"{result.node.unique_id}: {result.message}"
        return outcome

    def create_table(self, connection: psycopg.Connection[Any], name: str) -> None:
        """Creates an empty table with the columns of a model's contract, where the model would stand."""
        node = next(
            node for node in self.manifest.nodes.values() if node.resource_type == "model" and node.name == name
        )
        columns = ", ".join(f"{column.name} {column.data_type}" for column in node.columns.values())
        connection.execute(f"create schema if not exists {node.schema}")
        connection.execute(f"create table {node.schema}.{node.alias} ({columns})")
