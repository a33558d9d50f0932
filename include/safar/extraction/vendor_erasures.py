"""Notices people whom a vendor has erased itself, as its source declares it, and asks for the same here."""

from __future__ import annotations

import psycopg
from psycopg import sql

from safar.catalogue.fetching import Erased
from safar.catalogue.source import Source, Table
from safar.errors import SafarError
from safar.extraction.client import VendorClient
from safar.extraction.erased import decode_text
from safar.extraction.pages import read_pages
from safar.extraction.rows import Columns, Line
from safar.extraction.values import ENCODERS
from safar.ledger.erasures import Person, request_erasure
from safar.ledger.tombstones import SURROGATE, Hasher
from safar.workspace import Workspace

# Of a record that was merged into another the vendor may not know the id any more; it is nobody's erasure.
KNOWN = """
with open_version as (
    select {record} as record, {merged} as merged from {table} where _dlt_valid_to is null and {record} is not null
)
select distinct record from open_version
except
select btrim(part.record) from open_version, unnest(string_to_array(merged, ';')) as part (record)
"""


class ErasedAtVendor:
    """One load's notes about people who are gone for good."""

    def __init__(self, source: Source, workspace: Workspace, hasher: Hasher) -> None:
        self._source = source
        self._workspace = workspace
        self._hasher = hasher
        self._told: dict[str, set[str]] = {}
        """Table -> records that this load spoke of."""
        self._gone: set[str] = set()
        self._known: dict[str, set[str]] = {}

    def watch(self, table: Table, line: Line) -> None:
        """Notes a line's record, and whether the line says that its person is erased."""
        erased, record = table.extract.erased, _name_record(table)
        if erased is None or record is None:
            return
        value = decode_text(line.values[record])
        self._told.setdefault(table.name, set()).add(value)
        if erased.column is not None:
            wanted = ENCODERS[table.types[erased.column]](erased.equals)
            if line.values.get(erased.column) == wanted:
                self._note(table, erased, {value})

    def look_up(self, client: VendorClient, table: Table) -> None:
        """Asks the vendor for the records that this load said nothing about."""
        erased = table.extract.erased
        if erased is None or erased.lookup is None:
            return
        silent = sorted(self._list_known(table) - self._told.get(table.name, set()))
        gone: set[str] = set()
        for start in range(0, len(silent), erased.size):
            some = silent[start : start + erased.size]
            gone |= set(some) - self._read_found(client, table, erased, some)
        self._note(table, erased, gone)

    def request(self) -> None:
        """Writes one request per person into the ledger."""
        with self._workspace.open_ledger() as ledger:
            for record in sorted(self._gone):
                person = Person(records=frozenset({(self._source.name, record)}))
                request_erasure(ledger, self._hasher, person, origin=self._source.name, requested_by="vendor")

    def _note(self, table: Table, erased: Erased, records: set[str]) -> None:
        self._gone |= records & self._list_known(table) if records else set()
        if len(self._gone) > erased.at_most:
            raise SafarError(
                f"{self._source.name}.{table.name}: {len(self._gone)} people are gone at once, more than "
                f"erased.at_most = {erased.at_most}. Nothing was landed and nobody was erased. If the vendor really "
                f"erased them, raise at_most in {self._source.file} and run the load again."
            )

    def _read_found(self, client: VendorClient, table: Table, erased: Erased, some: list[str]) -> set[str]:
        assert erased.lookup is not None
        batch = [{erased.each: value} for value in some] if erased.each else some
        columns, record = Columns(table), str(_name_record(table))
        return {
            str(columns.flatten(row).get(record))
            for page in read_pages(client, table.name, erased.lookup, {"batch": batch})
            for row in page
            if isinstance(row, dict)
        }

    def _list_known(self, table: Table) -> set[str]:
        """Records with an open version, but for those that are erased here already."""
        if table.name not in self._known:
            self._known[table.name] = self._read_known(table)
        return self._known[table.name]

    def _read_known(self, table: Table) -> set[str]:
        name = _name_record(table)
        merged = table.name_personal("records")
        statement = sql.SQL(KNOWN).format(
            record=sql.Identifier(str(name)),
            table=sql.Identifier(self._source.schema_name, table.name),
            merged=sql.Identifier(merged[0]) if merged else sql.SQL("null::text"),
        )
        with psycopg.connect(self._workspace.warehouse.dsn) as warehouse:
            try:
                return {row[0] for row in warehouse.execute(statement) if not SURROGATE.fullmatch(row[0])}
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                return set()


def _name_record(table: Table) -> str | None:
    """The key column that is the vendor's id of a person."""
    return next((name for name in table.name_personal("record") if name in table.extract.key), None)
