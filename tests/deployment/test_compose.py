"""There is no Docker engine where the tests run: the compose file is held against the code instead."""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from safar.catalogue import load_catalogue
from safar.cli import app
from safar.connections import EnvironmentConnections
from safar.errors import ConfigurationError
from safar.settings import PROJECT_ROOT, Settings

TEXT = (PROJECT_ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
INTAKE = "include/safar/intake/"
NOT_OF_THE_WEB = {"safar_warehouse", "safar_ledger"}


def test_every_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    explained = set(re.findall(r"^([A-Z_]+)=", (PROJECT_ROOT / ".env.example").read_text(), re.M))
    assert set(re.findall(r"\$\{([A-Z_]+)", TEXT)) == explained


def test_every_variable_of_ours_is_read_by_the_code() -> None:
    code = "".join(path.read_text() for path in (PROJECT_ROOT / "include" / "safar").rglob("*.py"))
    read = {f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in list_connections_read()}
    for name in {name for service in SERVICES.values() for name in service.get("environment", {})}:
        if name.startswith("SAFAR_"):
            assert f'"{name}"' in code, f"{name} is set in docker-compose.yml but nothing reads it"
        if name.startswith("AIRFLOW_CONN_"):
            assert name in read, f"{name} is set in docker-compose.yml but nothing asks for that connection"


def list_connections_read() -> dict[str, set[str]]:
    """Every connection id that the code asks for, with the files that do."""
    found: dict[str, set[str]] = {}
    for source in load_catalogue(Settings.from_environment()).sources.values():
        for conn_id in {source.connection, source.erase.connection if source.erase else source.connection}:
            found.setdefault(conn_id, set()).add(str(source.file.relative_to(PROJECT_ROOT)))
    for root, package in ((PROJECT_ROOT / "include", "safar"), (PROJECT_ROOT / "plugins", "safar_airflow")):
        for path in sorted((root / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            for asked in list_asked(tree):
                if isinstance(asked, ast.Name):
                    conn_id = read_constant(tree, asked.id)
                    found.setdefault(conn_id, set()).add(str(path.relative_to(PROJECT_ROOT)))
                else:
                    # A source's, which its YAML names.
                    assert isinstance(asked, ast.Attribute), f"{path}: write the connection's id as a constant"
                    assert asked.attr == "connection", f"{path}: which connection is that?"
    return found


def read_constant(tree: ast.Module, name: str) -> str:
    """A name's value, from the module in which it is assigned or that it is imported from, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return str(ast.literal_eval(node.value))
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            return str(getattr(importlib.import_module(node.module), name))
    raise AssertionError(f"{name} is neither assigned nor imported")


def list_asked(tree: ast.AST) -> list[ast.expr]:
    """The first argument of each ``<something>.connections.get(...)`` or ``connections.get(...)``."""
    asked = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name == "connections":
                asked.append(node.args[0])
    return asked


def test_every_connection_that_the_code_asks_for_can_be_given() -> None:
    read = list_connections_read()
    assert {"safar_ledger", "safar_alerts", "safar_sandbox", "sendgrid", "hubspot_write", "shopify"} <= read.keys()
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    missing = {conn_id: files for conn_id, files in read.items() if f"AIRFLOW_CONN_{conn_id.upper()}" not in given}
    assert missing == {}, "add them to docker-compose.yml, and to .env.example what a person fills in"


def test_what_the_web_process_asks_for_is_given_to_it() -> None:
    read = list_connections_read()
    asked = {conn_id for conn_id, files in read.items() if any(name.startswith(INTAKE) for name in files)}
    asked |= {conn_id for conn_id, files in read.items() if "include/safar/workspace.py" in files} - NOT_OF_THE_WEB
    assert {"sendgrid", "safar_intake", "safar_intake_ledger", "safar_sandbox"} <= asked
    assert {f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in asked} <= SERVICES["intake"]["environment"].keys()
    # No key with which one could send, and no account at a vendor.
    sendgrid = json.loads(SERVICES["intake"]["environment"]["AIRFLOW_CONN_SENDGRID"])
    assert sendgrid.keys() == {"conn_type", "extra"}
    assert "AIRFLOW_CONN_HUBSPOT" not in SERVICES["intake"]["environment"]


def test_a_connection_that_is_left_empty_is_not_defined() -> None:
    with pytest.raises(ConfigurationError, match="'hubspot' is not defined"):
        EnvironmentConnections({"AIRFLOW_CONN_HUBSPOT": ""}).get("hubspot")


def test_the_settings_that_the_compose_file_chooses_are_allowed() -> None:
    environment = {
        name: re.sub(r"\$\{[A-Z_]+:-(.*?)\}", r"\1", str(value))
        for name, value in SERVICES["intake"]["environment"].items()
    }
    settings = Settings.from_environment({**environment, "SAFAR_PROJECT_ROOT": str(PROJECT_ROOT)})
    assert settings.environment == "development"
    assert settings.clock == "wall"


def test_each_part_has_only_the_logins_that_it_needs() -> None:
    seen = {
        name: sorted(
            json.loads(value)["login"]
            for variable, value in service["environment"].items()
            if variable.startswith("AIRFLOW_CONN_") and value.startswith("{")
            if json.loads(value)["conn_type"] == "postgres"
        )
        for name, service in SERVICES.items()
        if "environment" in service and name != "postgres"
    }
    assert seen.pop("migrate") == ["postgres", "safar_tasks", "safar_warehouse", "safar_web"]
    assert seen.pop("intake") == ["safar_web"]
    assert seen.pop("sandbox") == []
    assert seen
    assert all(logins == ["safar_tasks", "safar_warehouse"] for logins in seen.values())
    for name in ("intake", "sandbox"):
        assert not any(variable.startswith("AIRFLOW__") for variable in SERVICES[name]["environment"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_depends_on_services_that_exist(name: str) -> None:
    for other in SERVICES[name].get("depends_on", {}):
        assert other in SERVICES


def test_the_intake_is_started_with_options_that_it_has() -> None:
    _assert_options(app, "intake", SERVICES["intake"]["command"][2:])


def test_the_sandbox_is_started_with_options_that_it_has() -> None:
    from sandbox.cli import cli as sandbox_app

    _assert_options(sandbox_app, "serve", SERVICES["sandbox"]["command"][2:])


def test_only_loopback_is_published() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_every_path_that_the_image_copies_exists() -> None:
    for line in (PROJECT_ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY"):
            for path in line.split()[1:-1]:
                assert (PROJECT_ROOT / path).exists(), path


def test_named_volumes_are_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def _assert_options(cli: Any, command: str, arguments: list[str]) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    for option in arguments:
        if option.startswith("--"):
            assert option in plain, f"{command} has no option {option}"


def test_the_state_volume_is_where_the_image_keeps_its_home() -> None:
    image = Path(PROJECT_ROOT / "Dockerfile").read_text()
    assert "SAFAR_HOME=/var/lib/safar" in image
    assert "state:/var/lib/safar" in SERVICES["intake"]["volumes"]
