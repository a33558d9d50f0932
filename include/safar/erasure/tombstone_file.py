"""A copy of the tombstones beside the database: a restored backup does not know whom it must forget again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import psycopg

from safar.errors import SafarError
from safar.file_lock import hold_lock

FILE = "tombstones.jsonl"
READ = """
select tombstone.kind, tombstone.subject_hash, tombstone.address_key_id, tombstone.surrogate,
    tombstone.erasure_id::text, tombstone.erased_at
from ledger.tombstone
order by tombstone.erased_at, tombstone.kind, tombstone.subject_hash
"""
INSERT_ERASURE = """
insert into ledger.erasure (erasure_id, origin, requested_by, requested_at, finished_at)
values (%(erasure_id)s, 'reapply', 'tombstone file', %(erased_at)s, %(erased_at)s)
on conflict do nothing
"""
INSERT = """
insert into ledger.tombstone (kind, subject_hash, address_key_id, surrogate, erasure_id, erased_at)
values (%(kind)s, %(subject_hash)s, %(address_key_id)s, %(surrogate)s, %(erasure_id)s, %(erased_at)s)
on conflict do nothing
"""


def write_tombstones(ledger: psycopg.Connection, home: Path) -> Path:
    """Adds what the ledger knows to the file; what only the file knows stays in it. Nobody is named in it."""
    path = home / FILE
    # Two that write at once would each forget what only the other knew.
    with hold_lock(path.with_name(f".{FILE}.lock")):
        known = {(row["kind"], row["subject_hash"]): row for row in _read(path)}
        for row in ledger.execute(READ):
            keys = ("kind", "subject_hash", "address_key_id", "surrogate", "erasure_id", "erased_at")
            known[row[0], row[1]] = dict(zip(keys, row, strict=True))
        following = path.with_name(f".{FILE}.next")
        following.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in known.values()))
        following.chmod(0o600)
        following.replace(path)
    return path


def restore_tombstones(ledger: psycopg.Connection, home: Path) -> int:
    """Gives the ledger the tombstones that it has forgotten; returns how many. The caller commits."""
    count = 0
    for row in _read(home / FILE):
        ledger.execute(INSERT_ERASURE, row)
        count += ledger.execute(INSERT, row).rowcount
    return count


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        return [orjson.loads(line) for line in path.read_bytes().splitlines() if line]
    except ValueError:
        raise SafarError(f"{path} is damaged. Restore it from the copy that your backups keep of it.") from None
