"""Erases a person: by hand, because a vendor has, or again after a restore. Safe to kill and to run again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import psycopg
import requests

from safar.addresses import normalise_email
from safar.catalogue import Catalogue
from safar.erasure.finding import PersonFinder, group_by_erasure
from safar.erasure.journal import Journal, OpenErasure, hold_erasure, list_open
from safar.erasure.places import Work, erase_in, list_places
from safar.erasure.replacing import make_replacement
from safar.erasure.tombstone_file import restore_tombstones, write_tombstones
from safar.errors import SafarError
from safar.ledger.access import name_user, record_access
from safar.ledger.erasures import Person, request_erasure
from safar.ledger.tombstones import CONTACT, EMAIL, Hasher, raise_tombstones, read_tombstones
from safar.workspace import Workspace

SECOND_LOOK_AFTER = timedelta(hours=12)
"""By then every build that was under way is over."""
COUNT_COVERED = """
select count(*), count(*) filter (where erasure.finished_at is null)
from ledger.tombstone
join ledger.erasure using (erasure_id)
where tombstone.subject_hash = any(%s)
"""
HAS_ROWS = """
select
    exists (select from ledger.action where contact_id = %(contact_id)s and kind <> 'message')
    or exists (select from ledger.message where contact_id = %(contact_id)s)
