"""Run as a process of its own, because Airflow reads its settings at import: lists the forms and tests connections.

Reads a list of connections, in the fields of Airflow's form, from standard input; tests each like the UI's button.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from airflow.models.connection import Connection
from airflow.providers_manager import ProvidersManager


def list_forms() -> dict[str, Any]:
    manager = ProvidersManager()
    return {
        kind: {
            "label": hook.hook_name,
            "is_testable": hook.connection_testable,
            "hidden": sorted(manager.field_behaviours[kind]["hidden_fields"]),
            "extra": {
                widget.field_name: widget.is_sensitive
                for name, widget in manager.connection_form_widgets.items()
                if name.startswith(f"extra__{kind}__")
            },
        }
        for kind, hook in manager.hooks.items()
        if hook is not None and kind.startswith("safar_")
    }


def press_test(fields: dict[str, Any]) -> list[Any]:
    """As the API server does it: under an invented name, which only the environment knows."""
    connection = Connection(conn_id="k3f9", **fields)
    os.environ["AIRFLOW_CONN_K3F9"] = connection.get_uri()
    try:
        return list(connection.test_connection())
    finally:
        del os.environ["AIRFLOW_CONN_K3F9"]


print("FORMS:" + json.dumps([list_forms(), [press_test(fields) for fields in json.load(sys.stdin)]]))
