"""Imports the heavy libraries once, in the scheduler, before LocalExecutor forks its workers.

A forked task finds them in memory: it need not spend seconds on importing dbt, Great Expectations and dlt
again. Only where SAFAR_PRELOAD says so: other components and other executors would pay for nothing.
"""

import os

from safar.libraries import HEAVY, import_libraries

LIBRARIES = (
    "cosmos.operators.local",
    *HEAVY,
    "airflow.providers.standard.operators.hitl",
    "safar.delivery",
    "safar.extraction",
    "safar.feedback",
    "safar.warehouse",
)

if os.environ.get("SAFAR_PRELOAD") == "1":
    import_libraries(LIBRARIES)
