"""The account of an erasure, place by place: what is done stays done, whenever the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from safar.ledger.erasures import Person, seal, unseal
from safar.ledger.tombstones import Hasher

INSERT_PLACES = """
insert into ledger.erasure_place (erasure_id, place, sequence, not_before)
select %(erasure_id)s, place, sequence, now() + case place when 'second_look' then %(wait)s else interval '0' end
from unnest(%(places)s::text[]) with ordinality as one (place, sequence)
on conflict do nothing
"""
LIST_DUE = """
select place from ledger.erasure_place
where erasure_id = %s and status = 'open' and not_before <= now()
order by sequence
"""
CLOSE = """
update ledger.erasure_place
set status = 'done', row_count = %(rows)s, detail = null, attempt_count = attempt_count + 1, status_at = now()
where erasure_id = %(erasure_id)s and place = %(place)s
"""
LEAVE_OPEN = """
update ledger.erasure_place
set detail = %(detail)s, attempt_count = attempt_count + 1, status_at = now()
where erasure_id = %(erasure_id)s and place = %(place)s
"""
FINISH = """
update ledger.erasure set finished_at = now(), sealed = null
where
    erasure_id = %(erasure_id)s and finished_at is null
    and exists (select from ledger.erasure_place where erasure_id = %(erasure_id)s)
    and not exists (select from ledger.erasure_place where erasure_id = %(erasure_id)s and status = 'open')
"""
LIST_OPEN = """
select erasure.erasure_id, erasure.origin, erasure.requested_at,
    coalesce(
        array_agg(place.place || coalesce(': ' || place.detail, '') order by place.sequence)
            filter (where place.status = 'open'),
        '{}'
    ),
    coalesce(bool_and(place.place = 'second_look') filter (where place.status = 'open'), false)
from ledger.erasure as erasure
left join ledger.erasure_place as place using (erasure_id)
where erasure.finished_at is null
group by erasure.erasure_id
order by erasure.requested_at
"""


@dataclass(frozen=True)
class OpenErasure:
    """An erasure that is not finished, and where it is still to be done, with why."""

    erasure_id: UUID
    origin: str
    requested_at: datetime
    open_places: tuple[str, ...]
    waits_only_for_second_look: bool

    def describe(self) -> str:
        where = "; ".join(self.open_places) or "not begun"
        return f"{self.erasure_id} (asked for at {self.requested_at:%Y-%m-%d %H:%M} UTC by {self.origin}): {where}"


class Journal:
    """One erasure's rows in the ledger; each change is committed at once."""

    def __init__(self, ledger: psycopg.Connection, erasure_id: UUID, hasher: Hasher) -> None:
        self._ledger = ledger
        self._hasher = hasher
        self.erasure_id = erasure_id

    def read_person(self) -> Person | None:
        """Whom it is about; None once it is finished."""
        row = self._ledger.execute(
            "select sealed from ledger.erasure where erasure_id = %s", [self.erasure_id]
        ).fetchone()
        self._ledger.rollback()
        return unseal(self._hasher, row[0]) if row and row[0] is not None else None

    def write_person(self, person: Person) -> None:
        """In the transaction that is open."""
        values = [seal(self._hasher, person), self.erasure_id]
        self._ledger.execute("update ledger.erasure set sealed = %s where erasure_id = %s", values)

    def add_places(self, places: list[str], second_look_after: object) -> None:
        """In the transaction that is open."""
        values = {"erasure_id": self.erasure_id, "places": places, "wait": second_look_after}
        self._ledger.execute(INSERT_PLACES, values)

    @property
    def has_places(self) -> bool:
        row = self._ledger.execute(
            "select exists (select from ledger.erasure_place where erasure_id = %s)", [self.erasure_id]
        ).fetchone()
        return bool(row and row[0])

    def list_due(self) -> list[str]:
        rows = self._ledger.execute(LIST_DUE, [self.erasure_id]).fetchall()
        self._ledger.rollback()
        return [row[0] for row in rows]

    def close(self, place: str, rows: int) -> None:
        self._ledger.execute(CLOSE, {"erasure_id": self.erasure_id, "place": place, "rows": rows})
        self._ledger.commit()

    def leave_open(self, place: str, detail: str) -> None:
        self._ledger.rollback()
        self._ledger.execute(LEAVE_OPEN, {"erasure_id": self.erasure_id, "place": place, "detail": detail})
        self._ledger.commit()

    def finish(self) -> bool:
        """Forgets whom it was about, if every place is done; returns whether it did."""
        count = self._ledger.execute(FINISH, {"erasure_id": self.erasure_id}).rowcount
        self._ledger.commit()
        return count > 0


def list_open(ledger: psycopg.Connection) -> list[OpenErasure]:
    """Erasures that are not finished, the oldest first."""
    rows = ledger.execute(LIST_OPEN).fetchall()
    return [OpenErasure(row[0], row[1], row[2], tuple(row[3]), bool(row[4])) for row in rows]


@contextmanager
def hold_erasure(ledger: psycopg.Connection, erasure_id: UUID) -> Iterator[bool]:
    """Whether nobody else carries this erasure out; nobody does until the block ends."""
    key = f"safar.erasure.{erasure_id}"
    row = ledger.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
    ledger.rollback()
    is_ours = bool(row and row[0])
    try:
        yield is_ours
    finally:
        if is_ours and not ledger.broken:
            ledger.rollback()
            ledger.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])
            ledger.commit()
