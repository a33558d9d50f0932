"""Judges a load as a whole; a red one is taken back and the source stays at its last checked load."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from safar.catalogue.source import Source, Table
from safar.errors import SafarError
from safar.extraction.drift import describe_findings
from safar.extraction.loads import Load, open_load_book
from safar.extraction.versions import exists, undo_load
from safar.quality import CheckFailed, run_suite
from safar.quality.suite_files import read_expectations
from safar.workspace import Workspace

# The open versions: what a build would read if the load were checked now. ``key_hash`` tells a row without
# telling its data: select it by _dlt_id. ``record_hash`` is one per natural key.
OPEN_VERSIONS = """
select
    {columns},
    _dlt_id as key_hash,
    md5(concat_ws(chr(31), {key})) as record_hash,
    {age_hours} as age_hours
from {table}
where _dlt_valid_to is null and not coalesce(_deleted, false)
"""


def check_load(workspace: Workspace, source: Source, load_id: str) -> None:
    """Runs expectations/raw/<source>.yml over the open versions and marks the load checked.

    Raises:
        CheckFailed: a rule is broken, or a declared column has vanished or is retyped: the load is rolled back, and
            the next one asks for the same window again. The message names table, rule or column, and hashed keys.
        SafarError: the load does not exist or was rolled back.
    """
    dsn = workspace.warehouse.dsn
    with open_load_book(workspace, source.name) as book:
        load = book.find(load_id)
        if load.status == "checked":
            return
        if load.status == "rolled_back":
            raise SafarError(f"{source.name}: load {load_id} was rolled back. Land the source and check that load.")
        findings = [*describe_findings(source, load.drift), *_judge(workspace, source, load, dsn)]
        if not findings:
            book.close(load_id, "checked", load.message)
            return
        undo_load(dsn, source, load_id, load.landed_at)
        told = "\n".join(findings)
        book.close(load_id, "rolled_back", told)
    raise CheckFailed(
        f"{source.name}: load {load_id} is rolled back, the source stays at its last checked load.\n{told}\n"
        "A key is the row's _dlt_id. Mend the source or the rule in "
        f"{_suite(workspace, source)}, then run the load again: it asks for the same window."
    )


def _judge(workspace: Workspace, source: Source, load: Load, dsn: str) -> list[str]:
    suite = _suite(workspace, source)
    if not suite.exists() or not load.is_connected:
        return []
    findings = []
    with psycopg.connect(dsn) as connection:
        # A table that was declared just now is not there when only another one was asked for again.
        tables = [table for table in source.tables if exists(connection, source.schema_name, table.name)]
    for table in tables:
        name = f"{source.schema_name}.{table.name}"
        if all(rule.get("severity") == "warning" for rule in read_expectations([suite], name)):
            continue  # rows that break such a rule did not land
        result = run_suite(
            workspace,
            suite,
            dsn=dsn,
            table=name,
            query=_open_versions(source, table, load),
            run_name=f"{source.name} {load.load_id}",
        )
        findings += [finding.describe() for finding in result.critical]
    return findings


def _suite(workspace: Workspace, source: Source) -> Path:
    return workspace.settings.expectations / "raw" / f"{source.name}.yml"


def _open_versions(source: Source, table: Table, load: Load) -> str:
    window = table.extract.window
    told_at = window.column if window else table.extract.modified_at
    age: sql.Composable = sql.SQL("null::double precision")
    if told_at is not None:
        age = sql.SQL("extract(epoch from {landed_at} - {column}::timestamptz)::double precision / 3600").format(
            landed_at=sql.Literal(load.landed_at), column=sql.Identifier(told_at)
        )
    query = sql.SQL(OPEN_VERSIONS).format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in table.types),
        key=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.extract.key),
        age_hours=age,
        table=sql.Identifier(source.schema_name, table.name),
    )
    return query.as_string(None)
