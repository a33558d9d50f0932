"""The dbt models of a night as Airflow tasks, one per model with its tests (Cosmos)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosmos import DbtTaskGroup, ExecutionConfig, ExecutionMode, LoadMode, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import InvocationMode, TestBehavior, TestIndirectSelection

from safar.errors import ConfigurationError, SafarError
from safar.settings import Settings

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context


_held: list[psycopg.Connection] = []
_log = logging.getLogger(__name__)


def draw_models(group_id: str, select: list[str], exclude: list[str], pin_task: str) -> DbtTaskGroup:
    """Draws one task per selected model. Any of them may be cleared: it builds again what it built before.

    Raises:
        ConfigurationError: the manifest is missing (`make manifest`).
    """
    settings = Settings.from_environment()
    manifest = settings.manifest
    if not manifest.exists():
        raise ConfigurationError(f"{manifest} is missing. Write it with `make manifest`.")
    pin = f"{{{{ ti.xcom_pull(task_ids='{pin_task}') }}}}"
    return DbtTaskGroup(
        group_id=group_id,
        project_config=ProjectConfig(
            dbt_project_path=settings.dbt_project, manifest_path=manifest, install_dbt_deps=False
        ),
        profile_config=ProfileConfig(
            profile_name="safar",
            target_name="nightly",
            profiles_yml_filepath=settings.dbt_project / "profiles.yml",
        ),
        # WATCHER would be three times faster, but a cleared task can turn green there without rebuilding.
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.LOCAL,
            invocation_mode=InvocationMode.DBT_RUNNER,
            # A test with two parents belongs to the one that is built last.
            test_indirect_selection=TestIndirectSelection.BUILDABLE,
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.BUILD,
            select=select,
            exclude=exclude,
            emit_datasets=False,
        ),
        operator_args={
            # dbt quotes what a database says, and a database quotes the value that it refused: we speak for it.
            "env": {"SAFAR_PIN": pin, "DBT_LOG_LEVEL": "none", "DBT_LOG_LEVEL_FILE": "none"},
            "append_env": True,
            "install_deps": False,
            # Unit tests judge the SQL before it is released; a night has rows of its own to judge.
            "dbt_cmd_flags": ["--exclude-resource-type", "unit_test"],
            "dbt_runner_callbacks": [tell_progress],
            "pre_execute": prepare_model,
            "callback": record_model,
        },
    )


def prepare_model(context: Context) -> None:
    """Refuses to build for a run that a newer one has superseded, and hands dbt the warehouse's address.

    Waits while another process builds the same model; the lock ends with this task's process.
    """
    import os

    from airflow.sdk.exceptions import AirflowSkipException

    from safar.warehouse import Superseded, describe_warehouse, take_build_lock
    from safar_airflow.operators.build import read_own_pin
    from safar_airflow.workspace import open_workspace

    workspace = open_workspace()
    _held.append(take_build_lock(workspace, "nightly", context["ti"].task_id))
    try:
        read_own_pin(workspace, context)
    except Superseded as error:
        raise AirflowSkipException(str(error)) from error
    os.environ.update(describe_warehouse(workspace))


def tell_progress(event: Any) -> None:
    """Tells the task's log in our words what dbt, silenced, does: each node's status and why dbt gave up."""
    from safar.warehouse.dbt import shorten_message

    if event.info.name == "NodeFinished":
        node = event.data.node_info
        _log.info("%s: %s", node.unique_id, node.node_status)
    elif event.info.name == "MainEncounteredError":
        _log.error("dbt gave up: %s", shorten_message(event.data.exc))


def record_model(project: str, context: Context, **_: Any) -> None:
    """Writes the result of the model and of each of its tests to the ledger, and fails when one is red.

    Cosmos comes to its own error only after this: that one would quote the database's message whole.
    """
    from safar.warehouse import record_results
    from safar.warehouse.results import list_red
    from safar_airflow.operators.build import read_own_pin
    from safar_airflow.workspace import open_workspace

    workspace = open_workspace()
    run_results = Path(project) / "target" / "run_results.json"
    results = record_results(workspace, read_own_pin(workspace, context), run_results)
    if not results:
        raise SafarError("dbt ended before it came to the model. The task's log says why.")
    if red := list_red(results):
        raise SafarError("; ".join(f"{one.node}: {one.message}" for one in red))
