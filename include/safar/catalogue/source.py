"""A source is a dbt source; how to fetch it stands in its ``config.meta.extract``."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from safar.catalogue.fetching import (
    Batch,
    Cap,
    Client,
    Cursor,
    Endpoint,
    Erase,
    Erased,
    Files,
    Frozen,
    Tombstone,
    Window,
)
from safar.catalogue.marked_yaml import MarkedYaml, Place, read_marked_yaml
from safar.catalogue.share import Share

Cadence = Literal["nightly", "intraday"]
Kind = Literal["record", "partition", "event"]
DataType = Literal["text", "bigint", "double precision", "numeric", "boolean", "timestamptz", "date", "jsonb"]
PERSONAL_NAME = re.compile(
    r"(?:^|_)(?:e?mail(?:_?address)?|phone|mobile|tel(?:ephone)?|fax|(?:first|last|middle|full|display|sur|family|given)?_?name"
    r"|birth(?:day|_?date)?|address|street|zip|postcode|ip|gender)$"
)
LANDING_COLUMNS = ("_dlt_id", "_dlt_valid_from", "_dlt_valid_to", "_deleted")


class Column(Frozen):
    """A declared column: it exists, with its type, even when the vendor had nothing to say."""

    name: str
    data_type: DataType
    personal: bool | Literal["address", "phone", "record", "records"] | None = None
    """``config.meta.personal``: what an erasure makes of it. true: emptied. address: an e-mail address. phone: emptied
    too, and kept out when it comes back. record: the vendor's id of a person. records: several such ids, separated by
    semicolons. false: says nothing about anybody."""
    sensitive: bool = False
    """``config.meta.sensitive``: about health, belief, origin, a union or the like (GDPR art. 9). What descends from it
    may choose nobody and stand in no message. It says something about a person, so it is ``personal`` too."""


class TableExtract(Frozen):
    """``config.meta.extract`` of a table."""

    kind: Kind
    key: tuple[str, ...]
    """The natural key's columns (for a partition: of one row within the partition)."""
    modified_at: str | None = None
    """The vendor's own modification time; of two rows with one key in a batch the later one counts."""
    endpoint: Endpoint | None = None
    changes: Endpoint | None = None
    """Asked instead of ``endpoint`` once a cursor is known."""
    deletions: Endpoint | None = None
    """Lists records that are gone; asked in every load."""
    cursor: Cursor | None = None
    cap: Cap | None = None
    window: Window | None = None
    batch: Batch | None = None
    deleted: Tombstone | None = None
    is_whole: bool = False
    """Each load reads the whole table: what it does not bring is gone. For lists whose vendor tells no deletions."""
    erased: Erased | None = None
    """How the vendor tells of people whom it has erased; other deletions only archive."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Column as flattened -> column as declared."""
    files: Files | None = None
    retyped_over: Share = Decimal("0.2")
    """When more than this share of a column's values cannot be read, the column counts as retyped and the load fails;
    up to it such rows are only kept in quarantine."""

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Table(Frozen):
    name: str
    columns: tuple[Column, ...]
    extract: TableExtract

    @property
    def types(self) -> dict[str, DataType]:
        return {column.name: column.data_type for column in self.columns}

    def name_personal(self, *kinds: bool | str) -> list[str]:
        """The columns that are personal in one of these ways."""
        return [column.name for column in self.columns if column.personal is not None and column.personal in kinds]

    def name_sensitive(self) -> list[str]:
        return [column.name for column in self.columns if column.sensitive]


class SourceExtract(Frozen):
    """``config.meta.extract`` of a source."""

    connection: str
    client: Client = Client()
    schedule: str = "0 2 * * *"
    """When Airflow extracts it: a cron expression in the company's time zone."""
    cadences: tuple[Cadence, ...] = ("nightly",)
    """The builds that wait for it."""
    erase: Erase | None = None
    """How a person is erased at the vendor; none where it knows nobody."""
    not_applicable: dict[str, str] = Field(default_factory=dict)
    """Faults that cannot happen with this vendor -> why; `make test-sources` tries all others."""


