"""Seconds for a full night's build of many people and orders, with the slowest models, then to decide on it.

Run: python -m benchmarks.build [--people 100000] [--orders 10]. Starts a PostgreSQL of its own and fills the raw
tables as the extraction would have left them: two thirds of the people are known to the CRM too, by the same
address. Then it pins, builds every nightly model with its tests, gates, publishes and decides, as a night does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from safar.catalogue import load_catalogue
from safar.catalogue.source import Source, Table, read_sources
from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database
from safar.settings import PROJECT_ROOT, Settings
from safar.warehouse import (
    Pin,
    decide,
    describe_warehouse,
    gate_campaigns,
    pin_run,
    publish_contacts,
    record_results,
    write_manifest,
)
from safar.warehouse.dbt import run_dbt
from safar.workspace import Workspace

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DATABASE = "bench"
SHOWN = 5
COMMAND = ("build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
RED = ("error", "fail", "skipped", "runtime error")
LANDING_TYPES = {"_deleted": "boolean", "_dlt_valid_from": "timestamptz", "_dlt_valid_to": "timestamptz"}

FILL = """
insert into raw_shopify.customers (id, email, first_name, locale, created_at, updated_at, _dlt_valid_from, _dlt_id)
select
    's' || number, 'person' || number || '@example.com', 'Anna', 'en', %(night)s - interval '800 days',
    %(night)s - interval '800 days', %(night)s - interval '1 hour', 'c' || number
from generate_series(1, %(people)s) as number;
insert into raw_hubspot.contacts (
    id, properties__email, properties__firstname, properties__lifecyclestage, created_at, updated_at, _dlt_valid_from,
    _dlt_id
)
select
    'h' || number, 'Person' || number || '@example.com', 'Anna', 'lead', %(night)s - interval '900 days',
    %(night)s - interval '900 days', %(night)s - interval '1 hour', 'h' || number
from generate_series(1, %(people)s) as number
where number %% 3 <> 0;
insert into raw_hubspot.subscription_statuses (
    subscriber_id_string, subscription_id, channel, status, "timestamp", _dlt_valid_from, _dlt_id
)
select
    'person' || number || '@example.com', %(topic)s, 'EMAIL', 'SUBSCRIBED', %(night)s - interval '800 days',
    %(night)s - interval '1 hour', 'p' || number
from generate_series(1, %(people)s) as number;
insert into raw_shopify.orders (
    id, customer__id, created_at, updated_at, test, currency_code, total_price_set__shop_money__amount,
    total_refunded_set__shop_money__amount, display_financial_status, line_items, refunds, _dlt_valid_from, _dlt_id
)
select
    'o' || number || '-' || place, 's' || number, at, at, false, 'EUR', (10 + number %% 90)::text, '0', 'PAID',
    '[{"title": "Tea", "quantity": 1}]', '[]', %(night)s - interval '1 hour', 'o' || number || '-' || place
from generate_series(1, %(people)s) as number
cross join generate_series(1, %(orders)s) as place
cross join lateral (
    select %(night)s - place * (20 + number %% 60) * interval '1 day' - number %% 86400 * interval '1 second' as at
) as placed
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=10, help="orders per person")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-build-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        workspace = open_workspace(server.start(), folder)
        migrate_ledger(workspace.ledger.dsn)
        fill(workspace, options.people, options.orders)
        print(f"{options.people:,} people, {options.people * options.orders:,} orders")
        run_night(workspace)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_night(workspace: Workspace) -> None:
    """Does what build_nightly does, each step timed."""
    write_manifest(workspace.settings, describe_warehouse(workspace))
    catalogue = load_catalogue(workspace.settings)
    pin = pin_run(workspace, dag_id="bench", airflow_run_id="1", cadence="nightly", as_of=NIGHT, catalogue=catalogue)
    results = measure("build", lambda: build(workspace, pin))
    models = [one for one in results if one.node.resource_type == "model"]
    tests = [one for one in results if one.node.resource_type == "test"]
    print(f"  {len(models)} models: {total(models):.1f} s; {len(tests)} tests: {total(tests):.1f} s (added up)")
    for one in sorted(models, key=lambda one: -one.execution_time)[:SHOWN]:
        print(f"  {one.execution_time:6.2f} s  {one.node.name}")
    blocked = measure("gate", lambda: gate_campaigns(workspace, pin, catalogue))
    if any(blocked.values()):
        raise SystemExit(f"Blocked: {blocked}")
    print(f"  {measure('publish', lambda: publish_contacts(workspace, pin, catalogue)).describe()}")
    print(f"  {measure('decide', lambda: decide(workspace, pin, catalogue)).describe()}")


def build(workspace: Workspace, pin: Pin) -> Any:
    outcome = run_dbt(
        workspace.settings,
        [*COMMAND, "--select", "tag:nightly", "--exclude", "path:models/decisions"],
        target=pin.target,
        target_path=workspace.settings.home / "dbt" / pin.target,
        environment={**describe_warehouse(workspace), "SAFAR_PIN": pin.to_json()},
    )
    record_results(workspace, pin, outcome)
    red = [f"{one.node.name}: {one.message}" for one in outcome.results if one.status in RED]
    if red:
        raise SystemExit("\n".join(red))
    return outcome.results


def measure(title: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    result = work()
    print(f"{title}: {time.perf_counter() - began:.1f} s", flush=True)
    return result


def total(results: Iterable[Any]) -> float:
    return sum(one.execution_time for one in results)


def fill(workspace: Workspace, people: int, orders: int) -> None:
    sources = read_sources(PROJECT_ROOT / "dbt_project")
    topics = (PROJECT_ROOT / "dbt_project" / "seeds" / "subscription_topics.csv").read_text().splitlines()
    topic = int(topics[1].split(",")[1])
    with psycopg.connect(workspace.warehouse.dsn, cursor_factory=psycopg.ClientCursor) as connection:
        for source in sources.values():
            create_tables(connection, source)
        connection.execute(FILL, {"night": NIGHT, "people": people, "orders": orders, "topic": topic})
        for name in sources:
            connection.execute(
                "insert into ledger.source_load (load_id, source, landed_at, status) values (%s, %s, %s, 'checked')",
                [f"bench-{name}", name, NIGHT],
            )
    with psycopg.connect(workspace.warehouse.dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def create_tables(connection: psycopg.Connection[Any], source: Source) -> None:
    schema = sql.Identifier(f"raw_{source.name}")
    connection.execute(sql.SQL("create schema {}").format(schema))
    for table in source.tables:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in list_types(table)
        )
        connection.execute(sql.SQL("create table {}.{} ({})").format(schema, sql.Identifier(table.name), columns))


def list_types(table: Table) -> Iterable[tuple[str, str]]:
    return {**table.types, **LANDING_TYPES, "_dlt_id": "text"}.items()


def open_workspace(address: PostgresAddress, folder: Path) -> Workspace:
    ensure_database(address, DATABASE)
    database = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": address.port,
        "login": "postgres",
        "password": address.password,
        "schema": DATABASE,
    }
    connections = {
        "safar_warehouse": database,
        "safar_ledger": database,
        "safar_address_key": {"password": "bench", "extra": {"key_id": "bench"}},
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    settings = Settings(home=folder / "home", environment="sandbox")
    return Workspace(settings, EnvironmentConnections(environment), FixedClock(NIGHT))


if __name__ == "__main__":
    main()
