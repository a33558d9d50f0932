"""Lands a source: read what is new, keep out what cannot be read, carry the rest into raw_<source>."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from safar.catalogue.defaults import read_defaults
from safar.catalogue.fetching import Batch
from safar.catalogue.source import Source, Table
from safar.connections import Connection
from safar.errors import ConfigurationError, ConnectionMissing
from safar.extraction.client import VendorClient, open_client
from safar.extraction.cursors import next_cursor, parse_instant
from safar.extraction.drift import Drift, find_drift, list_filled
from safar.extraction.erased import ErasedFilter, decode_text
from safar.extraction.files import read_files
from safar.extraction.loads import NOT_CONNECTED, LoadBook, open_load_book
from safar.extraction.pipeline import SourcePipeline, TableLoad
from safar.extraction.placeholders import describe_connection, fill_placeholders
from safar.extraction.put_off import LoadPutOff, VendorExhausted
from safar.extraction.quarantine import QuarantinedRow, quarantine_row, write_quarantine
from safar.extraction.reading import Moment, Rows, read_table
from safar.extraction.report import LoadReport
from safar.extraction.repull import Asked, Repull, resolve_repull
from safar.extraction.row_rules import read_row_rules
from safar.extraction.rows import Line, LineReader, Rejected
from safar.extraction.session import Patience
from safar.extraction.spool import Spool
from safar.extraction.vendor_erasures import ErasedAtVendor
from safar.extraction.versions import count_versions, undo_load
from safar.ledger.tombstones import Hasher, read_tombstones
from safar.outbound import Reach
from safar.workspace import ADDRESS_KEY, Workspace


def land_source(
    workspace: Workspace, source: Source, patience: Patience | None = None, repull: Repull | None = None
) -> LoadReport:
    """Pulls what is new from one source into raw_<source>, as one load that is not yet checked.

    A load that was killed, or landed and never checked, is rolled back first. Nothing reaches the warehouse
    unless every page of every table came. Of a source whose connection nobody has created yet, only the tables are
    made, so that what is built on them can be built.

    Args:
        patience: how long to bear with a vendor that fails or throttles.
        repull: ask again for this, in the place of what has changed since the last load. Nothing but what differs
            from what is known makes a version, and no cursor moves.

    Raises:
        SafarError: the vendor, a file or the warehouse did not do its part; the message says what to do.
        LoadPutOff: the vendor takes no more calls for now.
    """
    dsn = workspace.warehouse.dsn
    with open_load_book(workspace, source.name) as book, tempfile.TemporaryDirectory(prefix="safar-") as folder:
        _undo_unchecked(book, dsn, source)
        connection = _find_connection(workspace, source, book)
        landing = _Landing(workspace, source, connection, Path(folder), patience)
        if repull is not None:
            landing.ask_again(repull, book)
        landed_at = book.next_landing(workspace.clock.now())
        again = None if repull is None else repull.as_json()
        try:
            loads = landing.read_all()
        except VendorExhausted as told:
            resumes_at = told.reset.next_after(workspace.clock.now())
            book.put_off(landed_at, resumes_at, str(told), again)
            raise LoadPutOff(str(told), resumes_at) from None
        load_id = landing.pipeline.extract(loads, landed_at)
        book.reserve(load_id, landed_at, None if connection else NOT_CONNECTED, again)
        landing.pipeline.load()
        if landing.quarantined:
            write_quarantine(dsn, source.schema_name, load_id, landed_at, landing.quarantined)
        rows = count_versions(dsn, source, landed_at, [load.table for load in loads])
        landing.request_erasures()
        drift = {load.table.name: load.drift for load in loads if load.drift}
        book.count(load_id, rows, len(landing.quarantined), drift)
    return LoadReport(
        source.name,
        load_id,
        landed_at,
        rows,
        len(landing.quarantined),
        drift,
        dict(landing.erased_counts),
        is_connected=connection is not None,
    )


def _find_connection(workspace: Workspace, source: Source, book: LoadBook) -> Connection | None:
    """None: nobody has connected this source yet. A connection that was there and is gone is a mistake."""
    try:
        return workspace.connections.get(source.connection)
    except ConnectionMissing as error:
        if book.was_connected():
            raise ConfigurationError(f"{source.name} was connected and is not any more. {error}") from None
        return None


def _undo_unchecked(book: LoadBook, dsn: str, source: Source) -> None:
    for load in book.unchecked():
        undo_load(dsn, source, load.load_id, load.landed_at)
        book.close(load.load_id, "rolled_back", "The next load began before this one was checked.")


@dataclass
class _Landing:
    """The reading half of one load."""

    workspace: Workspace
    source: Source
    connection: Connection | None
    folder: Path
    patience: Patience | None
    quarantined: list[QuarantinedRow] = field(default_factory=list)
    erased_counts: Counter[str] = field(default_factory=Counter)
    asked: Asked | None = None
    only: str | None = None
    """The only table to be read."""

    def __post_init__(self) -> None:
        self.pipeline = SourcePipeline(self.source, self.workspace.warehouse.dsn, self.folder)
        self._secret = self.workspace.connections.get(ADDRESS_KEY).secret
        self._suite = self.workspace.settings.expectations / "raw" / f"{self.source.name}.yml"
        hasher = Hasher.open(self.workspace)
        with self.workspace.open_ledger() as ledger:
            self._tombstones = read_tombstones(ledger, hasher)
        self._erased_at_vendor = ErasedAtVendor(self.source, self.workspace, hasher)
        self._looked_up: dict[str, dict[str, None]] = {}
        self._children: dict[str, list[tuple[str, Batch]]] = {}
        for table in self.source.tables:
            if table.extract.batch:
                self._looked_up[table.name] = {}
                self._children.setdefault(table.extract.batch.table, []).append((table.name, table.extract.batch))

    @property
    def _connected(self) -> Connection:
        assert self.connection is not None
        return self.connection

    def read_all(self) -> list[TableLoad]:
        """Reads every table to its end before anything is landed."""
        if self.connection is None:
            return [self._leave_empty(table) for table in self.source.tables]
        moment = Moment(self.workspace.clock.now(), self.pipeline.restore_cursors(), self.asked)
        tables = [table for table in self.source.tables if self.only in (None, table.name)]
        client = None
        if any(table.extract.endpoint for table in tables):
            reach = Reach.of(self.workspace.settings, self._connected)
            client = open_client(self.source, self._connected, reach, self.patience)
        return [self._read(table, client, moment) for table in tables]

    def ask_again(self, repull: Repull, book: LoadBook) -> None:
        """Reads this in the place of what has changed.

        Raises:
            SafarError: the source is not connected, or there is nothing that could be asked for again.
        """
        if self.connection is None:
            raise ConfigurationError(f"{self.source.name} is not connected. Create the connection, then extract it.")
        zone = read_defaults(self.workspace.settings.dbt_project).zone if repull.night else ZoneInfo("UTC")
        now = self.workspace.clock.now()
        self.asked = resolve_repull(repull, self.source, book, now, zone, self.pipeline.read_cursors_of)
        self.only = repull.table

    def _leave_empty(self, table: Table) -> TableLoad:
        return TableLoad(table, self._open_spool(table), Drift(), None)

    def _open_spool(self, table: Table) -> Spool:
        return Spool(self.folder, table.name, (*table.types, "_deleted"))

    def _read(self, table: Table, client: VendorClient | None, moment: Moment) -> TableLoad:
        reader = LineReader(table, read_row_rules(self._suite, f"{self.source.schema_name}.{table.name}"))
        erased = ErasedFilter(self.source, table, self._tombstones)
        spool = self._open_spool(table)
        cursor_column = table.extract.cursor.column if table.extract.cursor else None
        newest = ""
        for rows in self._pages(table, client, moment, reader):
            for record in rows.records:
                try:
                    line = reader.read(record, rows.are_gone)
                except Rejected as reason:
                    self._quarantine(table, reader, erased, record, str(reason))
                    continue
                self._erased_at_vendor.watch(table, line)
                kept = erased.filter(line)
                if kept is None:
                    continue
                line = kept
                spool.add(line)
                if "_deleted" not in line.values:
                    self._watch(table, line)
                if cursor_column is not None:
                    newest = max(newest, line.values.get(cursor_column, ""))
        self.erased_counts += erased.counts
        if client is not None:
            self._erased_at_vendor.look_up(client, table)
        seen = parse_instant(newest.strip('"')) if newest and moment.asked is None else None
        cursor = next_cursor(moment.cursors.get(table.name), seen, moment.began_at)
        scope = self._scope(table, moment)
        drift = find_drift(table, reader, spool, self._compare_with(table, scope, moment))
        return TableLoad(table, spool, drift, cursor, scope)

    def _compare_with(
        self, table: Table, scope: str | None, moment: Moment
    ) -> Callable[[list[str]], Collection[str]] | None:
        """How to ask which columns had values; None where only what has changed was read."""
        extract = table.extract
        reads_changes = extract.cursor is not None and moment.find_start(table.name) is not None
        if reads_changes or (extract.batch is not None and extract.batch.only_changed):
            return None
        return partial(list_filled, self.workspace.warehouse.dsn, self.source, table, scope)

    def _pages(self, table: Table, client: VendorClient | None, moment: Moment, reader: LineReader) -> Iterator[Rows]:
        if client is None or table.extract.files is not None:
            pages = read_files(self.source, table, self._connected, moment.began_at)
            return (Rows(page) for page in pages)
        batch = table.extract.batch
        looked_up: dict[str, None] = {}
        known: dict[str, None] = {}
        if batch is not None:
            # Of a table that is not read this time, only what is known can be looked up.
            is_read = self.only in (None, batch.table)
            known = {} if batch.only_changed and is_read else self._known_values(batch)
            looked_up = self._looked_up[table.name]
            # Of one that is read as a whole this load has brought all there are.
            if not (is_read and self.source.table(batch.table).extract.is_whole):
                looked_up = known | looked_up
        return read_table(client, table, moment, reader.columns, looked_up, known)

    def _watch(self, table: Table, line: Line) -> None:
        """Notes the values that a later table looks up."""
        for child, batch in self._children.get(table.name, ()):
            value = line.values.get(batch.column)
            fits = all(decode_text(line.values.get(name, '""')) == wanted for name, wanted in batch.where.items())
            if value is not None and fits:
                self._looked_up[child][decode_text(value)] = None

    def _known_values(self, batch: Batch) -> dict[str, None]:
        """The column's values in the versions that earlier loads left open."""
        conditions = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in batch.where]
        statement = sql.SQL(
            "select distinct {column} from {table} where _dlt_valid_to is null and not coalesce(_deleted, false) "
            "and {column} is not null and {where} order by 1"
        ).format(
            column=sql.Identifier(batch.column),
            table=sql.Identifier(self.source.schema_name, batch.table),
            where=sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true"),
        )
        with psycopg.connect(self.workspace.warehouse.dsn) as connection:
            try:
                return {row[0]: None for row in connection.execute(statement, list(batch.where.values()))}
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                return {}

    def _quarantine(self, table: Table, reader: LineReader, erased: ErasedFilter, record: object, reason: str) -> None:
        flat = reader.columns.flatten(record) if isinstance(record, dict) else None
        if erased.names_erased(flat):
            return
        self.quarantined.append(quarantine_row(table, flat, record, reason, self._secret))

    def request_erasures(self) -> None:
        """People whom the vendor has erased are erased here too: their load is through, so nothing is forgotten."""
        self._erased_at_vendor.request()

    def _scope(self, table: Table, moment: Moment) -> str | None:
        window = table.extract.window
        if window is None:
            return "true" if table.extract.is_whole else None
        first, last = moment.find_days(window)
        where = fill_placeholders(window.where, describe_connection(self._connected))
        conditions = [f"\"{window.column}\" between '{first}' and '{last}'"]
        conditions += [f"\"{column}\" = '{_quote(str(value))}'" for column, value in where.items()]
        return " and ".join(conditions)


def _quote(text: str) -> str:
    return text.replace("'", "''")