class Source(Frozen):
    """A dbt source that Safar lands in ``schema_name``, with where it was declared."""

    name: str
    schema_name: str
    connection: str
    client: Client
    tables: tuple[Table, ...]
    file: Path
    description: str = ""
    schedule: str = "0 2 * * *"
    cadences: tuple[Cadence, ...] = ("nightly",)
    erase: Erase | None = None
    not_applicable: dict[str, str] = Field(default_factory=dict)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


def read_sources(dbt_project: Path) -> dict[str, Source]:
    """Reads every declared source under ``models/``; dbt sources without ``meta.extract`` are not ours.

    Raises:
        ConfigurationError: a declaration is wrong; the message names file, line, field and remedy.
    """
    sources: dict[str, Source] = {}
    for path in sorted(dbt_project.glob("models/**/*sources.y*ml")):
        marked = read_marked_yaml(path)
        for index, declared in enumerate((marked.data or {}).get("sources") or []):
            place: Place = ("sources", index)
            if _extract_of(declared) is None:
                continue
            source = _read_source(marked, declared, place)
            if source.name in sources:
                raise marked.fail(
                    place, f"source {source.name!r} is declared twice, also in {sources[source.name].file}."
                )
            sources[source.name] = source
    return sources


def _read_source(marked: MarkedYaml, declared: dict[str, Any], place: Place) -> Source:
    name = str(declared.get("name", ""))
    if not name.isidentifier() or name != name.lower():
        raise marked.fail((*place, "name"), f"name {name!r} must be lower case letters, digits and underscores.")
    extract = marked.validate(SourceExtract, _extract_of(declared), (*place, "config", "meta", "extract"))
    schema_name = declared.get("schema", name)
    if schema_name != f"raw_{name}":
        raise marked.fail((*place, "schema"), f"schema must be raw_{name}; sources land nowhere else.")
    tables = tuple(
        _read_table(marked, table, (*place, "tables", index))
        for index, table in enumerate(declared.get("tables") or [])
    )
    for index, table in enumerate(tables):
        _check_batch(marked, table, tables[:index], (*place, "tables", index, "config", "meta", "extract", "batch"))
    return Source(
        name=name,
        schema_name=schema_name,
        connection=extract.connection,
        client=extract.client,
        tables=tables,
        file=marked.path,
        description=" ".join(str(declared.get("description", "")).split()),
        schedule=extract.schedule,
        cadences=extract.cadences,
        erase=extract.erase,
        not_applicable=extract.not_applicable,
    )


def _read_table(marked: MarkedYaml, declared: dict[str, Any], place: Place) -> Table:
    inner: Place = (*place, "config", "meta", "extract")
    settings = _extract_of(declared)
    if settings is None:
        raise marked.fail(place, f"table {declared.get('name')!r} has no config.meta.extract; say how to fetch it.")
    extract = marked.validate(TableExtract, settings, inner)
    columns = tuple(
        marked.validate(Column, _describe_column(column), (*place, "columns", index))
        for index, column in enumerate(declared.get("columns") or [])
        if column.get("name") not in LANDING_COLUMNS
    )
    table = Table(name=str(declared["name"]), columns=columns, extract=extract)
    _check_personal(marked, table, place)
    _check_way(marked, extract, inner)
    _check_columns(marked, table, inner)
    return table


def _check_way(marked: MarkedYaml, extract: TableExtract, place: Place) -> None:
    if (extract.endpoint is None) == (extract.files is None):
        raise marked.fail(place, "give either `endpoint` or `files`: where do the rows come from?")
    if (extract.kind == "partition") != (extract.window is not None):
        raise marked.fail(place, "`window` belongs to kind partition, and a partition needs one.")
    if extract.changes is not None and extract.cursor is None:
        raise marked.fail((*place, "changes"), "`changes` needs a `cursor`: changed since when?")
    if extract.cap is not None and extract.cursor is None:
        raise marked.fail((*place, "cap"), "`cap` needs a `cursor` to start again from.")
    reads_a_part = extract.cursor or extract.files or (extract.batch and extract.batch.only_changed)
    if extract.is_whole and (extract.kind != "record" or reads_a_part):
        raise marked.fail(
            (*place, "is_whole"),
            "is_whole belongs to kind record, without `cursor`, `files` and `only_changed`: a load that reads only "
            "changes would retire all the rest.",
        )


