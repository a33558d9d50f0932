"""Planning, claiming and sending on a ledger that already holds many millions of messages.

Run: python -m benchmarks.large_ledger [--history 15000000] [--decisions 1000000] [--messages 100000] [--keep FOLDER].
Starts a PostgreSQL and a sandbox of its own. The history wants about 1 KB of disk a message and is copied once; with
--keep it is written once for all later runs. Beside each figure stands the limit of the same machine in the same run:
COPY of the same rows, POSTs of the same bytes. The dispatch is a process of its own, so its memory is its own. Root
measures it twice: as planning leaves the caches, and with all of them emptied.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import psycopg
import requests

from benchmarks.dispatch import LIMIT, NOON, RULES, SEED, open_workspace, run_sandbox
from benchmarks.phases import describe_phases, timing_phases
from safar.delivery.channel import CallGroup, OutgoingMessage
from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.planning import plan_pending
from safar.delivery.publishing import publish_contents
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.delivery.template_files import compile_template
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, PostgresAddress, ensure_database
from safar.workspace import Workspace

CACHES = Path("/proc/sys/vm/drop_caches")
BATCH = 1_000_000
TABLES = ("ledger.action", "ledger.message")
# The indexes of 15 million rows do not fit into what `make run` gives its small ledger.
SERVER_OPTIONS = {"shared_buffers": "1GB", "wal_buffers": "64MB"}

HISTORY = """
with past as (
    select
        number, gen_random_uuid() as id, md5((number %% 1000000)::text) as contact_id,
        encode(sha256(('person' || number %% 1000000)::bytea), 'hex') as address_hash,
        %(noon)s - (2 + number %% 700) * interval '1 day' as at
    from generate_series(%(first)s::bigint, %(last)s::bigint) as number
),

actions as (
    insert into ledger.action (
        action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class, entry_occurred_at, due_at,
        expires_at, planned_at
    )
    select id, 'bench/1', 'past', 'mail', number::text, contact_id, 'message', 'marketing', at, at, at, at from past
)

insert into ledger.message (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, priority, template,
    locale, address_hash, address_key_id, state, entry_occurred_at, due_at, expires_at, planned_at, claimed_at,
    accepted_at
)
select
    id, id, 'bench/1', 'past', 'mail', number::text, contact_id, 'email', 'marketing', 1, 'mail', 'en', address_hash,
    'k', 'accepted', at, at, at, at, at, at
