"""Run as a process of its own, because Airflow reads its settings at import: prints every DAG as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError

ADDRESS = "anna.meier@example.com"


def takes(param: Any, value: str) -> bool:
    """Whether a form lets somebody type that."""
    try:
        param.resolve(value)
    except ParamValidationError:
        return False
    return True


def describe(folder: str) -> dict[str, object]:
    bag = DagBag(folder)
    return {
        "errors": {name: str(error) for name, error in bag.import_errors.items()},
        "dags": {
            dag.dag_id: {
                "description": dag.description,
                "tags": sorted(dag.tags),
                "catchup": dag.catchup,
                "max_active_runs": dag.max_active_runs,
                "timetable": type(dag.timetable).__name__,
                "takes_an_address": [name for name in dag.params if takes(dag.params.get_param(name), ADDRESS)],
                "takes_a_name": [name for name in dag.params if takes(dag.params.get_param(name), "reactivation")],
                "tasks": {
                    task.task_id: {
                        "operator": type(task).__name__,
                        "module": type(task).__module__,
                        "retries": task.retries,
                        "trigger_rule": task.trigger_rule.value,
                        "upstream": sorted(task.upstream_task_ids),
                    }
                    for task in dag.tasks
                },
            }
            for dag in bag.dags.values()
        },
    }


print("DAGS:" + json.dumps(describe(sys.argv[1])))
