"""Tells a restored ledger from the running one, by an epoch that is kept in the ledger and beside it.

Before its first call a dispatch begins an epoch: a row in ledger.epoch, then ``<home>/ledger-epoch.json``. A backup
that is restored later does not know the epoch in the file, so calls were made that it has forgotten. The file first
says which epoch is about to begin, so that a process that dies in between leaves no riddle.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg

from safar.errors import ConfigurationError
from safar.file_lock import hold_lock
from safar.workspace import Workspace

FILE_NAME = "ledger-epoch.json"
GUARD = "restore guard"
"""Who wrote the stop that holds everything until the ledger is reconciled."""

KNOWS = "select exists (select from ledger.epoch where epoch_id = %s)"
HAS_CALLED = "select exists (select from ledger.epoch where cause <> 'founded' and epoch_id is distinct from %s)"
BEGIN = "insert into ledger.epoch (epoch_id, cause, business_at) values (%s, %s, %s)"
STOP = """
insert into ledger.stop (reason, created_by)
select %(reason)s, %(guard)s
where not exists (select from ledger.stop where created_by = %(guard)s and lifted_at is null)
"""
LIFT = "update ledger.stop set lifted_at = now() where created_by = %s and lifted_at is null"


class LedgerRestored(ConfigurationError):
    """The ledger has forgotten calls that were made: nothing is sent until `safar reconcile` has run."""


def require_known_epoch(workspace: Workspace, connection: psycopg.Connection[Any]) -> None:
    """Makes sure that this ledger remembers every call that this installation has made.

    Raises:
        LedgerRestored: it does not. A row in ledger.stop holds everything from now on, whoever dispatches.
    """
    problem = find_problem(workspace, connection)
    if problem is None:
        return
    hold_everything(connection, problem)
    raise LedgerRestored(
        f"{problem} Nothing is sent: what the provider did since the backup must be accounted for first. "
        "Run `safar reconcile` (docs/runbook.md, A restored ledger)."
    )


@dataclass(frozen=True)
class EpochFile:
    """What stands beside the database: the epoch of the last calls, and one that was about to begin."""

    epoch_id: UUID | None = None
    beginning: UUID | None = None


def find_problem(workspace: Workspace, connection: psycopg.Connection[Any]) -> str | None:
    """What is wrong between the ledger and the file beside it, in one sentence, or None."""
    path = locate_file(workspace)
    if _compare(path, connection) is None:
        return None
    # Another dispatch may have begun an epoch between our look at the file and the one at the ledger.
    with hold_lock(path.with_suffix(".lock")):
        return _compare(path, connection)


def _compare(path: Path, connection: psycopg.Connection[Any]) -> str | None:
    known = read_file(path)
    if known.epoch_id is None:
        has_called = _ask(connection, HAS_CALLED, known.beginning)
        return f"The ledger has made calls, and {path} does not name the last of them." if has_called else None
    if _ask(connection, KNOWS, known.epoch_id):
        return None
    return f"The ledger does not know its epoch {known.epoch_id} of {path}: it was restored from an older backup."


def begin_epoch(
    workspace: Workspace, connection: psycopg.Connection[Any], cause: Literal["dispatch", "reconciled"]
) -> UUID:
    """Begins an epoch, durably, first in the ledger and then in the file; commits."""
    epoch_id = uuid4()
    path = locate_file(workspace)
    # One dispatch after the other, so that the file always names the later epoch.
    with hold_lock(path.with_suffix(".lock")):
        write_file(path, EpochFile(_find_last(connection, read_file(path)), epoch_id))
        connection.execute("set local synchronous_commit = on")
        connection.execute(BEGIN, [epoch_id, cause, workspace.clock.now()])
        connection.commit()
        write_file(path, EpochFile(epoch_id))
    return epoch_id


def _find_last(connection: psycopg.Connection[Any], before: EpochFile) -> UUID | None:
    """The last epoch of the file that the ledger knows too; one whose beginner died has seen no call, but counts."""
    if before.beginning is not None and _ask(connection, KNOWS, before.beginning):
        return before.beginning
    return before.epoch_id


def hold_everything(connection: psycopg.Connection[Any], reason: str) -> None:
    """Writes the stop that every claim obeys, once, and commits."""
    connection.execute(STOP, {"reason": reason, "guard": GUARD})
    connection.commit()


def lift_guard(connection: psycopg.Connection[Any]) -> None:
    """Lifts the stop of `hold_everything`, in the transaction that is open."""
    connection.execute(LIFT, [GUARD])


def locate_file(workspace: Workspace) -> Path:
    """Must lie on a disk that is not restored together with the database."""
    return workspace.settings.home / FILE_NAME


def read_file(path: Path) -> EpochFile:
    """Reads the file; an empty one when there is none.

    Raises:
        ConfigurationError: the file is there and names no epoch.
    """
    try:
        content = json.loads(path.read_text())
        named = [UUID(content[name]) if content[name] else None for name in ("epoch_id", "beginning")]
        return EpochFile(*named)
    except FileNotFoundError:
        return EpochFile()
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} names no epoch. It tells a restored ledger from the running one: restore the file, "
            "or remove it and run `safar reconcile`."
        ) from error


def write_file(path: Path, epochs: EpochFile) -> None:
    """Replaces the file, durably, by one that names these epochs."""
    content = {name: str(value) if value else None for name, value in asdict(epochs).items()}
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(json.dumps(content) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _ask(connection: psycopg.Connection[Any], query: str, *parameters: object) -> bool:
    row = connection.execute(query, parameters).fetchone()
    return bool(row and row[0])
