"""Seconds to decide for many people due in three campaigns at once, with the slowest models.

Run: python -m benchmarks.decide [--people 100000]. Starts a PostgreSQL of its own. Everybody is due in every
campaign, has an address, a permission and two messages in the ledger; caps, holdout, universal control and
arbitration are on. The second figure is the next night, when nearly everybody is in already.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database
from safar.settings import PROJECT_ROOT

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DATABASE = "bench"
TABLES = ("audience_cart_abandonment", "audience_loyalty", "audience_reactivation", "fct_orders")
CAPS = [{"channel": "email", "class": "marketing", "limit": 3, "window_seconds": 7 * 86400}]
RULES = {"universal_control": 0.02, "holdout_salt": "bench"}
SHOWN = 6

PEOPLE = """
create table person as
select number, md5(number::text) as contact_id, encode(sha256(number::text::bytea), 'hex') as address_hash
from generate_series(1, %(people)s) as number;
insert into ledger.address (contact_id, channel, address_hash, address_key_id, is_valid, locale, from_sequence)
select contact_id, 'email', address_hash, 'k', true, 'en', 0 from person;
insert into ledger.contact_alias (alias_id, contact_id, from_sequence)
select md5('other' || number), contact_id, 0 from person;
insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)
select 'email', 'marketing', address_hash, 'granted', 'bench', contact_id, %(night)s - interval '9 days' from person;
insert into nightly_marts.fct_orders (order_id, contact_id, ordered_at)
select number || '-' || place, contact_id, %(night)s - (place * 30 + number %% 30) * interval '1 day'
from person, generate_series(1, 10) as place;
insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
values ('past', 'nightly', 'bench', 'past', %(night)s - interval '3 days', '{}', 'v');
insert into ledger.action
select
    md5(contact_id || place)::uuid, 'past', 'past', 'mail', place::text, contact_id, 'message', 'marketing', null,
    %(night)s, %(night)s, %(night)s, %(night)s - place * interval '3 days'
from person, generate_series(1, 2) as place;
insert into ledger.message
    (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, priority, template,
     locale, address_hash, address_key_id, entry_occurred_at, due_at, expires_at, planned_at)
select
    action_id, action_id, 'past', 'past', 'mail', occurrence_key, contact_id, 'email', 'marketing', 1, 'mail', 'en',
    address_hash, 'k', due_at, due_at, due_at, planned_at
from ledger.action
inner join person using (contact_id);
insert into ledger.claim (claim_id, lease_until, message_ids)
values ('past', now() + interval '1 hour', array[gen_random_uuid()]);
update ledger.message set state = 'claimed', claimed_at = planned_at, claimed_by = 'past';
update ledger.message set state = 'attempting', attempted_at = planned_at, attempt_count = 1;
update ledger.message set state = 'accepted', accepted_at = planned_at;
delete from ledger.claim;
"""

AUDIENCE = """
insert into nightly_audiences.{table} (contact_id, occurrence_key, occurred_at, first_name, locale)
select contact_id, 'once', %(night)s - (number %% 20) * interval '1 hour' - interval '1 hour', 'Anna', 'en' from person
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=100_000)
    people = arguments.parse_args().people
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-decide-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        run_benchmark(server.start(), folder / "target", people)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_benchmark(address: PostgresAddress, target: Path, people: int) -> None:
    dsn = ensure_database(address, DATABASE)
    migrate_ledger(dsn)
    os.environ.update(
        SAFAR_WAREHOUSE_HOST="127.0.0.1",
        SAFAR_WAREHOUSE_PORT=str(address.port),
        SAFAR_WAREHOUSE_USER="postgres",
        SAFAR_WAREHOUSE_DATABASE=DATABASE,
        DBT_ENV_SECRET_WAREHOUSE_PASSWORD=address.password,
    )
    fill(dsn, run_dbt(target, None, "parse").result, people)
    for number, label in enumerate(("first night", "next night")):
        as_of = NIGHT + timedelta(hours=number)
        pin = pin_run(dsn, f"bench/{number}", as_of)
        os.environ["SAFAR_PIN"] = json.dumps(pin)
        os.environ["SAFAR_CAMPAIGNS"] = json.dumps({"campaigns": [plan(name) for name in PLANS], "rules": RULES})
        run_dbt(target, None, "run", "--select", "path:models/staging/ledger")
        started = time.monotonic()
        outcome = run_dbt(target, None, "run", "--select", "path:models/decisions")
        report(dsn, pin["run_id"], label, time.monotonic() - started, outcome.result.results)


