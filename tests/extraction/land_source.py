"""Run as a process of its own, because Airflow reads its settings at import: executes `LandSource` with a filled form."""

from __future__ import annotations

import json
import sys

from safar_airflow.operators.extract import LandSource

source, form = sys.argv[1:]
landed = LandSource(task_id="land", source=source).execute({"params": json.loads(form)})  # type: ignore[typeddict-item]
print("LANDED:" + json.dumps(landed))
