"""The raw tables of declared sources, and which of their rows are a person's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from safar.catalogue import Catalogue
from safar.catalogue.source import LANDING_COLUMNS, Column, Source, Table
from safar.ledger.erasures import Person

# As `normalise_email` of the staging models reads an address: without blanks around it and in lower case.
SPELLED = sql.SQL("lower(btrim({}, E' \\t\\r\\n'))")
# As `spell_phone` of the tombstones reads a number.
DIGITS = sql.SQL("ltrim(regexp_replace({}, '\\D', '', 'g'), '0')")
COLUMNS = """
select attribute.attname, format_type(attribute.atttypid, null)
from pg_catalog.pg_attribute as attribute
where attribute.attrelid = to_regclass(%s) and attribute.attnum > 0 and not attribute.attisdropped
order by attribute.attnum
"""


@dataclass(frozen=True)
class RawTable:
    """One table as it stands in the warehouse: a declared column may not have been landed yet."""

    source: Source
    table: Table
    types: dict[str, str]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.source.schema_name, self.table.name)

    @property
    def columns(self) -> list[Column]:
        return [column for column in self.table.columns if column.name in self.types]

    @property
    def undeclared(self) -> list[str]:
        """Columns that came without being declared: nobody has said that they are not personal."""
        known = {*self.table.types, *LANDING_COLUMNS, "_dlt_load_id"}
        return [name for name in self.types if name not in known]

    def name_columns(self, *kinds: bool | str) -> list[str]:
        return [name for name in self.table.name_personal(*kinds) if name in self.types]

    @property
    def is_of_people(self) -> bool:
        """Whether a row is a person's record, rather than something that they did."""
        return bool(set(self.table.name_personal("record")) & set(self.table.extract.key))

    def belongs_to(self, person: Person) -> tuple[sql.Composable, dict[str, Any]] | None:
        """The condition of the person's rows, with its parameters; None where a row names nobody."""
        conditions: list[sql.Composable] = [
            sql.SQL("{} = any(%(records)s)").format(sql.Identifier(name)) for name in self.name_columns("record")
        ]
        conditions += [
            SPELLED.format(sql.Identifier(name)) + sql.SQL(" = any(%(addresses)s)")
            for name in self.name_columns("address")
        ]
        if not conditions:
            return None
        records = [record for source, record in sorted(person.records) if source == self.source.name]
        return sql.SQL(" or ").join(conditions), {"records": records, "addresses": sorted(person.addresses)}


def list_raw_tables(warehouse: psycopg.Connection, catalogue: Catalogue) -> Iterator[RawTable]:
    """Yields each declared table that has been landed."""
    for source in catalogue.sources.values():
        for table in source.tables:
            rows = warehouse.execute(COLUMNS, [f'"{source.schema_name}"."{table.name}"']).fetchall()
            if rows:
                yield RawTable(source, table, dict(rows))
