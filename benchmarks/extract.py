"""How fast contacts come from the sandbox into committed rows, beside plain `requests` and COPY in the same run.

    python -m benchmarks.extract --people 40000

Three figures: contacts per second through HTTP, dlt and PostgreSQL with the vendor's limits lifted (the first
load, and the next one, which finds nothing new), the same rows by `requests` and COPY into a table of two columns,
and, with limits on, the calls made as a share of those that the vendor allows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
import requests

from safar.catalogue.source import Source, read_sources
from safar.clock import SandboxClock
from safar.connections import EnvironmentConnections
from safar.extraction import land_source
from safar.extraction.session import VendorSession
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, ensure_database, find_free_port
from safar.settings import PROJECT_ROOT, Settings
from safar.workspace import Workspace

TOKEN = "pat-sandbox"
ALLOWED_PER_SECOND = 19.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40_000)
    people = parser.parse_args().people
    folder = Path(tempfile.mkdtemp(prefix="safar-bench-"))
    try:
        with run_sandbox(folder, people) as company, run_postgres(folder) as warehouse:
            print(json.dumps(measure(company, warehouse, folder), indent=2))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(company: str, warehouse: dict[str, Any], folder: Path) -> dict[str, float]:
    workspace, contacts = open_workspace(company, warehouse, folder), only_contacts()
    lift_limits(company, lifted=True)
    rate_plain = rate(lambda: copy_plainly(workspace, company, contacts))
    began = time.perf_counter()
    report = land_source(workspace, contacts)
    first = time.perf_counter() - began
    count = report.rows["contacts"].new
    began = time.perf_counter()
    land_source(workspace, contacts)
    again = time.perf_counter() - began
    lift_limits(company, lifted=False)
    return {
        "contacts": count,
        "contacts_per_second": round(count / first),
        "plain_contacts_per_second": round(rate_plain),
        "share_of_plain": round(count / first / rate_plain, 2),
        "next_load_seconds": round(again, 2),
        "calls_share_of_allowed": round(measure_calls(workspace, contacts), 3),
    }


def rate(work: Any) -> float:
    began = time.perf_counter()
    count: int = work()
    return count / (time.perf_counter() - began)


def copy_plainly(workspace: Workspace, company: str, contacts: Source) -> int:
    """The least that anybody could do: page, and copy the raw JSON."""
    endpoint = contacts.tables[0].extract.endpoint
    assert endpoint is not None
    session, after, count = requests.Session(), None, 0
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    with psycopg.connect(workspace.warehouse.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("create table plain_contacts (id text, record jsonb)")
        with cursor.copy("copy plain_contacts from stdin") as out:
            while True:
                params = {**endpoint.params, **({"after": after} if after else {})}
                page = orjson.loads(session.get(f"{company}/hubspot{endpoint.path}", params=params, timeout=60).content)
                for record in page["results"]:
                    out.write_row((record["id"], orjson.dumps(record).decode()))
                count += len(page["results"])
                after = page.get("paging", {}).get("next", {}).get("after")
                if after is None:
                    return count


def measure_calls(workspace: Workspace, contacts: Source) -> float:
    """Calls a second with limits on, over a load that starts from nothing, as a share of those allowed.

    The first window is left out: it may be spent at once.
    """
    with psycopg.connect(workspace.warehouse.dsn, autocommit=True) as connection:
        connection.execute("drop schema raw_hubspot cascade")
    answered: list[float] = []
    send = VendorSession._ask

    def count(session: VendorSession, *arguments: Any) -> requests.Response:
        response = send(session, *arguments)
        answered.append(time.perf_counter())
        return response

    VendorSession._ask = count  # type: ignore[method-assign, assignment]
    try:
        land_source(workspace, contacts)
    finally:
        VendorSession._ask = send  # type: ignore[method-assign]
    window = int(ALLOWED_PER_SECOND * 10)
    whole = (len(answered) - 1) // window * window
    if whole < window:
        return 1.0
    # In a rolling window the call number n may begin ten seconds after the call number n - 190.
    return (whole / ALLOWED_PER_SECOND) / (answered[whole] - answered[0])


def only_contacts() -> Source:
    source = read_sources(PROJECT_ROOT / "dbt_project")["hubspot"]
    return source.model_copy(update={"tables": source.tables[:1]})


def open_workspace(company: str, warehouse: dict[str, Any], folder: Path) -> Workspace:
    connections = {
        "safar_warehouse": warehouse,
        "safar_ledger": warehouse,
        "safar_address_key": {"password": "key"},
        "hubspot": {"host": f"{company}/hubspot", "password": TOKEN},
    }
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    settings = Settings(home=folder / "home", environment="sandbox")
    return Workspace(settings, EnvironmentConnections(environment), SandboxClock(company))


def lift_limits(company: str, *, lifted: bool) -> None:
    requests.post(f"{company}/limits", json={"enabled": not lifted}, timeout=30).raise_for_status()


@contextmanager
def run_postgres(folder: Path) -> Iterator[dict[str, Any]]:
    server = EmbeddedPostgres(folder / "postgres" / "data")
    address = server.start()
    try:
        migrate_ledger(ensure_database(address, "bench"))
        yield {
            "host": "127.0.0.1",
            "port": address.port,
            "login": "postgres",
            "password": address.password,
            "schema": "bench",
        }
    finally:
        server.stop()


@contextmanager
def run_sandbox(folder: Path, people: int) -> Iterator[str]:
    port = find_free_port()
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", str(port), "--home", str(folder / "sandbox")]
    with (folder / "sandbox.log").open("w") as log:
        process = subprocess.Popen([*command, "--people", str(people)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        await_answer(url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def await_answer(url: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            requests.get(f"{url}/health", timeout=2).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.2)
    raise SystemExit(f"The sandbox does not answer at {url}.")


if __name__ == "__main__":
    main()
