"""Imports the heavy libraries once, in the scheduler, before LocalExecutor forks its workers.

A forked task finds them in memory: it need not spend seconds on importing dbt, Great Expectations and dlt
again. Only where SAFAR_PRELOAD says so: other components and other executors would pay for nothing.
"""

import importlib
import os

LIBRARIES = (
    "cosmos.operators.local",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "great_expectations",
    "dlt",
    "airflow.providers.standard.operators.hitl",
    "safar.delivery",
    "safar.extraction",
    "safar.feedback",
    "safar.warehouse",
)

if os.environ.get("SAFAR_PRELOAD") == "1":
    for library in LIBRARIES:
        importlib.import_module(library)
