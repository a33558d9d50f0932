"""A source's own schedule reaches its DAG."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from safar.settings import PROJECT_ROOT

SCRIPT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
dag = DagBag(sys.argv[1]).dags["extract_shopify"]
print("SCHEDULE:" + json.dumps([dag.timetable._expression, str(dag.timetable._timezone)]))
"""


def test_a_source_is_extracted_when_its_yaml_says(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    for folder in ("dags", "dbt_project", "expectations", "include/templates"):
        ignored = shutil.ignore_patterns("target", "__pycache__")
        shutil.copytree(PROJECT_ROOT / folder, root / folder, ignore=ignored)
    declared = root / "dbt_project/models/staging/shopify/_shopify__sources.yml"
    text = declared.read_text()
    assert "          connection: shopify" in text
    declared.write_text(
        text.replace(
            "          connection: shopify", '          schedule: "17 4 * * *"\n          connection: shopify', 1
        )
    )
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SAFAR_PROJECT_ROOT": str(root),
        "SAFAR_CLOCK": "wall",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root / "dags" / "extract_sources.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("SCHEDULE:")]
    assert found, done.stderr[-3000:]
    assert json.loads(found[0].removeprefix("SCHEDULE:"))[0] == "17 4 * * *"
