"""A pinned run: what it may know, written down once, so that a rerun sees what the first one saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from safar.catalogue import Cadence, Catalogue, check_step_names, record_step_names
from safar.errors import SafarError
from safar.warehouse.rules_version import compute_rules_version
from safar.workspace import Workspace

LEDGER = "ledger"


class NotPinned(SafarError):
    """The run has no row in ledger.run."""


class Superseded(SafarError):
    """A newer run of the same cadence has been pinned: this one must not write any more."""


class Pin(BaseModel):
    """One row of ledger.run. ``as_of`` is event time, exclusive; ``known_at`` is when we last learned something."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    sequence: int
    cadence: Literal["nightly", "intraday", "replay"]
    as_of: datetime
    known_at: dict[str, datetime]
    rules_version: str

    @property
    def target(self) -> Cadence:
        """The dbt target whose tables this run builds."""
        return "intraday" if self.cadence == "intraday" else "nightly"

    @property
    def ledger_known_at(self) -> datetime:
        """A row of the ledger is known to this run when it was recorded before this moment."""
        return self.known_at[LEDGER]

    @property
    def published_at(self) -> datetime:
        """``recorded_at`` of what this run publishes: just early enough that the run itself knows it."""
        return self.ledger_known_at - timedelta(microseconds=1)

    def to_json(self, blocked_campaigns: Iterable[str] = (), *, is_replay: bool = False) -> str:
        """What dbt reads from SAFAR_PIN."""
        return json.dumps(
            {
                "run_id": self.run_id,
                "sequence": self.sequence,
                "cadence": self.cadence,
                "as_of": self.as_of.isoformat(),
                "known_at": {source: at.isoformat() for source, at in sorted(self.known_at.items())},
                "blocked_campaigns": sorted(blocked_campaigns),
                **({"is_replay": True} if is_replay else {}),
            }
        )


KNOWN_AT_SOURCES = """
select source, max(landed_at) as known_at
from ledger.source_load
where status = 'checked'
group by source
"""

INSERT_RUN = """
insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
values (%(run_id)s, %(cadence)s, %(dag_id)s, %(airflow_run_id)s, %(as_of)s, %(known_at)s, %(rules_version)s)
on conflict do nothing
"""


def pin_run(
    workspace: Workspace,
    *,
    dag_id: str,
    airflow_run_id: str,
    cadence: str,
    as_of: datetime,
    catalogue: Catalogue,
) -> Pin:
    """Writes down what the run may know; called again, it returns what was written the first time.

    Raises:
        ConfigurationError: a step's name vanished or is used again (see `check_step_names`).
    """
    run_id = f"{dag_id}/{airflow_run_id}"
    with workspace.open_ledger() as ledger:
        check_step_names(catalogue, ledger)
        ledger.execute(
            INSERT_RUN,
            {
                "run_id": run_id,
                "cadence": cadence,
                "dag_id": dag_id,
                "airflow_run_id": airflow_run_id,
                "as_of": as_of.astimezone(UTC),
                "known_at": Jsonb(_read_known_at(ledger)),
                "rules_version": compute_rules_version(workspace.settings),
            },
        )
        record_step_names(catalogue, ledger, run_id)
    return read_pin(workspace, run_id)


def read_pin(workspace: Workspace, run_id: str) -> Pin:
    """Reads a run's pin back.

    Raises:
        NotPinned: there is no such run.
    """
    with workspace.open_ledger() as ledger:
        cursor = ledger.cursor(row_factory=dict_row)
        row = cursor.execute("select * from ledger.run where run_id = %s", [run_id]).fetchone()
    if row is None:
        raise NotPinned(f"The run {run_id!r} is not pinned. Let its task `pin` run first, or use `safar build`.")
    return Pin.model_validate(row)


def require_current(workspace: Workspace, pin: Pin) -> None:
    """Makes sure that no newer run of the same cadence is pinned.

    Raises:
        Superseded: there is one; its tables must not be overwritten with older knowledge.
    """
    with workspace.open_ledger() as ledger:
        row = ledger.execute(
            "select run_id from ledger.run where cadence = %s and sequence > %s order by sequence desc limit 1",
            [pin.cadence, pin.sequence],
        ).fetchone()
    if row is not None:
        raise Superseded(f"The run {pin.run_id} is superseded by {row[0]}; nothing is written for it any more.")


def _read_known_at(ledger: psycopg.Connection) -> dict[str, str]:
    known_at: dict[str, datetime] = dict(ledger.execute(KNOWN_AT_SOURCES).fetchall())
    row = ledger.execute("select ledger.known_until()").fetchone()
    assert row is not None
    known_at[LEDGER] = row[0]
    return {source: at.astimezone(UTC).isoformat() for source, at in known_at.items()}
