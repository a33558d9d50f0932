"""`make judge SPEC=…`: a dispatch through Prism, which holds each call and each answer against the vendor's own OpenAPI.

The specification is the vendor's and not part of this repository; SendGrid publishes one per part of its API, and
the one of mail/send is meant here. Any violation, of the dispatcher or of the sandbox, fails the run and is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import requests
from benchmarks.dispatch import LIMIT, NOON, RULES, SEED, open_workspace, run_sandbox

from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.planning import plan_pending
from safar.delivery.publishing import publish_contents
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.delivery.template_files import compile_template
from safar.ledger.migration import migrate_ledger
from safar.services.postgres import EmbeddedPostgres, ensure_database, find_free_port
from safar.settings import PROJECT_ROOT

PRISM = PROJECT_ROOT / ".safar" / "judge" / "node_modules" / ".bin" / "prism"
MESSAGES = 2500
TEMPLATE = "reactivation_reminder"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path, help="the vendor's OpenAPI file of mail/send, JSON or YAML")
    spec = parser.parse_args().spec
    if not spec.is_file():
        raise SystemExit(f"SPEC={spec} is no file. Give the path of the vendor's OpenAPI document of mail/send.")
    if not PRISM.exists():
        raise SystemExit(f"{PRISM} is missing. `make judge` installs it; that needs npm.")
    folder = Path(tempfile.mkdtemp(prefix="safar-judge-"))
    server = EmbeddedPostgres(folder / "data")
    try:
        dsn = ensure_database(server.start(), "judge")
        migrate_ledger(dsn)
        with psycopg.connect(dsn, cursor_factory=psycopg.ClientCursor) as connection:
            connection.execute(SEED, {"noon": NOON, "count": MESSAGES})
        with run_sandbox(folder / "sandbox") as sandbox:
            judge(dsn, sandbox, spec, folder)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def judge(dsn: str, sandbox: str, spec: Path, folder: Path) -> None:
    straight = open_workspace(dsn, sandbox, folder)
    plan_pending(straight, "reactivation", RULES, LIMIT)
    publish_contents(straight, [compile_template(straight.settings.templates, TEMPLATE, "en", {})])
    log = folder / "prism.log"
    with run_prism(spec, f"{sandbox}/sendgrid", log) as proxy:
        through = open_workspace(dsn, proxy, folder, path="")
        channel = SendGridChannel.open(through, default_locale="en")
        report = send_due(through, channel, RULES, options=DispatchOptions())
        refused = requests.post(
            f"{proxy}/v3/mail/send",
            json={"personalizations": []},
            headers={"Authorization": "Bearer SG.sandbox"},
            timeout=60,
        )
    violations = [line for line in log.read_text().splitlines() if "iolation" in line]
    print("\n".join(violations))
    print(f"{report.describe()} {len(violations)} lines about violations.")
    if refused.status_code < 400:
        raise SystemExit("The judge sleeps: it let a call without recipients pass.")
    if report.accepted_count != MESSAGES:
        raise SystemExit(f"Only {report.accepted_count} of {MESSAGES} messages passed the judge. See above.")
    print(json.dumps({"accepted": report.accepted_count, "judge": "every call and every answer is as specified"}))


@contextlib.contextmanager
def run_prism(spec: Path, upstream: str, log: Path) -> Iterator[str]:
    port = find_free_port()
    command = [str(PRISM), "proxy", str(spec.resolve()), upstream, "--errors", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        await_line(log, "Prism is listening", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def await_line(log: Path, text: str, process: subprocess.Popen[bytes], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while text not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Prism did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
