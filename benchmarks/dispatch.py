"""Messages per second from planned to accepted, ledger writes included, against the sandbox; and by one mail per call.

Run: python -m benchmarks.dispatch [--messages 20000]. Starts a PostgreSQL and a sandbox of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sendgrid import SendGridAPIClient

from benchmarks.phases import describe_phases, timing_phases
from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.planning import plan_pending
from safar.delivery.publishing import list_published, publish_contents
from safar.delivery.rules import AudienceLimit, DeliveryRules, FrequencyCap
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.delivery.template_files import compile_template
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, ensure_database
from safar.settings import Settings
from safar.workspace import Workspace

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULES = DeliveryRules(zone=ZoneInfo("UTC"), caps=(FrequencyCap("email", "marketing", 3, timedelta(days=7)),))
LIMIT = AudienceLimit(people=10_000_000, growth=Decimal(1))
SINGLE_MAILS = 300

SEED = """
create schema decisions;
insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
values ('bench/1', 'nightly', 'bench', '1', %(noon)s, '{}', 'v');
create temporary table person as
select
    md5(number::text) as contact_id,
    'person' || number || '@example.com' as address,
    encode(sha256(('person' || number)::bytea), 'hex') as address_hash
from generate_series(1, %(count)s) as number;
insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid, from_sequence)
select contact_id, 'email', address, address_hash, 'k', true, 0 from person;
insert into ledger.permission_event (channel, topic, address_hash, contact_id, state, source, source_key, occurred_at)
select 'email', 'marketing', address_hash, contact_id, 'granted', 'bench', contact_id, %(noon)s - interval '9 days'
from person;
create table decisions.fct_decisions as
select
    'bench/1' as run_id, run.sequence as run_sequence, 'reactivation' as campaign, 'reminder' as step, contact_id,
    'once' as occurrence_key, 'email' as channel, 'reactivation_reminder' as template, 'marketing' as class,
    'marketing' as topic, 50 as priority, %(noon)s - interval '1 hour' as entry_occurred_at, %(noon)s as due_at,
    %(noon)s + interval '1 day' as expires_at, 'send' as outcome, address_hash, 'en' as locale,
    jsonb_build_object('first_name', 'Anna', 'last_order_date', '2025-12-24', 'silent_days', 69) as fields
from person, ledger.run;
create index on decisions.fct_decisions (run_id, campaign, outcome);
analyze;
"""


@contextlib.contextmanager
def run_sandbox(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--home", str(home), "--people", "20"]
    process = subprocess.Popen([*command, "--no-limits"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(20)


def describe_database(dsn: str) -> dict[str, object]:
    """The database as an Airflow connection in its JSON form."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return {
        "conn_type": "postgres",
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts["password"],
        "schema": parts["dbname"],
    }


def open_workspace(dsn: str, sandbox: str, home: Path, path: str = "/sendgrid") -> Workspace:
    postgres = describe_database(dsn)
    connections = {
        "safar_ledger": postgres,
        "safar_warehouse": postgres,
        "safar_intake": {"host": "http://127.0.0.1:8090", "password": "token-key"},
        "sendgrid": {
            "host": f"{sandbox}{path}",
            "password": "SG.sandbox",
            "extra": {"from_email": "hello@shop.example.com"},
        },
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    return Workspace(Settings(home=home, environment="sandbox"), EnvironmentConnections(environment), FixedClock(NOON))


def send_one_by_one(sandbox: str, template_id: str) -> float:
    """What a home-made sender does: the SDK, one person per call. Returns mails per second."""
    client = SendGridAPIClient("SG.sandbox", host=f"{sandbox}/sendgrid").client
    began = time.perf_counter()
    for number in range(SINGLE_MAILS):
        person = {"to": [{"email": f"single{number}@example.com"}], "dynamic_template_data": {"first_name": "Anna"}}
        body = {"from": {"email": "hello@shop.example.com"}, "template_id": template_id, "personalizations": [person]}
        client.mail.send.post(request_body=body)
    return SINGLE_MAILS / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=DispatchOptions().workers)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        dsn = ensure_database(server.start(), "bench")
        migrate_ledger(dsn)
        with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor) as connection:
            connection.execute(SEED, {"noon": NOON, "count": options.messages})
        with run_sandbox(folder / "sandbox") as sandbox:
            measure(open_workspace(dsn, sandbox, folder), sandbox, options.messages, options.workers)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(workspace: Workspace, sandbox: str, count: int, workers: int) -> None:
    began = time.perf_counter()
    plan = plan_pending(workspace, "reactivation", RULES, LIMIT)
    planned = time.perf_counter() - began
    print(f"plan: {count} messages in {planned:.1f} s ({count / planned:,.0f}/s): {dict(plan.results)}")
    publish_contents(workspace, [compile_template(workspace.settings.templates, "reactivation_reminder", "en", {})])
    channel = SendGridChannel.open(workspace, default_locale="en")
    with timing_phases(channel) as phases:
        began = time.perf_counter()
        report = send_due(workspace, channel, RULES, options=DispatchOptions(workers=workers))
        seconds = time.perf_counter() - began
    rate = report.accepted_count / seconds
    print(f"dispatch: {rate:,.0f} messages/s from planned to accepted ({seconds:.1f} s, {workers} workers)")
    print(describe_phases(phases, seconds, workers))
    template_id = list_published(workspace, "sendgrid")["reactivation_reminder", "en"]
    single = send_one_by_one(sandbox, template_id)
    print(f"one mail per call with the SDK, no ledger: {single:,.0f}/s; dispatch is {rate / single:,.1f} times that")


if __name__ == "__main__":
    main()