def _check_columns(marked: MarkedYaml, table: Table, place: Place) -> None:
    """Every column that the extraction speaks of is declared, so that dbt and dlt agree on it."""
    extract, declared = table.extract, table.types
    named: list[tuple[str, str | None]] = [("key", column) for column in extract.key]
    named += [("modified_at", extract.modified_at)]
    named += [("rename", column) for column in extract.rename.values()]
    for field in ("cursor", "window", "deleted", "erased"):
        named.append((field, getattr(getattr(extract, field), "column", None)))
    if extract.window is not None:
        named += [("window", column) for column in extract.window.where]
    for field in ("endpoint", "changes"):
        endpoint = getattr(extract, field)
        named += [(field, column) for column in (*endpoint.add, *endpoint.dates)] if endpoint is not None else []
    if extract.files is not None:
        named += [("files", extract.files.visible_from)]
        named += [("files", column) for column in extract.files.mapping.values()]
    for field, column in named:
        if column is not None and column not in declared:
            raise marked.fail(
                (*place, field), f"{field} names the column {column!r}, which is not declared under `columns`."
            )


def _describe_column(column: dict[str, Any]) -> dict[str, Any]:
    described = {key: column[key] for key in ("name", "data_type") if key in column}
    meta = (column.get("config") or {}).get("meta") or {}
    return described | {key: meta[key] for key in ("personal", "sensitive") if key in meta}


def _check_personal(marked: MarkedYaml, table: Table, place: Place) -> None:
    """What looks like a person must be classified, or an erasure would pass it by."""
    for index, column in enumerate(table.columns):
        where = (*place, "columns", index)
        if column.personal is None and PERSONAL_NAME.search(column.name):
            raise marked.fail(
                where,
                f"column {column.name!r} sounds personal and is not classified. "
                "Add config: {meta: {personal: ...}}: true (an erasure empties it), address, phone, record, records, "
                "or false when it says nothing about a person.",
            )
        if column.sensitive and not column.personal:
            raise marked.fail(
                where,
                f"column {column.name!r} is sensitive, so it is about a person. Add personal: true beside it (or "
                "address, phone, record, records), or an erasure would pass it by.",
            )
        if isinstance(column.personal, str) and column.data_type != "text":
            raise marked.fail(where, f"column {column.name!r}: personal: {column.personal} needs data_type text.")


def _check_batch(marked: MarkedYaml, table: Table, earlier: tuple[Table, ...], place: Place) -> None:
    batch = table.extract.batch
    if batch is None:
        return
    parent = next((other for other in earlier if other.name == batch.table), None)
    if parent is None or batch.column not in parent.types:
        raise marked.fail(
            place,
            f"{batch.table}.{batch.column} is not a column of a table declared before {table.name!r}; reorder them.",
        )
    for name in batch.where:
        if parent.types.get(name) != "text":
            raise marked.fail(
                (*place, "where"), f"where: {name} must be a column of {batch.table} with data_type text."
            )
    if batch.into is not None and (batch.size != 1 or batch.into not in table.types):
        raise marked.fail(
            (*place, "into"),
            f"into: {batch.into} must be declared under `columns`, and needs `size: 1`: whose row is it?",
        )
    asked = table.extract.endpoint
    url = f"{asked.path} {asked.params}" if asked is not None else ""
    if "{batch" in url and batch.column in parent.name_personal(True, "address", "phone", "record", "records"):
        raise marked.fail(
            place, f"{batch.table}.{batch.column} is personal and would stand in a URL; send it in `json` instead."
        )


def _extract_of(declared: Any) -> Any:
    try:
        return declared["config"]["meta"]["extract"]
    except (KeyError, TypeError):
        return None