from past
"""

BARE = """
create table bare (like ledger.message including defaults including generated);
create unique index on bare (message_id);
create unique index on bare (campaign, step, occurrence_key, channel, address_hash)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=int, default=15_000_000)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=DispatchOptions().batch_size)
    parser.add_argument("--keep", type=Path, help="a folder in which the history stays for the next run")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-"))
    server = EmbeddedPostgres((options.keep or folder) / "data", options=SERVER_OPTIONS)
    try:
        dsn = prepare_ledger(server.start(), options.history, options.decisions)
        with psycopg.connect(dsn, autocommit=True) as connection, run_sandbox(folder / "sandbox") as sandbox:
            workspace = open_workspace(dsn, sandbox, folder)
            measure_plan(workspace, connection, options.decisions)
            leave_due(connection, options.messages)
            dispatch_in_process(dsn, sandbox, folder, options.batch)
            if CACHES.exists() and os.access(CACHES, os.W_OK):
                make_due(connection, options.messages)
                server.stop()
                os.sync()
                CACHES.write_text("3")
                dsn = server.start().dsn("bench")
                print("the same with a server just started and no file in the system's cache:", flush=True)
                dispatch_in_process(dsn, sandbox, folder, options.batch)
            else:
                print("cold files: not measured, only root may empty the system's cache", flush=True)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def prepare_ledger(address: PostgresAddress, history: int, decisions: int) -> str:
    """The DSN of a copy of the history, with as many people who wait to be planned."""
    name = f"history_{history}_{decisions}"
    with psycopg.connect(address.dsn("postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(f"drop database if exists {name}_begun")  # Of a run that was killed.
            dsn = ensure_database(address, f"{name}_begun")
            migrate_ledger(dsn)
            with psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as ledger:
                with ledger.transaction():
                    ledger.execute(SEED, {"noon": NOON, "count": decisions})
                fill_history(ledger, history)
            connection.execute(f"alter database {name}_begun rename to {name}")
        connection.execute("drop database if exists bench")
        connection.execute(f"create database bench template {name} strategy file_copy")
        connection.execute("checkpoint")
    dsn = address.dsn("bench")
    migrate_ledger(dsn)
    return dsn


def fill_history(connection: psycopg.Connection[Any], count: int) -> None:
    """Accepted messages of two years; written past the triggers and without indexes, which are built afterwards."""
    began = time.perf_counter()
    connection.execute("set session_replication_role = replica")
    with rebuilding_indexes(connection):
        for first in range(1, count + 1, BATCH):
            last = min(first + BATCH - 1, count)
            connection.execute(HISTORY, {"noon": NOON, "first": first, "last": last})
    connection.execute("set session_replication_role = origin")
    for table in TABLES:
        connection.execute(f"vacuum analyze {table}")
    size = connection.execute("select pg_size_pretty(pg_total_relation_size('ledger.message'))").fetchone()
    print(f"history: {count:,} messages, {size and size[0]}, in {time.perf_counter() - began:.0f} s", flush=True)


@contextmanager
def rebuilding_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    rows = connection.execute(
        "select indexname, indexdef from pg_indexes where schemaname || '.' || tablename = any(%s)"
        " and not exists (select from pg_constraint where conname = indexname)",
        [list(TABLES)],
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"drop index ledger.{name}")
    yield
    connection.execute("set maintenance_work_mem = '1GB'")
    for _, definition in rows:
        connection.execute(definition)


def measure_plan(workspace: Workspace, connection: psycopg.Connection[Any], count: int) -> None:
    began = time.perf_counter()
    report = plan_pending(workspace, "reactivation", RULES, LIMIT)
    planned = time.perf_counter() - began
    print(f"plan: {report.results['planned']:,} messages in {planned:.1f} s ({count / planned:,.0f}/s)", flush=True)
    connection.execute("vacuum analyze ledger.message")
    columns = [
        row[0]
        for row in connection.execute(
            "select attname from pg_attribute where attrelid = 'ledger.message'::regclass and attnum > 0"
            " and not attisdropped and attgenerated = '' order by attnum"
        ).fetchall()
    ]
    names = ", ".join(columns)
    rows = f"select {names} from ledger.message where is_planned"
    for statement in BARE.split(";\n"):
        connection.execute(statement)
    bare = measure_seconds(lambda: connection.execute(f"insert into bare ({names}) {rows}"))
    connection.execute("drop table bare")
    connection.execute("create table copied (like ledger.message including defaults including generated)")
    with connection.cursor() as cursor:
        with cursor.copy(f"copy ({rows}) to stdout") as out:
            lines = b"".join(bytes(block) for block in out)
        copied = measure_seconds(lambda: copy_rows(cursor, names, lines))
    connection.execute("drop table copied")
    print(
        f"  beside it: a bare insert of the same rows with two unique indexes {bare:.1f} s, COPY without any "
        f"{copied:.1f} s; planning writes actions, messages and results",
        flush=True,
    )


def copy_rows(cursor: psycopg.Cursor[Any], names: str, lines: bytes) -> None:
    with cursor.copy(f"copy copied ({names}) from stdin") as into:
        into.write(lines)


def leave_due(connection: psycopg.Connection[Any], count: int) -> None:
    connection.execute(
        "update ledger.message set due_at = due_at + interval '1 hour' where is_planned and message_id not in"
        " (select message_id from ledger.message where is_planned limit %s)",
        [count],
    )
    connection.execute("vacuum analyze ledger.message")
    connection.execute("checkpoint")


def make_due(connection: psycopg.Connection[Any], count: int) -> None:
    """The next messages of those that `leave_due` put off."""
    connection.execute(
        "update ledger.message set due_at = due_at - interval '1 hour' where message_id in"
        " (select message_id from ledger.message where is_planned order by contact_id limit %s)",
        [count],
    )
    connection.execute("vacuum analyze ledger.message")
    connection.execute("checkpoint")


def dispatch_in_process(dsn: str, sandbox: str, folder: Path, batch_size: int) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        process.submit(measure_dispatch, dsn, sandbox, folder, batch_size).result()


def measure_dispatch(dsn: str, sandbox: str, folder: Path, batch_size: int) -> None:
    workspace = open_workspace(dsn, sandbox, folder)
    publish_contents(workspace, [compile_template(workspace.settings.templates, "reactivation_reminder", "en", {})])
    channel = SendGridChannel.open(workspace, default_locale="en")
    bodies: list[bytes] = []
    options = DispatchOptions(batch_size=batch_size)
    with keeping(channel, bodies), timing_phases(channel) as phases:
        began = time.perf_counter()
        report = send_due(workspace, channel, RULES, options=options)
        seconds = time.perf_counter() - began
    claims = sorted(phases["claim"])
    print(
        f"dispatch: {report.accepted_count:,} messages in {seconds:.1f} s ({report.accepted_count / seconds:,.0f}/s); "
        f"claim of {batch_size:,}: median {statistics.median(claims) * 1000:.0f} ms, "
        f"p99 {claims[int(len(claims) * 0.99)] * 1000:.0f} ms; "
        f"memory of the process {read_peak_memory() / 2**20:.0f} MB at most",
        flush=True,
    )
    print(describe_phases(phases, seconds, options.workers), flush=True)
    rate = post_again(workspace, bodies, batch_size)
    print(f"  beside it: POSTs of the same bytes without a ledger {rate:,.0f} messages/s", flush=True)


def read_peak_memory() -> int:
    """Bytes. Not what getrusage says: a child is born with the peak of its parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


@contextmanager
def keeping(channel: SendGridChannel, bodies: list[bytes]) -> Iterator[None]:
    """Keeps a few of the bodies that are sent."""
    write_body = channel.write_body

    def kept(group: CallGroup, messages: list[OutgoingMessage], template_id: str) -> dict[str, Any]:
        body = write_body(group, messages, template_id)
        if len(bodies) < 20:
            bodies.append(orjson.dumps(body))
        return body

    with patch.object(channel, "write_body", kept):
        yield


def post_again(workspace: Workspace, bodies: list[bytes], batch_size: int) -> float:
    """Messages per second when each body is posted as it is, over one connection."""
    host = workspace.connections.get("sendgrid").base_url
    session = requests.Session()
    session.headers.update({"Authorization": "Bearer SG.sandbox", "Content-Type": "application/json"})
    began = time.perf_counter()
    for body in bodies:
        session.post(f"{host}/v3/mail/send", data=body, timeout=60).raise_for_status()
    return len(bodies) * batch_size / (time.perf_counter() - began)


def measure_seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
