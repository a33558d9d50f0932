"""dbt in this process: its environment, its folders and its telemetry in one place."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safar.alerting.alert import hide_values
from safar.errors import SafarError
from safar.settings import Settings
from safar.warehouse.rules_version import fingerprint_project
from safar.workspace import Workspace

QUIET = (
    "--no-use-colors",
    "--no-send-anonymous-usage-stats",
    "--no-version-check",
    "--log-level",
    "none",
    # A database's message can quote the value that it refused; that belongs in no log file.
    "--log-level-file",
    "none",
)

# dbt keeps flags, adapters and events in the process: one invocation at a time.
ONE_AT_A_TIME = threading.RLock()

# What a process parsed it need not parse again: that takes a third of a short build. One manifest per target is kept.
PARSED: OrderedDict[tuple[object, ...], Any] = OrderedDict()
PARSED_KEPT = 2
NEEDS_MANIFEST = frozenset({"build", "run", "test"})
# The project's macros read these while a model runs, never while it is parsed.
READ_AT_RUN_TIME = frozenset({"SAFAR_PIN", "SAFAR_CAMPAIGNS"})

Progress = Callable[[int, int, str, str], None]
"""Called after each node with (nodes done, nodes in all, unique_id, status)."""


class DbtFailed(SafarError):
    """dbt could not even start its work; a red model is not that."""


def describe_warehouse(workspace: Workspace) -> dict[str, str]:
    """The environment from which profiles.yml takes the warehouse; the password is in it, never log it."""
    warehouse = workspace.warehouse
    return {
        "SAFAR_WAREHOUSE_HOST": warehouse.host,
        "SAFAR_WAREHOUSE_PORT": str(warehouse.port or 5432),
        "SAFAR_WAREHOUSE_USER": warehouse.login or "postgres",
        "SAFAR_WAREHOUSE_DATABASE": warehouse.schema_,
        "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": warehouse.secret,
    }


def run_dbt(
    settings: Settings,
    command: Sequence[str],
    *,
    target: str,
    target_path: Path,
    write_artifacts: bool = False,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Any:
    """Runs a dbt command and returns its result object; red nodes are in it and do not raise.

    Args:
        environment: variables that dbt sees, set only while it runs.

    Raises:
        DbtFailed: the project does not parse, or the warehouse does not answer.
    """
    arguments = [
        *("--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project)),
        *("--target", target, "--target-path", str(target_path), "--log-path", str(target_path / "logs")),
        *QUIET,
        # Writing manifest.json and run_results.json takes a fifth of a short run, and nobody reads them.
        "--write-json" if write_artifacts else "--no-write-json",
    ]
    with ONE_AT_A_TIME, _environment({"DO_NOT_TRACK": "1", **(environment or {})}):
        target_path.mkdir(parents=True, exist_ok=True)
        manifest = _take_manifest(settings, target, arguments) if command[0] in NEEDS_MANIFEST else None
        result = _invoke(settings, [*command, *arguments], manifest=manifest, progress=progress)
        if command[0] == "parse":
            _keep_manifest(_name_parsed(settings, target), result)
    return result


def _take_manifest(settings: Settings, target: str, arguments: Sequence[str]) -> Any:
    key = _name_parsed(settings, target)
    manifest = PARSED[key] if key in PARSED else _invoke(settings, ["parse", *arguments])
    _keep_manifest(key, manifest)
    _forget_compiled(manifest)
    return manifest


def _keep_manifest(key: tuple[object, ...], manifest: Any) -> None:
    PARSED[key] = manifest
    PARSED.move_to_end(key)
    while len(PARSED) > PARSED_KEPT:
        PARSED.popitem(last=False)


def _invoke(
    settings: Settings, arguments: Sequence[str], *, manifest: Any = None, progress: Progress | None = None
) -> Any:
    from dbt.cli.main import dbtRunner

    callbacks = [_Counter(progress)] if progress else []
    outcome = dbtRunner(manifest=manifest, callbacks=callbacks).invoke(list(arguments))
    if outcome.exception is not None:
        message = shorten_message(str(outcome.exception))
        raise DbtFailed(f"dbt {arguments[0]} failed: {message}") from outcome.exception
    if outcome.result is None:
        raise DbtFailed(f"dbt {arguments[0]} ended without a result. Run `dbt debug` in {settings.dbt_project}.")
    return outcome.result


def _name_parsed(settings: Settings, target: str) -> tuple[object, ...]:
    """Everything that a manifest depends on: the project's files, the target and the environment."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("SAFAR_", "DBT_")) and name not in READ_AT_RUN_TIME
    }
    return settings.dbt_project, target, fingerprint_project(settings.dbt_project), *sorted(variables.items())


def _forget_compiled(manifest: Any) -> None:
    """dbt puts no ephemeral model into the SQL of a node that an earlier run has marked as done."""
    for node in manifest.nodes.values():
        if getattr(node, "extra_ctes_injected", False):
            node.extra_ctes_injected = False
            node.extra_ctes = []
            node.compiled = False


def shorten_message(message: str) -> str:
    """The lines of a dbt message up to the database's DETAIL, without the values of rows that they quote."""
    lines = []
    for line in message.strip().splitlines():
        if line.strip().startswith(("DETAIL:", "CONTEXT:", "compiled code at")):
            break
        lines.append(line.strip())
    return hide_values(" ".join(lines))[:500]


class _Counter:
    """Turns dbt's events into calls of a `Progress`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0
        self._total = 0

    def __call__(self, event: Any) -> None:
        if event.info.name == "ConcurrencyLine":
            self._total = event.data.node_count
        elif event.info.name == "NodeFinished":
            self._done += 1
            node = event.data.node_info
            self._progress(self._done, self._total, node.unique_id, node.node_status)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
