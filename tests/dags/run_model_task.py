"""Run as a process of its own, because Airflow reads its settings at import: runs the tasks of models as Airflow does.

Reads {"pin": ..., "dag_id": ..., "run_id": ..., "models": [...]} from standard input; prints why each failed, if it did.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG

from safar_airflow.models import draw_models

# Airflow writes whatever any logger says into the task's log.
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
order = json.load(sys.stdin)

with DAG("build_nightly", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
    draw_models("models", ["tag:nightly"], ["path:models/decisions"], "pin")


def run(model: str) -> str | None:
    task: Any = next(one for one in dag.tasks if one.task_id.startswith(f"models.{model}_"))
    instance = SimpleNamespace(task_id=task.task_id, xcom_pull=lambda **_: order["pin"])
    dag_run = SimpleNamespace(dag_id=order["dag_id"], run_id=order["run_id"])
    context: Any = {
        "ti": instance,
        "task_instance": instance,
        "dag_run": dag_run,
        "run_id": order["run_id"],
        "task": task,
    }
    task.render_template_fields(context)
    try:
        task._pre_execute_hook(context)
        task.execute(context)
    except Exception:
        return traceback.format_exc()
    return None


print("FAILURES:" + json.dumps({model: run(model) for model in order["models"]}))
