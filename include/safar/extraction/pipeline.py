"""The dlt pipeline of one source: state from the destination, versions by scd2, one load per package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import psycopg
from dlt.common.schema.typing import TColumnSchema
from dlt.common.schema.utils import new_table
from dlt.common.storages.load_package import load_package_state
from dlt.common.versioned_state import decompress_state
from psycopg import sql

from safar.catalogue.source import Source, Table
from safar.errors import SafarError
from safar.extraction.drift import Drift
from safar.extraction.spool import Spool

DLT_TYPES = {
    "text": "text",
    "bigint": "bigint",
    "double precision": "double",
    "numeric": "decimal",
    "boolean": "bool",
    "timestamptz": "timestamp",
    "date": "date",
    "jsonb": "json",
}
VERSION_COLUMN: TColumnSchema = {"name": "_dlt_id", "data_type": "text", "nullable": False}


@dataclass(frozen=True)
class TableLoad:
    """What one table brings to a load."""

    table: Table
    spool: Spool
    drift: Drift
    cursor: str | None
    scope: str | None = None
    """The SQL condition of the rows that this load speaks of, where that is more than those which it brings."""


class SourcePipeline:
    """One run of a source's pipeline in a folder that is thrown away; what it must remember is in the warehouse."""

    def __init__(self, source: Source, dsn: str, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._dsn = dsn
        self._pipeline = dlt.pipeline(
            pipeline_name=source.schema_name,
            pipelines_dir=str(folder / "pipelines"),
            destination=dlt.destinations.postgres(dsn),
            dataset_name=source.schema_name,
        )

    def restore_cursors(self) -> dict[str, str]:
        """Table -> cursor of the last load that was not rolled back."""
        with _plain_errors(self._source.name, "read the state of"):
            self._pipeline.sync_destination()
        return self._read_cursors(self._pipeline.state)

    def read_cursors_of(self, load_ids: Sequence[str]) -> dict[str, str]:
        """Table -> cursor that the last of these loads had reached."""
        query = sql.SQL(
            "select state from {} where pipeline_name = %s and _dlt_load_id = any(%s) order by version desc limit 1"
        ).format(sql.Identifier(self._source.schema_name, "_dlt_pipeline_state"))
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(query, [self._source.schema_name, list(load_ids)]).fetchone()
        return self._read_cursors(decompress_state(row[0])) if row else {}

    def _read_cursors(self, state: Mapping[str, Any]) -> dict[str, str]:
        resources = state.get("sources", {}).get(self._source.name, {}).get("resources", {})
        return {name: kept["cursor"] for name, kept in resources.items() if kept.get("cursor")}

    def extract(self, loads: Sequence[TableLoad], landed_at: datetime) -> str:
        """Writes the load package; nothing reaches the warehouse yet. Returns dlt's load id."""
        resources = [self._resource(load, landed_at) for load in loads]
        with _plain_errors(self._source.name, "extract"):
            source = dlt.source(lambda: resources, name=self._source.name, max_table_nesting=0)()
            for load in loads:
                # The scd2 hint forgets the type of the version's column, and a file tells none.
                source.schema.update_table(new_table(load.table.name, columns=[VERSION_COLUMN]))
            info = self._pipeline.extract(source)
        load_id: str = info.loads_ids[0]
        return load_id

    def load(self) -> None:
        """Carries the package into the warehouse."""
        with _plain_errors(self._source.name, "load"):
            self._pipeline.normalize()
            self._pipeline.load()

    def _resource(self, load: TableLoad, landed_at: datetime) -> Any:
        extract = load.table.extract
        target = self._folder / f"{load.table.name}.csv"

        def rows() -> Iterator[Any]:
            if load.cursor is not None:
                dlt.current.resource_state()["cursor"] = load.cursor
            yield dlt.mark.materialize_table_schema()
            if load.spool.row_count:
                constants = {"_dlt_load_id": load_package_state()["load_id"]}
                if extract.kind == "event":
                    constants["_dlt_valid_from"] = landed_at.isoformat()
                load.spool.write_csv(target, constants)
                yield dlt.mark.with_file_import(str(target), "csv", load.spool.row_count)

        return dlt.resource(rows, name=load.table.name, **_hints(load, landed_at))


def _hints(load: TableLoad, landed_at: datetime) -> dict[str, Any]:
    extract = load.table.extract
    columns: dict[str, Any] = {
        column.name: {"data_type": DLT_TYPES[column.data_type], "nullable": True} for column in load.table.columns
    }
    columns |= {name: {"data_type": "text", "nullable": True} for name in load.drift.undeclared}
    columns["_deleted"] = {"data_type": "bool", "nullable": True}
    columns["_dlt_id"] = dict(VERSION_COLUMN)
    columns["_dlt_load_id"] = {"data_type": "text", "nullable": False}
    hints: dict[str, Any] = {"columns": columns}
    if extract.kind == "event":
        columns["_dlt_valid_from"] = {"data_type": "timestamp", "nullable": True}
        columns["_dlt_valid_to"] = {"data_type": "timestamp", "nullable": True}
        hints["primary_key"] = list(extract.key)
        hints["write_disposition"] = {"disposition": "merge", "strategy": "insert-only"}
        return hints
    disposition = {"disposition": "merge", "strategy": "scd2", "boundary_timestamp": landed_at}
    if load.scope is not None:
        disposition["destination_scope"] = load.scope
    else:
        hints["merge_key"] = list(extract.key)
    hints["write_disposition"] = disposition
    return hints


@contextmanager
def _plain_errors(source: str, what: str) -> Iterator[None]:
    """dlt's errors repeat rows; ours say what failed and where to look, without them."""
    try:
        yield
    except SafarError:
        raise
    except Exception as error:
        root: BaseException = error
        while root.__cause__ is not None:
            root = root.__cause__
        raise SafarError(
            f"{source}: dlt could not {what} it ({type(root).__name__}{_first_line(root)}). The load is rolled back "
            "before the next one begins; run it again, and when it repeats compare the declared data_type of the "
            "table's columns with the table in the warehouse."
        ) from None


def _first_line(error: BaseException) -> str:
    """PostgreSQL's SQLSTATE; its message may hold a row."""
    code = getattr(error, "pgcode", None)
    return f", SQLSTATE {code}" if code else ""
