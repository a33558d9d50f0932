"""There is no Docker engine where the tests run: the compose file is held against the code instead."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from safar.cli import app
from safar.settings import PROJECT_ROOT, Settings

TEXT = (PROJECT_ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_every_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    explained = set(re.findall(r"^([A-Z_]+)=", (PROJECT_ROOT / ".env.example").read_text(), re.M))
    assert set(re.findall(r"\$\{([A-Z_]+)", TEXT)) == explained


def test_every_variable_of_ours_is_read_by_the_code() -> None:
    code = "".join(path.read_text() for path in (PROJECT_ROOT / "include" / "safar").rglob("*.py"))
    for name in {name for service in SERVICES.values() for name in service.get("environment", {})}:
        if name.startswith("SAFAR_"):
            assert f'"{name}"' in code, f"{name} is set in docker-compose.yml but nothing reads it"
        if name.startswith("AIRFLOW_CONN_"):
            assert name.removeprefix("AIRFLOW_CONN_").lower() in code


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
            if variable.startswith("AIRFLOW_CONN_") and json.loads(value)["conn_type"] == "postgres"
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
