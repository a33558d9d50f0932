"""Events per second from a signed post over HTTP to committed rows, each kept once, on one core.

Run: python benchmarks/intake.py [--events 60000] [--post 500]. Starts a PostgreSQL and an intake of its own; the intake
and its database are held to one core where there are two, whoever posts has the other. One event in five is a repeat.
Beside it stand the limits of the same machine in the same run: COPY of the same rows, and posts of nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import psycopg
import requests
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.dispatch import describe_database
from safar.intake.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, ensure_database, find_free_port, is_port_free

CORE = 0
REPEATS = 0.2
CLIENTS = 4
KINDS = ("processed", "delivered", "open", "click", "bounce")


def make_events(count: int) -> list[dict[str, Any]]:
    now = int(time.time())
    return [
        {
            "email": f"person{number}@example.com",
            "timestamp": now,
            "event": KINDS[number % len(KINDS)],
            "sg_event_id": uuid.uuid4().hex,
            "sg_message_id": f"{uuid.uuid4().hex[:22]}.filter0001.16648.5515E0B88.0",
            "message_id": str(uuid.uuid4()),
            "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
            "category": ["reactivation", "reminder"],
            "ip": "203.0.113.77",
            "useragent": "Mozilla/5.0",
            "url": "https://shop.example.com/cart",
            "response": "250 2.0.0 OK",
        }
        for number in range(count)
    ]


def sign_posts(events: Sequence[dict[str, Any]], size: int, key: EllipticCurvePrivateKey) -> list[tuple[bytes, dict]]:
    posts = []
    for start in range(0, len(events), size):
        body = orjson.dumps(events[start : start + size]) + b"\r\n"
        timestamp = str(int(time.time()))
        signature = b64encode(key.sign(timestamp.encode() + body, ECDSA(SHA256()))).decode()
        posts.append((body, {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: timestamp}))
    return posts


@contextmanager
def run_intake(dsn: str, key: EllipticCurvePrivateKey, home: Path) -> Iterator[str]:
    ledger = describe_database(dsn)
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    connections = {
        "safar_ledger": ledger,
        "safar_intake_ledger": ledger,
        "safar_address_key": {"password": "address-key", "extra": {"key_id": "1"}},
        "safar_intake": {"host": "http://127.0.0.1:1", "password": "token-key"},
        "sendgrid": {"host": "http://127.0.0.1:1", "extra": {"event_public_key": public}},
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    port = find_free_port()
    command = [sys.executable, "-m", "safar", "intake", "--port", str(port)]
    with (home / "intake.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **environment, "SAFAR_HOME": str(home)}, stdout=log, stderr=log
        )
        try:
            while is_port_free(port):
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def post_all(url: str, posts: Sequence[tuple[bytes, dict]]) -> tuple[float, int]:
    """Posts from a few connections at once; returns seconds and how many events were new."""

    def post_some(part: Sequence[tuple[bytes, dict]]) -> int:
        with requests.Session() as session:
            answers = [session.post(url, data=body, headers=headers, timeout=60) for body, headers in part]
        for answer in answers:
            answer.raise_for_status()
        return sum(int(answer.text.split()[0]) for answer in answers)

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        new_count = sum(pool.map(post_some, [posts[number::CLIENTS] for number in range(CLIENTS)]))
    return time.perf_counter() - began, new_count


def copy_rows(dsn: str) -> float:
    """The rows that the intake wrote, copied into an empty table with the same indexes; returns rows per second."""
    columns = "provider, event_id, message_id, provider_message_id, event_type, channel, address_hash, occurred_at"
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(f"select {columns} from ledger.provider_event").fetchall()
        connection.execute("create table copied (like ledger.provider_event including all)")
        began = time.perf_counter()
        with connection.cursor().copy(f"copy copied ({columns}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return len(rows) / (time.perf_counter() - began)


def measure(url: str, dsn: str, count: int, size: int, key: EllipticCurvePrivateKey) -> None:
    draw = random.Random(1)
    distinct = make_events(int(count * (1 - REPEATS)))
    sent = distinct + draw.choices(distinct, k=count - len(distinct))
    draw.shuffle(sent)
    hook = f"{url}/webhooks/sendgrid"
    post_all(hook, sign_posts(make_events(size), size, key))
    seconds, new_count = post_all(hook, sign_posts(sent, size, key))
    print(f"intake: {count / seconds:,.0f} events/s on one core, {size} a post ({count} events in {seconds:.1f} s)")
    print(f"kept once: {new_count} of {len(distinct)} distinct events, {count - len(distinct)} repeats dropped")
    singles = sign_posts(make_events(2_000), 1, key)
    seconds, _ = post_all(hook, singles)
    print(f"one event a post: {len(singles) / seconds:,.0f} events/s, each committed before its answer")
    seconds, _ = post_all(hook, [sign_posts([{}], 1, key)[0]] * 1_000)
    print(f"limit: {1_000 / seconds:,.0f} posts/s of one repeat, nothing new to write")
    print(f"limit: {copy_rows(dsn):,.0f} rows/s by COPY of the same rows, same indexes, on all cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--post", type=int, default=500, help="events in one post")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-"))
    server = EmbeddedPostgres(folder / "data")
    key = generate_private_key(SECP256R1())
    own, cores = psutil.Process(), psutil.Process().cpu_affinity()
    try:
        own.cpu_affinity([CORE])
        dsn = ensure_database(server.start(), "bench")
        migrate_ledger(dsn)
        with run_intake(dsn, key, folder) as url:
            # The server and the intake inherited the core; whoever posts moves away from it.
            own.cpu_affinity([core for core in cores if core != CORE] or cores)
            measure(url, dsn, options.events, options.post, key)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
