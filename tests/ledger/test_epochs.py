"""Several dispatches at once on a ledger that has never sent: whoever begins the first epoch is no restored backup."""

from __future__ import annotations

import threading

from safar.file_lock import hold_lock
from safar.ledger.epochs import EpochFile, begin_epoch, find_problem, locate_file, write_file
from safar.workspace import Workspace


def test_an_epoch_that_another_dispatch_is_just_beginning_is_no_restore(workspace: Workspace) -> None:
    path = locate_file(workspace)
    with workspace.open_ledger() as connection:
        epoch_id = begin_epoch(workspace, connection, "dispatch")
    path.unlink()
    found: list[str | None] = []

    def look() -> None:
        with workspace.open_ledger() as connection:
            found.append(find_problem(workspace, connection))

    with hold_lock(path.with_suffix(".lock")):
        # The ledger knows the epoch, the file does not name it yet: that is how far the other dispatch is.
        looking = threading.Thread(target=look)
        looking.start()
        looking.join(1)
        assert found == []
        write_file(path, EpochFile(epoch_id))
    looking.join(30)
    assert found == [None]


def test_a_file_that_stays_away_is_a_problem(workspace: Workspace) -> None:
    with workspace.open_ledger() as connection:
        begin_epoch(workspace, connection, "dispatch")
        locate_file(workspace).unlink()
        assert "has made calls" in str(find_problem(workspace, connection))
