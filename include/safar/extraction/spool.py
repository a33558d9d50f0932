"""The lines of one table on disk between reading and landing, the newest version of each key alone."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from safar.extraction.rows import Line

END = b"\0"
"""Between records: values never hold it, so a record is found again without parsing its CSV."""
CHUNK = 1 << 20
WRITTEN_AT_ONCE = 1_000
LONGEST_FIELD = 1 << 30


class Spool:
    """Collects lines; ``write_csv`` gives them, two versions of one key reduced to the newer.

    Newer is the one that the vendor modified later, and of equals the one that came later. Only keys stay in
    memory (about 150 bytes each).
    """

    def __init__(self, folder: Path, table: str, columns: tuple[str, ...]) -> None:
        self.table = table
        self.columns = list(columns)
        """Declared columns, then those that turned up while reading."""
        self._known = set(columns)
        self._path = folder / f"{table}.spool"
        self._pending: list[str] = []
        self._newest: dict[tuple[str, ...], tuple[int, str | None]] = {}
        self._superseded: set[int] = set()
        self._count = 0

    def add(self, line: Line) -> None:
        if not self._known.issuperset(line.values):
            self._flush()
            for name in line.values:
                if name not in self._known:
                    self._known.add(name)
                    self.columns.append(name)
        before = self._newest.get(line.key)
        if before is not None:
            if (line.modified_at or "") < (before[1] or ""):
                return
            self._superseded.add(before[0])
        self._newest[line.key] = (self._count, line.modified_at)
        values = line.values
        self._pending.append(",".join([line.version, *[values.get(name, "") for name in self.columns]]))
        self._count += 1
        if len(self._pending) >= WRITTEN_AT_ONCE:
            self._flush()

    @property
    def row_count(self) -> int:
        """Distinct keys."""
        return len(self._newest)

    def count_values(self, columns: Sequence[str]) -> dict[str, int]:
        """How many of the collected lines have a value in each of these columns; reads the whole file."""
        self._flush()
        counts = dict.fromkeys(columns, 0)
        places = {name: self.columns.index(name) + 1 for name in columns if name in self._known}
        if not places or not self._count:
            return counts
        csv.field_size_limit(LONGEST_FIELD)
        for values in csv.reader(record.decode() for record, _ in self._records()):
            for name, place in places.items():
                counts[name] += place < len(values) and values[place] != ""
        return counts

    def write_csv(self, target: Path, constants: dict[str, str]) -> None:
        """Writes header and rows.

        Args:
            constants: further columns that have the same value in each row, e.g. the load's id.
        """
        self._flush()
        tail = "".join(f',"{value}"' for value in constants.values()).encode()
        width = len(self.columns)
        with target.open("wb") as out:
            out.write(",".join(["_dlt_id", *self.columns, *constants]).encode() + b"\n")
            for position, (record, record_width) in enumerate(self._records()):
                if position not in self._superseded:
                    out.write(record + b"," * (width - record_width) + tail + b"\n")
        self._path.unlink()

    def _flush(self) -> None:
        if self._pending:
            # The width tells how many columns were known when the record was written.
            width = str(len(self.columns))
            with self._path.open("ab") as file:
                file.write("".join(f"{width}\1{record}\0" for record in self._pending).encode())
            self._pending.clear()

    def _records(self) -> Iterator[tuple[bytes, int]]:
        rest = b""
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                *whole, rest = (rest + chunk).split(END)
                for record in whole:
                    width, _, values = record.partition(b"\1")
                    yield values, int(width)
