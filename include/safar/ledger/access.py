"""Who looked at, exported or erased a person's data by hand: each use is written down before it shows anything."""

from __future__ import annotations

import getpass
import os
from typing import Literal

import psycopg

SubjectKind = Literal["contact", "message", "address", "run"]


def record_access(
    connection: psycopg.Connection, verb: str, subject_kind: SubjectKind, subject_id: str, used_by: str | None = None
) -> None:
    """Writes a row into ledger.access_log, in the transaction that is open.

    Args:
        verb: the command, like ``explain``.
        subject_id: the id of the contact, message or run; of an address its keyed hash.
        used_by: who asks; the Airflow user of a task's run, or the user of this process when left out.
    """
    connection.execute(
        "insert into ledger.access_log (verb, subject_kind, subject_id, used_by) values (%s, %s, %s, %s)",
        [verb, subject_kind, subject_id, used_by or name_user()],
    )


def name_user() -> str:
    """The user on whose behalf this process runs: Airflow's owner of the task, else the operating system's user."""
    if owner := os.environ.get("AIRFLOW_CTX_DAG_OWNER"):
        return f"airflow:{owner}"
    try:
        return f"os:{getpass.getuser()}"
    except (OSError, KeyError):  # A container may run under a number without a name.
        return f"os:{os.getuid()}"