"""


@dataclass(frozen=True)
class ErasureReport:
    """Which erasures are finished, and which are open with why."""

    finished_count: int
    open: tuple[OpenErasure, ...]

    @property
    def waiting(self) -> list[OpenErasure]:
        """Those that could not be carried out everywhere yet."""
        return [one for one in self.open if not one.waits_only_for_second_look]

    def describe(self) -> str:
        looks = len(self.open) - len(self.waiting)
        text = f"{self.finished_count} erasures finished"
        if looks:
            text += f", {looks} erased and to be looked at once more"
        return text + "".join(f"\n  open: {one.describe()}" for one in self.waiting)


def erase_contact(workspace: Workspace, catalogue: Catalogue, contact_id: str) -> ErasureReport:
    """Erases the person with this contact id; done again, it goes on where it stood.

    Raises:
        SafarError: nobody is known by that id, or it is an address.
    """
    if "@" in contact_id:
        raise SafarError(
            "An address does not belong on a command line, where history and process lists keep it. "
            "Write it to standard input: safar erase --address-from-stdin."
        )
    hasher = Hasher.open(workspace)
    with workspace.open_ledger() as ledger:
        # Somebody who is erased already is not named again, not in the log either.
        known_as = read_tombstones(ledger, hasher).find(CONTACT, contact_id) or contact_id
        record_access(ledger, "erase", "contact", known_as)
        ledger.commit()
        person = _find(workspace, catalogue, ledger, hasher, Person(frozenset({contact_id})))
        if not (_is_found(person) or _has_tombstone(ledger, hasher, contact_id) or _has_rows(ledger, contact_id)):
            raise SafarError(f"Nobody is known by the contact id {contact_id!r}. Look it up in dim_contacts.")
        _request(ledger, hasher, person, "command")
    return resume_erasures(workspace, catalogue)


def erase_address(workspace: Workspace, catalogue: Catalogue, address: str) -> ErasureReport:
    """Erases whoever has this e-mail address, and keeps it out from now on, also if nobody has it.

    Raises:
        SafarError: it is no e-mail address.
    """
    spelling = normalise_email(address)
    if spelling is None:
        raise SafarError("What came on standard input is no e-mail address.")
    hasher = Hasher.open(workspace)
    with workspace.open_ledger() as ledger:
        record_access(ledger, "erase", "address", hasher.hash(EMAIL, spelling))
        ledger.commit()
        known = Person(addresses=frozenset({spelling}))
        _request(ledger, hasher, _find(workspace, catalogue, ledger, hasher, known) | known, "command")
    return resume_erasures(workspace, catalogue)


def reapply_erasures(workspace: Workspace, catalogue: Catalogue) -> ErasureReport:
    """After a restore: brings the tombstones back from their file and erases again whom the backup brought back."""
    hasher = Hasher.open(workspace)
    with workspace.open_ledger() as ledger:
        restore_tombstones(ledger, workspace.settings.home)
        ledger.commit()
        with psycopg.connect(workspace.warehouse.dsn) as warehouse:
            finder = PersonFinder(ledger, warehouse, catalogue, hasher)
            found = finder.find_erased(read_tombstones(ledger, hasher))
            people = [finder.find(person) for person in group_by_erasure(ledger, found).values()]
        for person in people:
            _request(ledger, hasher, person, "reapply")
    return resume_erasures(workspace, catalogue)


def resume_erasures(workspace: Workspace, catalogue: Catalogue) -> ErasureReport:
    """Carries out what is open, place by place; what cannot be done now stays open with its reason.

    Another process that is at the same erasure is left to it.
    """
    hasher = Hasher.open(workspace)
    finished = 0
    with workspace.open_ledger() as ledger:
        for erasure in list_open(ledger):
            ledger.rollback()
            with hold_erasure(ledger, erasure.erasure_id) as is_ours:
                if is_ours:
                    finished += _carry_out(workspace, catalogue, ledger, hasher, erasure.erasure_id)
        write_tombstones(ledger, workspace.settings.home)
        return ErasureReport(finished, tuple(list_open(ledger)))


def describe_open(workspace: Workspace) -> str:
    """Every erasure that is not finished, with where and why; for people."""
    with workspace.open_ledger() as ledger:
        erasures = list_open(ledger)
    return "\n".join(one.describe() for one in erasures) or "No erasure is open."


def _request(ledger: psycopg.Connection, hasher: Hasher, person: Person, origin: str) -> None:
    """A second request for somebody whose erasure is under way, or who is nowhere any more, changes nothing."""
    hashes = [hasher.hash(kind, value) for kind, value in person.subjects]
    row = ledger.execute(COUNT_COVERED, [hashes]).fetchone()
    assert row is not None
    covered, unfinished = row
    if covered == len(hashes) and (unfinished == covered or (not _is_found(person) and len(hashes) == 1)):
        return
    request_erasure(ledger, hasher, person, origin=origin, requested_by=name_user())
    ledger.commit()


def _find(
    workspace: Workspace, catalogue: Catalogue, ledger: psycopg.Connection, hasher: Hasher, known: Person
) -> Person:
    with psycopg.connect(workspace.warehouse.dsn) as warehouse:
        return PersonFinder(ledger, warehouse, catalogue, hasher).find(known)


def _carry_out(
    workspace: Workspace, catalogue: Catalogue, ledger: psycopg.Connection, hasher: Hasher, erasure_id: UUID
) -> bool:
    journal = Journal(ledger, erasure_id, hasher)
    person = journal.read_person()
    if person is None:
        return journal.finish()
    if not journal.has_places:
        person = person | _find(workspace, catalogue, ledger, hasher, person)
        _begin(catalogue, ledger, hasher, journal, person)
    tombstones = read_tombstones(ledger, hasher)
    work = Work(workspace, catalogue, ledger, erasure_id, make_replacement(person, tombstones), hasher)
    for place in journal.list_due():
        try:
            journal.close(place, erase_in(place, work))
        except SafarError as error:
            journal.leave_open(place, str(error))
        except (psycopg.Error, requests.RequestException, OSError) as error:
            # Their messages may quote a row or a URL.
            journal.leave_open(place, f"{type(error).__name__}: see the log of the database or the vendor's status")
    return journal.finish()


def _begin(catalogue: Catalogue, ledger: psycopg.Connection, hasher: Hasher, journal: Journal, person: Person) -> None:
    """Tombstones, places and whom it is about are there together or not at all."""
    journal.write_person(person)
    others = [subject for subject in person.subjects if subject[0] != CONTACT]
    raise_tombstones(ledger, hasher, journal.erasure_id, others)
    named = make_replacement(replace(person), read_tombstones(ledger, hasher)).contacts
    contacts = {contact: surrogate for contact, surrogate in named.items() if contact != surrogate}
    subjects = [(CONTACT, contact) for contact in sorted({*named, *person.contact_ids})]
    raise_tombstones(ledger, hasher, journal.erasure_id, subjects, contacts)
    journal.add_places(list_places(catalogue), SECOND_LOOK_AFTER)
    ledger.commit()


def _is_found(person: Person) -> bool:
    return bool(person.records or person.values or len(person.contact_ids) + len(person.addresses) > 1)


def _has_tombstone(ledger: psycopg.Connection, hasher: Hasher, contact_id: str) -> bool:
    row = ledger.execute(
        "select exists (select from ledger.tombstone where kind = 'contact' and subject_hash = %s)",
        [hasher.hash(CONTACT, contact_id)],
    ).fetchone()
    return bool(row and row[0])


def _has_rows(ledger: psycopg.Connection, contact_id: str) -> bool:
    row = ledger.execute(HAS_ROWS, {"contact_id": contact_id}).fetchone()
    return bool(row and row[0])
