"""Run as a process of its own, because Airflow reads its settings at import: executes operators of people's orders.

Reads a list of orders from standard input; prints for each what it returned or why it failed.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from safar_airflow.operators import control, deliver


def give(order: dict[str, Any]) -> dict[str, Any]:
    name = order["operator"]
    if name == "GuardAudience":
        operator: Any = deliver.GuardAudience(task_id="guard", campaign=order["campaign"], patience=timedelta(hours=1))
        event = {**order["event"], "responded_at": datetime.fromisoformat(order["event"]["responded_at"])}
        return dict(operator.execute_complete({"ti": SimpleNamespace(xcom_pull=lambda **_: order["asked"])}, event))
    operator = getattr(control, name)(task_id="order")
    run = SimpleNamespace(
        dag_id=name,
        run_id=order.get("run_id", "monday"),
        triggering_user_name=order["user"],
        run_after=datetime.fromisoformat(order["run_after"]) if "run_after" in order else None,
    )
    operator.execute({"dag_run": run, "params": {"campaign": None, "channel": None, **order["params"]}})
    return {}


def describe(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return give(order)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


print("ANSWERS:" + json.dumps([describe(order) for order in json.load(sys.stdin)]))
