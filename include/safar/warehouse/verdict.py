"""The last word on a run: a red night is never green."""

from __future__ import annotations

from safar.errors import SafarError
from safar.warehouse.manifest import read_manifest
from safar.warehouse.pin import Pin
from safar.warehouse.results import list_red, read_recorded
from safar.workspace import Workspace


class RedModels(SafarError):
    """Models or tests of the run are red, or were never built. ``nodes`` names them by unique_id."""

    alert_kind = None

    def __init__(self, message: str, nodes: list[str]) -> None:
        super().__init__(message)
        self.nodes = nodes


def give_verdict(workspace: Workspace, pin: Pin) -> None:
    """Passes when every table of the run's cadence was built in this run and every result is green.

    Raises:
        RedModels: that is not so; the message names each node with its reason.
    """
    manifest = read_manifest(workspace.settings)
    results = read_recorded(workspace, pin)
    red = list_red(results.values())
    missing = sorted(manifest.list_built(pin.target) - results.keys())
    if not red and not missing:
        return
    lines = [f"  {one.node}: {one.message}" for one in red] + [f"  {node}: not built in this run" for node in missing]
    raise RedModels(
        f"{len(lines)} models or tests of {pin.run_id} are not green. Mend them, then clear their tasks "
        "and those after them:\n" + "\n".join(lines),
        [*(one.node for one in red), *missing],
    )
