"""dbt's documentation site, with campaigns as exposures at the end of the lineage."""

from __future__ import annotations

from pathlib import Path

from safar.warehouse.dbt import describe_warehouse, run_dbt
from safar.workspace import Workspace


def write_docs(workspace: Workspace) -> Path:
    """Writes the site into <home>/docs/dbt and returns the folder that holds its index.html.

    Raises:
        DbtFailed: the project does not parse, or the warehouse does not answer.
    """
    folder = workspace.settings.home / "docs" / "dbt"
    # Compiling would need a pinned run; what is parsed is enough to draw the lineage.
    for command in (["parse"], ["docs", "generate", "--static", "--no-compile"]):
        run_dbt(
            workspace.settings,
            command,
            target="nightly",
            target_path=folder,
            write_artifacts=True,
            environment=describe_warehouse(workspace),
        )
    page = folder / "static_index.html"
    page.replace(folder / "index.html")
    return folder
