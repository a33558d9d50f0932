"""For every rule in expectations/raw the fault that it must catch is planted, and caught."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from safar.catalogue.source import Source, read_sources
from safar.clock import SandboxClock
from safar.connections import EnvironmentConnections
from safar.extraction import CheckFailed, check_load, land_source
from safar.extraction.row_rules import read_row_rules
from safar.extraction.rows import LineReader, Rejected
from safar.ledger.migration import migrate_ledger
from safar.services.company import Company
from safar.services.postgres import PostgresAddress, ensure_database
from safar.services.vendors import ACCOUNTS, describe_vendors
from safar.settings import PROJECT_ROOT, Settings
from safar.workspace import Workspace

SUITES = sorted((PROJECT_ROOT / "expectations" / "raw").glob("*.yml"))


def rules(severity: str) -> list[Any]:
    found = []
    for suite in SUITES:
        for table, entries in yaml.safe_load(suite.read_text())["tables"].items():
            for entry in entries:
                if entry["severity"] == severity:
                    found.append(pytest.param(suite.stem, table, entry, id=f"{table}: {entry['meta']['rule']}"))
    return found


BREAKING_VALUES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "expect_column_values_to_match_regex": lambda _: "\N{SNOWMAN}",
    "expect_column_values_to_match_strftime_format": lambda _: "2026-02-30",
    "expect_column_values_to_not_be_null": lambda _: None,
    "expect_column_values_to_be_in_set": lambda _: "UNHEARD OF",
}


@pytest.mark.parametrize(("source_name", "table", "entry"), rules("warning"))
def test_a_row_that_breaks_the_rule_is_kept_out(source_name: str, table: str, entry: dict[str, Any]) -> None:
    source = read_sources(PROJECT_ROOT / "dbt_project")[source_name]
    declared = source.table(table.removeprefix(f"{source.schema_name}."))
    found = read_row_rules(PROJECT_ROOT / "expectations" / "raw" / f"{source_name}.yml", table)
    column = entry["kwargs"]["column"]
    [rule] = [one for one in found if one.name == entry["meta"]["rule"]]
    record: dict[str, Any] = dict.fromkeys(declared.extract.key, "1")
    value = BREAKING_VALUES[entry["type"]](entry["kwargs"])
    for part in reversed(column.split("__")):
        value = {part: value}
    record |= value
    with pytest.raises(Rejected, match=column):
        LineReader(declared, (rule,)).read(record)


FAULTS = {
    "expect_table_row_count_to_be_between": "delete from {table}",
    "expect_column_values_to_be_unique": "insert into {table} select * from {table} limit 1",
    "expect_column_values_to_not_be_null": "update {table} set {column} = null",
    "expect_column_values_to_be_in_set": "update {table} set {column} = 'UNHEARD OF' where _dlt_id = {one}",
    "expect_column_values_to_match_regex": "update {table} set {column} = '?' where _dlt_id = {one}",
    "expect_column_min_to_be_between": "update {table} set {told_at} = ({told_at}::timestamp - '9 w'::interval){cast}",
}


@pytest.fixture(scope="module")
def landed(
    postgres: PostgresAddress, company: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, str]]:
    """A database in which every source has landed and none is checked; and the load ids."""
    name = f"landed_{uuid.uuid4().hex[:8]}"
    migrate_ledger(ensure_database(postgres, name))
    workspace = open_workspace(postgres, name, company, tmp_path_factory.mktemp("home"))
    sources = read_sources(PROJECT_ROOT / "dbt_project")
    return name, {source.name: land_source(workspace, source).load_id for source in sources.values()}


def open_workspace(postgres: PostgresAddress, name: str, company: str, home: Path) -> Workspace:
    warehouse = {
        "host": "127.0.0.1",
        "port": postgres.port,
        "login": "postgres",
        "password": postgres.password,
        "schema": name,
    }
    connections: dict[str, Any] = {
        "safar_warehouse": warehouse,
        "safar_ledger": warehouse,
        "safar_address_key": {"password": "key"},
        **describe_vendors(Company(company), "", ACCOUNTS),
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    settings = Settings(home=home, environment="sandbox")
    return Workspace(settings, EnvironmentConnections(environment), SandboxClock(company))


@pytest.fixture
def landing(
    postgres: PostgresAddress, landed: tuple[str, dict[str, str]], company: str, tmp_path: Path
) -> Iterator[tuple[Workspace, dict[str, str]]]:
    """A copy of the landed database for one test."""
    template, loads = landed
    name = f"planted_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        statement = sql.SQL("create database {} template {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        yield open_workspace(postgres, name, company, tmp_path), loads
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.parametrize(("source_name", "table", "entry"), rules("critical"))
def test_a_load_that_breaks_the_rule_is_rolled_back(
    source_name: str, table: str, entry: dict[str, Any], landing: tuple[Workspace, dict[str, str]]
) -> None:
    workspace, loads = landing
    source = read_sources(PROJECT_ROOT / "dbt_project")[source_name]
    with psycopg.connect(workspace.warehouse.dsn) as connection:
        connection.execute(write_fault(source, table, entry))  # type: ignore[arg-type]
    with pytest.raises(CheckFailed) as caught:
        check_load(workspace, source, loads[source_name])
    assert f"{table}: {entry['meta']['rule']}" in str(caught.value)


def write_fault(source: Source, table: str, entry: dict[str, Any]) -> str:
    extract = source.table(table.removeprefix(f"{source.schema_name}.")).extract
    told_at = extract.window.column if extract.window else extract.modified_at
    return FAULTS[entry["type"]].format(
        table=table,
        column=entry["kwargs"].get("column"),
        one=f"(select _dlt_id from {table} where _dlt_valid_to is null and not coalesce(_deleted, false) limit 1)",
        told_at=told_at,
        cast="::date::text" if extract.window else "",
    )


def test_what_the_sandbox_sends_is_green(landing: tuple[Workspace, dict[str, str]]) -> None:
    workspace, loads = landing
    for source in read_sources(PROJECT_ROOT / "dbt_project").values():
        check_load(workspace, source, loads[source.name])
