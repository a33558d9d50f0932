"""Airflow on one machine: its settings as environment variables, its four components as services."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from safar.errors import SafarError
from safar.services.supervision import Service, await_service, start_service
from safar.settings import Settings

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
ADMIN = "admin"


@dataclass(frozen=True)
class AirflowPorts:
    """Ports on 127.0.0.1: the UI and API, and the two small log servers."""

    api: int
    worker_log: int
    triggerer_log: int


def describe_environment(
    settings: Settings, database: str, ports: AirflowPorts, connections: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    """Airflow's configuration for this machine.

    Args:
        database: DSN of Airflow's own database.
        connections: by id, in Airflow's JSON form; they become ``AIRFLOW_CONN_*`` variables.
    """
    home = settings.home / "airflow"
    keys = _read_keys(settings.home)
    sqlalchemy = database.replace("postgresql://", "postgresql+psycopg2://", 1)
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project_root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.project_root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,marketer:op",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{ports.api}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sqlalchemy,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database.replace("postgresql://", "postgresql+psycopg://", 1),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(ports.api),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{ports.api}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(ports.worker_log),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(ports.triggerer_log),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "AIRFLOW__COSMOS__PROPAGATE_LOGS": "False",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
        "GX_ANALYTICS_ENABLED": "False",
        "RUNTIME__DLTHUB_TELEMETRY": "False",
        "SAFAR_HOME": str(settings.home),
        "SAFAR_ENVIRONMENT": settings.environment,
        "SAFAR_CLOCK": settings.clock,
    }
    for conn_id, fields in connections.items():
        own[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(fields)
    return own


def prepare_airflow(settings: Settings, environment: Mapping[str, str]) -> str:
    """Migrates Airflow's database and makes sure that its users have passwords; returns the admin's.

    Raises:
        SafarError: the migration failed.
    """
    home = settings.home / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    passwords = home / "passwords.json"
    if not passwords.exists():
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({name: secrets.token_urlsafe(12) for name in (ADMIN, "marketer")}))
    migration = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=dict(environment), capture_output=True, text=True
    )
    if migration.returncode:
        raise SafarError(f"Airflow's database could not be migrated:\n{migration.stderr[-2000:]}")
    password: str = json.loads(passwords.read_text())[ADMIN]
    return password


def start_airflow(settings: Settings, environment: Mapping[str, str]) -> list[Service]:
    """Starts the four components; they are not ready yet (see `await_airflow`)."""
    logs = settings.home / "logs"
    # LocalExecutor forks its workers from the scheduler (see plugins/preload_libraries.py).
    preload = {"scheduler": {"SAFAR_PRELOAD": "1"}}
    return [
        start_service(
            component,
            [sys.executable, "-m", "airflow", component],
            {**environment, **preload.get(component, {})},
            logs,
        )
        for component in COMPONENTS
    ]


def await_airflow(services: list[Service], port: int, patience: float = 120.0) -> None:
    """Waits until the API answers and scheduler, dag-processor and triggerer are alive."""

    def is_ready() -> bool:
        for service in services:
            if not service.is_running():
                raise SafarError(f"{service.name} ended. Its log {service.log} ends with:\n{service.read_log_end()}")
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5).json()
        except requests.RequestException:
            return False
        parts = ("scheduler", "dag_processor", "triggerer")
        return all(answer.get(part, {}).get("status") == "healthy" for part in parts)

    await_service(services[0], is_ready, patience)


def _read_keys(home: Path) -> dict[str, str]:
    """Keys of this installation, generated once."""
    from cryptography.fernet import Fernet

    path = home / "airflow-keys.json"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(
            json.dumps(
                {
                    "fernet": Fernet.generate_key().decode(),
                    "api": secrets.token_urlsafe(32),
                    "jwt": secrets.token_urlsafe(48),
                }
            )
        )
    keys: dict[str, str] = json.loads(path.read_text())
    return keys
