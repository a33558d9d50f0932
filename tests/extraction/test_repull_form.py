"""The form at Trigger of extract_<source> reaches the load."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.extraction import check_load, land_source
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace


def test_what_is_typed_into_the_form_is_asked_for_again(
    vendor: Vendor,
    declare: Callable[..., Source],
    open_at: Callable[..., Workspace],
    project: Path,
    connections: dict[str, Any],
    select: Callable[..., list[tuple[Any, ...]]],
    tmp_path: Path,
) -> None:
    workspace, source = open_at(), declare("ads")
    check_load(workspace, source, land_source(workspace, source).load_id)
    shutil.copy(PROJECT_ROOT / "dbt_project" / "dbt_project.yml", project / "dbt_project")
    vendor.days = [{"date_start": "2020-01-01", "ad": "a", "spend": "1"}]
    environment = {
        **os.environ,
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SAFAR_PROJECT_ROOT": str(project),
        "SAFAR_HOME": str(tmp_path / "home"),
        "SAFAR_CLOCK": "wall",
    }
    form = {"since": "2020-01-01", "until": "2020-01-31", "night": None, "table": "days"}
    command = [sys.executable, str(Path(__file__).with_name("land_source.py")), "ads", json.dumps(form)]
    done = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert "LANDED:" in done.stdout, done.stderr[-3000:]
    told = select("select repull, rows -> 'days' ->> 'new' from ledger.source_load where repull is not null")
    assert told == [
        (
            {"since": "2020-01-01T00:00:00+00:00", "until": "2020-01-31T23:59:59.999999+00:00", "table": "days"},
            "1",
        )
    ]
