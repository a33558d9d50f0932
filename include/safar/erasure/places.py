"""Where a person's data is, in the order in which it is erased. Each place may be done twice without harm."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg

from safar.catalogue import Catalogue
from safar.erasure.files import rewrite_files
from safar.erasure.ledger_rows import count_in_flight, forget_person, stop_messages
from safar.erasure.raw_versions import redact_versions
from safar.erasure.replacing import Replacement
from safar.erasure.tables import rewrite_tables, vacuum_tables
from safar.erasure.vendors import PROVIDER, erase_at_provider, erase_at_source
from safar.errors import SafarError
from safar.ledger.tombstones import Hasher
from safar.workspace import Workspace

VENDOR = "vendor "
SECOND_LOOK = "second_look"


class NotYet(SafarError):
    """The place cannot be done now, and will be later by itself."""


@dataclass(frozen=True)
class Work:
    """What a place needs to be done."""

    workspace: Workspace
    catalogue: Catalogue
    ledger: psycopg.Connection
    erasure_id: UUID
    replacement: Replacement
    hasher: Hasher


def list_places(catalogue: Catalogue) -> list[str]:
    """All places, the first one first: before anything else nothing more may be sent."""
    vendors = [f"{VENDOR}{name}" for name, source in catalogue.sources.items() if source.erase is not None]
    return ["messages", "raw", "tables", "ledger", "files", *vendors, f"{VENDOR}{PROVIDER}", SECOND_LOOK]


def erase_in(place: str, work: Work) -> int:
    """Erases the person in one place; returns how many rows, files or requests it took.

    Raises:
        SafarError: it could not be done now; the message names no person.
    """
    if place.startswith(VENDOR):
        name = place.removeprefix(VENDOR)
        if name == PROVIDER:
            return erase_at_provider(work.workspace, work.replacement)
        return erase_at_source(work.workspace, work.catalogue.sources[name], work.replacement)
    return PLACES[place](work)


def _erase_messages(work: Work) -> int:
    count = stop_messages(work.ledger, work.replacement, work.hasher, work.workspace.clock.now())
    in_flight = count_in_flight(work.ledger, work.replacement)
    if in_flight:
        raise NotYet(f"{in_flight} messages are in the provider's hands; their lease settles them")
    return count


def _erase_raw(work: Work) -> int:
    with psycopg.connect(work.workspace.warehouse.dsn) as warehouse:
        return redact_versions(warehouse, work.catalogue, work.replacement)


def _erase_tables(work: Work) -> int:
    dsn = work.workspace.warehouse.dsn
    with psycopg.connect(dsn) as warehouse:
        counts = rewrite_tables(warehouse, work.replacement)
    with suppress(psycopg.Error):  # Another's table, or one that was built anew meanwhile: autovacuum comes by.
        vacuum_tables(dsn, sorted(counts))
    return sum(counts.values())


def _erase_ledger(work: Work) -> int:
    if count_in_flight(work.ledger, work.replacement):
        raise NotYet("waits for messages in the provider's hands")
    return forget_person(work.ledger, work.erasure_id, work.replacement, work.hasher)


def _erase_files(work: Work) -> int:
    return rewrite_files(work.workspace.settings.home, work.replacement)


def _look_again(work: Work) -> int:
    """A build that was under way may have carried the person over from what it had read before."""
    return sum(place(work) for place in (_erase_messages, _erase_raw, _erase_tables, _erase_ledger, _erase_files))


PLACES: dict[str, Callable[[Work], int]] = {
    "messages": _erase_messages,
    "raw": _erase_raw,
    "tables": _erase_tables,
    "ledger": _erase_ledger,
    "files": _erase_files,
    SECOND_LOOK: _look_again,
}
