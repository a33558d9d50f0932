"""What became of each dbt node in a run, remembered in ledger.model_result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from safar.warehouse.dbt import shorten_message
from safar.warehouse.pin import Pin
from safar.workspace import Workspace

GREEN = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class NodeResult:
    """The last result of a model, seed, snapshot or test, named by its unique_id."""

    node: str
    is_green: bool
    message: str | None

    @property
    def is_skipped(self) -> bool:
        """Whether dbt did not come to it because of another one."""
        return not self.is_green and (self.message or "").startswith("skipped")


UPSERT = """
insert into ledger.model_result (run_id, node, status, message)
values (%s, %s, %s, %s)
on conflict (run_id, node) do update
set status = excluded.status, message = excluded.message, recorded_at = clock_timestamp()
"""


def record_results(workspace: Workspace, pin: Pin, run_results: Any) -> list[NodeResult]:
    """Remembers each result as the node's latest in this run.

    Args:
        run_results: dbt's result object, the content of a run_results.json, or the path of one. A path
            without a file means that dbt died before its first node: nothing is recorded, nothing is green.
    """
    results = read_results(run_results)
    with workspace.open_ledger() as ledger, ledger.cursor() as cursor:
        cursor.executemany(
            UPSERT,
            [(pin.run_id, one.node, "green" if one.is_green else "red", one.message) for one in results],
        )
    return results


def read_results(run_results: Any) -> list[NodeResult]:
    """Reads results in any of the forms that `record_results` takes."""
    if isinstance(run_results, Path):
        if not run_results.is_file():
            return []
        run_results = orjson.loads(run_results.read_bytes())
    entries = run_results["results"] if isinstance(run_results, Mapping) else run_results.results
    return [_read_result(entry) for entry in entries]


def read_recorded(workspace: Workspace, pin: Pin) -> dict[str, NodeResult]:
    """Every result recorded for the run, by node."""
    with workspace.open_ledger() as ledger:
        rows = ledger.execute("select node, status, message from ledger.model_result where run_id = %s", [pin.run_id])
        return {node: NodeResult(node, status == "green", message) for node, status, message in rows}


def list_red(results: Iterable[NodeResult]) -> list[NodeResult]:
    """Those that are not green, by name."""
    return sorted((one for one in results if not one.is_green), key=lambda one: one.node)


def _read_result(entry: Any) -> NodeResult:
    if isinstance(entry, Mapping):
        node, status, message = entry["unique_id"], entry["status"], entry.get("message")
    else:
        node, status, message = entry.node.unique_id, entry.status, entry.message
    status = str(status)
    if status in GREEN:
        return NodeResult(node, True, None)
    return NodeResult(node, False, shorten_message(f"{status}: {message}" if message else status))
