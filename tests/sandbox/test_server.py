"""The process: its clock over HTTP, its restart, and how it refuses to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from typer.testing import CliRunner

from sandbox.cli import cli
from sandbox.config import SandboxConfig
from sandbox.store import Store


def test_the_process_goes_on_where_it_stood(start_sandbox: Any, tmp_path: Path) -> None:
    first = start_sandbox(tmp_path, people=100)
    moved = first.move_clock("2026-03-03T07:30:00Z")
    assert (moved["from"], moved["now"]) == ("2026-03-02T00:00:00Z", "2026-03-03T07:30:00Z")
    assert first.get("/clock") == {"now": "2026-03-03T07:30:00Z"}
    first.break_with("slow", count=None, vendor="meta")
    before = {view: first.get(f"/truth/{view}") for view in ("summary", "orders", "carts", "people")}
    assert requests.post(f"{first.root}/clock", json={"now": "2026-03-02T00:00:00Z"}).status_code == 409
    assert requests.post(f"{first.root}/clock", json={"now": "2026-03-09T00:00:00"}).status_code == 400
    assert requests.post(f"{first.root}/clock", json={}).status_code == 400
    taken = first.root.rpartition(":")[2]
    refused = subprocess.run(
        [sys.executable, "-m", "sandbox.cli", "serve", "--port", taken, "--home", str(tmp_path / "other")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, f"port {taken} on 127.0.0.1 is taken" in refused.stderr) == (1, True)
    first.stop()

    again = start_sandbox(tmp_path, people=100)
    assert {view: again.get(f"/truth/{view}") for view in before} == before
    assert [one["name"] for one in again.get("/faults")["active"]] == ["slow"]
    again.stop()


def test_another_company_in_the_same_home_is_refused(tmp_path: Path) -> None:
    runner = CliRunner()
    config = SandboxConfig(home=tmp_path / "home", people=50)
    store = Store(config.home / "company.sqlite")
    store.require_same_company(config)
    store.close()
    result = runner.invoke(cli, ["serve", "--port", "0", "--home", str(config.home), "--people", "51"])
    assert result.exit_code == 1
    assert "Give --people 50" in result.output


def test_help_names_the_vendors_and_the_options() -> None:
    assert "its CRMs, ads, shop and mail provider" in CliRunner().invoke(cli, ["--help"]).output
    shown = CliRunner().invoke(cli, ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert all(option in shown for option in ("--port", "--home", "--people", "--seed", "--start"))


def test_unknown_truth_is_told_what_there_is(sandbox: Any) -> None:
    answer = requests.get(f"{sandbox.root}/truth/nothing")
    assert (answer.status_code, "identity" in answer.text) == (404, True)


def test_limits_want_a_yes_or_no(sandbox: Any) -> None:
    assert requests.post(f"{sandbox.root}/limits", json={"enabled": "off"}).status_code == 400