PLANS = {"cart_abandonment": 80, "loyalty": 60, "reactivation": 40}


def plan(name: str) -> dict[str, Any]:
    step = {
        "name": "mail",
        "wait_seconds": 0,
        "when": None,
        "channel": "email",
        "template": "mail",
        "if_not_sent": "leave",
    }
    return {
        "name": name,
        "audience": f"audience_{name}",
        "cadence": "nightly",
        "again": "each_occurrence",
        "again_after_seconds": None,
        "goal_model": "fct_orders",
        "goal_at": "ordered_at",
        "exit": "either",
        "class": "marketing",
        "topic": "marketing",
        "priority": PLANS[name],
        "holdout": 0.1,
        "caps": CAPS,
        "max_lag_seconds": 7 * 86400,
        "journey_version": "1",
        "steps": [{**step, "previous": None}],
    }


def fill(dsn: str, manifest: Any, people: int) -> None:
    """Makes empty tables after the models' contracts, and then everybody in them."""
    with psycopg.connect(dsn) as connection:
        for node in manifest.nodes.values():
            if node.resource_type == "model" and node.name in TABLES:
                columns = ", ".join(f"{column.name} {column.data_type}" for column in node.columns.values())
                connection.execute(f"create schema if not exists {node.schema}")
                connection.execute(f"create table {node.schema}.{node.alias} ({columns})")
        parameters = {"people": people, "night": NIGHT}
        for statement in PEOPLE.split(";\n"):
            connection.execute(statement, parameters)
        for name in PLANS:
            connection.execute(AUDIENCE.format(table=f"audience_{name}"), parameters)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def pin_run(dsn: str, run_id: str, as_of: datetime) -> dict[str, Any]:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)"
            " values (%(run_id)s, 'nightly', 'bench', %(run_id)s, %(as_of)s, '{}', 'v')"
            " returning sequence, clock_timestamp()",
            {"run_id": run_id, "as_of": as_of},
        ).fetchone()
    assert row is not None
    pin = {"run_id": run_id, "sequence": row[0], "cadence": "nightly", "as_of": as_of.isoformat()}
    return {**pin, "known_at": {"ledger": row[1].isoformat()}, "blocked_campaigns": []}


def run_dbt(target: Path, manifest: Any, *command: str) -> Any:
    from dbt.cli.main import dbtRunner

    project = str(PROJECT_ROOT / "dbt_project")
    outcome = dbtRunner(manifest=manifest).invoke(
        [
            *command,
            *("--project-dir", project, "--profiles-dir", project, "--target", "nightly"),
            *("--target-path", str(target), "--log-path", str(target / "logs"), "--log-level", "none"),
            *("--no-send-anonymous-usage-stats", "--no-version-check"),
        ]
    )
    if not outcome.success:
        broken = [result.message for result in getattr(outcome.result, "results", []) if result.status == "error"]
        raise SystemExit(f"dbt {command[0]} failed: {outcome.exception or broken}")
    return outcome


def report(dsn: str, run_id: str, label: str, seconds: float, results: list[Any]) -> None:
    with psycopg.connect(dsn) as connection:
        counts = connection.execute(
            "select outcome, count(*) from decisions.fct_decisions where run_id = %s group by outcome order by 2 desc",
            [run_id],
        ).fetchall()
    total = sum(count for _, count in counts)
    print(
        f"{label}: {total:,} candidates in {seconds:.1f} s ({', '.join(f'{count:,} {name}' for name, count in counts)})"
    )
    for result in sorted(results, key=lambda one: -one.execution_time)[:SHOWN]:
        print(f"  {result.execution_time:6.2f} s  {result.node.name}")


if __name__ == "__main__":
    main()
