"""Each declared source has a form under Admin > Connections, and its button Test asks the vendor."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_vendor import TOKEN, Vendor, answer

from safar.catalogue.source import Source, read_sources
from safar.errors import SafarError
from safar.extraction.session import Patience
from safar.extraction.trying import try_connection
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace
from safar_airflow.blank_port import BlankPort

Declare = Callable[..., Source]
Open = Callable[..., Workspace]


@pytest.fixture
def ask_airflow(tmp_path: Path, connections: dict[str, Any]) -> Callable[..., list[Any]]:
    """The forms that Airflow knows of a checkout, and what it says to these connections."""

    def ask(root: Path, *pressed: dict[str, Any]) -> list[Any]:
        environment = {
            **os.environ,
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SAFAR_PROJECT_ROOT": str(root),
            "SAFAR_HOME": str(tmp_path / "home"),
            "SAFAR_CLOCK": "wall",
        }
        command = [sys.executable, str(Path(__file__).with_name("try_forms.py"))]
        done = subprocess.run(
            command, env=environment, input=json.dumps(pressed), cwd=PROJECT_ROOT, capture_output=True, text=True
        )
        found = [line for line in done.stdout.splitlines() if line.startswith("FORMS:")]
        assert found, done.stderr[-3000:]
        told: list[Any] = json.loads(found[0].removeprefix("FORMS:"))
        return told

    return ask


def test_every_source_of_the_project_has_a_form_that_can_be_tested(ask_airflow: Callable[..., list[Any]]) -> None:
    forms, _ = ask_airflow(PROJECT_ROOT)
    assert set(forms) == {f"safar_{name}" for name in read_sources(PROJECT_ROOT / "dbt_project")}
    assert all(form["is_testable"] for form in forms.values())
    assert forms["safar_hubspot"] == {
        "label": "Safar: hubspot",
        "is_testable": True,
        "hidden": ["login", "port", "schema"],
        "extra": {},
    }
    assert forms["safar_meta_ads"]["extra"] == {"account_id": False}


def test_the_button_asks_the_vendor_with_what_stands_in_the_form(
    vendor: Vendor, declare: Declare, project: Path, ask_airflow: Callable[..., list[Any]]
) -> None:
    vendor.contacts = [{"id": "1", "changed": "2026-03-01T10:00:00Z"}]
    for source in ("crm", "shop", "members"):
        declare(source)
    shutil.copy(PROJECT_ROOT / "dbt_project" / "dbt_project.yml", project / "dbt_project")
    folder = project / "files"
    folder.mkdir()
    (folder / "members.csv").write_text("Member no;E-Mail;Since;Changed\n1;a@example.com;01.02.2026;01.02.2026 10:00\n")
    crm = {"conn_type": "safar_crm", "host": vendor.base_url, "password": TOKEN}
    shop = {"conn_type": "safar_shop", "host": vendor.base_url, "login": "shop-id", "password": "shop-secret"}
    members = {"conn_type": "safar_members", "extra": json.dumps({"path": str(folder)})}
    _, told = ask_airflow(
        project, crm, {**crm, "password": "wrong"}, {**crm, "password": None}, shop, {**shop, "password": "no"}, members
    )
    (right, wrong, none, right_shop, wrong_shop, files) = told
    assert right == [True, "crm gave a row (contacts)."]
    assert wrong[0] is False
    assert "refuses our credentials (HTTP 401)" in wrong[1]
    assert "Put a valid token or secret into the connection 'crm'" in wrong[1]
    assert none == [False, none[1]]
    assert "it has no password. Fill password in" in none[1]
    assert right_shop == [True, "shop answered, and has no row for us yet (orders)."]
    assert wrong_shop[0] is False
    assert files == [True, "members gave a row (members)."]
    assert "wrong" not in wrong[1]


def test_one_page_is_asked_for_and_nothing_is_landed(
    vendor: Vendor, declare: Declare, open_at: Open, select: Callable[..., list[tuple[Any, ...]]]
) -> None:
    vendor.contacts = [{"id": str(number)} for number in range(9)]
    workspace = open_at()
    told = try_connection(workspace, declare("crm"), workspace.connections.get("crm"))
    assert told == "crm gave a row (contacts)."
    assert vendor.paths() == ["/contacts"]
    assert select("select count(*) from ledger.source_load") == [(0,)]


def test_of_a_window_only_today_is_asked_for(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    workspace = open_at()
    try_connection(workspace, declare("ads"), workspace.connections.get("crm"))
    assert json.loads(vendor.requests[0][2]["range"]) == {"since": "2026-03-02", "until": "2026-03-02"}


def test_what_a_job_would_make_is_asked_for_where_no_job_is_needed(
    vendor: Vendor, declare: Declare, open_at: Open, naps: list[float]
) -> None:
    workspace = open_at()
    vendor.faults = [answer(200, {"records": [{"id": "1"}]})]
    told = try_connection(workspace, declare("exports"), workspace.connections.get("crm"))
    assert told == "exports gave a row (people)."
    assert vendor.paths() == ["/people"]


def test_a_vendor_that_is_down_is_told_at_once(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    workspace = open_at()
    vendor.faults = [answer(500, {})] * 5
    with pytest.raises(SafarError, match="HTTP 500"):
        try_connection(workspace, declare("crm"), workspace.connections.get("crm"), Patience(2, sleep=lambda _: None))


@pytest.mark.parametrize(
    ("path", "sent", "received"),
    [
        ("/api/v2/connections/test", {"host": "h", "port": 0}, {"host": "h", "port": None}),
        ("/api/v2/connections/test", {"host": "h", "port": 443}, {"host": "h", "port": 443}),
        ("/api/v2/connections", {"host": "h", "port": 0}, {"host": "h", "port": 0}),
    ],
)
def test_a_port_that_the_page_made_up_is_no_port(path: str, sent: dict[str, Any], received: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    halves = [
        {"type": "http.request", "body": body[:5], "more_body": True},
        {"type": "http.request", "body": body[5:], "more_body": False},
    ]
    seen = []

    async def receive() -> Any:
        return halves.pop(0)

    async def answer_request(scope: Any, receive: Any, send: Any) -> None:
        text = b""
        while True:
            part = await receive()
            text += part["body"]
            if not part["more_body"]:
                break
        seen.append((json.loads(text), {int(value) for name, value in scope["headers"]} == {len(text)}))

    scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"content-length", str(len(body)).encode())]}
    asyncio.run(BlankPort(answer_request)(scope, receive, lambda _: None))  # type: ignore[arg-type]
    assert seen == [(received, True)]
