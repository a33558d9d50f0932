"""Builds a run's tables with dbt, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safar.warehouse.build_lock import take_build_lock
from safar.warehouse.dbt import Progress, describe_warehouse, run_dbt
from safar.warehouse.manifest import Manifest
from safar.warehouse.pin import Pin, require_current
from safar.warehouse.results import NodeResult, list_red, read_recorded, record_results
from safar.workspace import Workspace


@dataclass(frozen=True)
class BuildReport:
    """What one dbt build made."""

    green_count: int
    red: tuple[NodeResult, ...]
    seconds: float

    def describe(self) -> str:
        """One line for a log."""
        text = f"built {self.green_count} models and tests in {self.seconds:.1f} s"
        if self.red:
            text += f"; red: {', '.join(one.node for one in self.red)}"
        return text


def build_models(
    workspace: Workspace,
    pin: Pin,
    *,
    select: Sequence[str] | None = None,
    exclude: Sequence[str] = ("path:models/decisions",),
    progress: Progress | None = None,
) -> BuildReport:
    """Builds and tests the selected models for this run and records each result; a red model does not raise.

    Args:
        select: dbt selectors; all of the run's cadence when left out.

    Raises:
        Superseded: a newer run of the cadence is pinned.
        DbtFailed: the project does not parse, or the warehouse does not answer.
    """
    # Unit tests judge the SQL on rows of their own, before it is released; a night has its own to judge.
    command = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
    command += ["--select", *(select or [f"tag:{pin.target}"])]
    if exclude:
        command += ["--exclude", *exclude]
    return run_for_pin(workspace, pin, command, progress=progress)


def run_missing_tests(workspace: Workspace, pin: Pin, manifest: Manifest) -> BuildReport | None:
    """Runs the tests whose tables this run has built, but that no model's own task could run.

    Where each model is a task, a test over two models of which neither stands on the other belongs to no task.

    Raises:
        Superseded: a newer run of the cadence is pinned.
    """
    results = read_recorded(workspace, pin)
    green = {node for node, result in results.items() if result.is_green}
    missing = manifest.list_tests(green & manifest.tables, built=green) - results.keys()
    if not missing:
        return None
    selectors = [f"fqn:{'.'.join(manifest.nodes[test]['fqn'])}" for test in sorted(missing)]
    return run_for_pin(workspace, pin, ["test", "--select", *selectors])


def run_for_pin(
    workspace: Workspace,
    pin: Pin,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Runs a dbt command that sees the run's pin, and records what became of each node.

    The same command for the same target waits for the one that is running.

    Args:
        environment: further variables, which win over the pin's own.

    Raises:
        Superseded: a newer run of the cadence is pinned.
        DbtFailed: the project does not parse, or the warehouse does not answer.
    """
    with take_build_lock(workspace, pin.target, *command):
        require_current(workspace, pin)
        started = time.monotonic()
        outcome = run_dbt(
            workspace.settings,
            command,
            target=pin.target,
            target_path=workspace.settings.home / "dbt" / pin.target,
            environment={**describe_warehouse(workspace), "SAFAR_PIN": pin.to_json(), **(environment or {})},
            progress=progress,
        )
        results = record_results(workspace, pin, outcome)
    red = list_red(results)
    return BuildReport(len(results) - len(red), tuple(red), time.monotonic() - started)
