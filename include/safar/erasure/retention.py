"""Carries out what dbt_project/retention.yml declares: rows and columns about people go when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from pydantic import BaseModel, ConfigDict, model_validator

from safar.catalogue.duration import Duration
from safar.catalogue.marked_yaml import MarkedYaml, read_marked_yaml
from safar.workspace import Workspace

FILE = "retention.yml"
RAW_SCHEMAS = "select schemaname from pg_catalog.pg_tables where schemaname like 'raw\\_%%' and tablename = %s"
LEDGER = {
    "message": ("address", "fields"),
    "address": ("address", "locale", "time_zone"),
    "rehearsal": (),
    "app_event": (),
}
"""What ledger.let_go knows to empty; a table without columns is deleted from."""


class RetentionRule(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    """schema.table; the schema raw stands for every source's, files for a folder below SAFAR_HOME."""
    after: Duration
    since: str
    clock: Literal["wall", "business"] = "wall"
    delete: bool = False
    empty: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _does_one_thing(self) -> RetentionRule:
        if self.delete == bool(self.empty):
            raise ValueError("write either `delete: true` or `empty: [columns]`")
        return self

    @property
    def schema_name(self) -> str:
        return self.table.partition(".")[0]

    @property
    def name(self) -> str:
        return self.table.partition(".")[2]


def read_retention(dbt_project: Path) -> tuple[RetentionRule, ...]:
    """Raises:
    ConfigurationError: a line is wrong; the message names file, line and remedy.
    """
    marked = read_marked_yaml(dbt_project / FILE)
    declared = (marked.data or {}).get("retention") or []
    return tuple(_read_rule(marked, rule, index) for index, rule in enumerate(declared))


def apply_retention(workspace: Workspace, rules: tuple[RetentionRule, ...] | None = None) -> dict[str, int]:
    """Returns how many rows or files per table were emptied or deleted."""
    rules = read_retention(workspace.settings.dbt_project) if rules is None else rules
    counts: dict[str, int] = {}
    for rule in rules:
        now = workspace.clock.now() if rule.clock == "business" else datetime.now(UTC)
        counts[rule.table] = _apply(workspace, rule, now - rule.after)
    return counts


def _read_rule(marked: MarkedYaml, declared: object, index: int) -> RetentionRule:
    place = ("retention", index)
    rule = marked.validate(RetentionRule, declared, place)
    if rule.schema_name == "ledger" and LEDGER.get(rule.name) != rule.empty:
        known = "; ".join(f"{name}: {', '.join(columns) or 'delete'}" for name, columns in LEDGER.items())
        raise marked.fail(place, f"{rule.table} cannot be let go like that. What the ledger lets go: {known}.")
    return rule


def _apply(workspace: Workspace, rule: RetentionRule, before: datetime) -> int:
    if rule.schema_name == "files":
        return _delete_files(workspace.settings.home / rule.name, before)
    if rule.schema_name == "ledger":
        with workspace.open_ledger() as ledger:
            row = ledger.execute("select ledger.let_go(%s, %s)", [rule.name, before]).fetchone()
            return int(row[0]) if row else 0
    with psycopg.connect(workspace.warehouse.dsn) as warehouse:
        schemas = [rule.schema_name]
        if rule.schema_name == "raw":
            schemas = [row[0] for row in warehouse.execute(RAW_SCHEMAS, [rule.name])]
        return sum(_clean_table(warehouse, schema, rule, before) for schema in schemas)


def _clean_table(warehouse: psycopg.Connection, schema: str, rule: RetentionRule, before: datetime) -> int:
    row = warehouse.execute("select to_regclass(%s) is not null", [f'"{schema}"."{rule.name}"']).fetchone()
    if not row or not row[0]:
        return 0
    table, since = sql.Identifier(schema, rule.name), sql.Identifier(rule.since)
    if rule.delete:
        statement = sql.SQL("delete from {} where {} < %s").format(table, since)
        return warehouse.execute(statement, [before]).rowcount
    emptied = sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(name)) for name in rule.empty)
    held = sql.SQL(" or ").join(sql.SQL("{} is not null").format(sql.Identifier(name)) for name in rule.empty)
    statement = sql.SQL("update {} set {} where {} < %s and ({})").format(table, emptied, since, held)
    return warehouse.execute(statement, [before]).rowcount


def _delete_files(folder: Path, before: datetime) -> int:
    old = [path for path in folder.glob("*") if path.is_file() and path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink()
    return len(old)
