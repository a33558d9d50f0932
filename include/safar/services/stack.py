"""Everything that `make run` needs on one machine, started in order and stopped without a trace."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO

from safar.connections import EnvironmentConnections
from safar.errors import ConfigurationError
from safar.ledger.logins import ensure_own_logins
from safar.ledger.migration import migrate_ledger
from safar.services.airflow import (
    AirflowPorts,
    await_airflow,
    describe_environment,
    prepare_airflow,
    start_airflow,
)
from safar.services.company import Company, await_company, start_company
from safar.services.postgres import (
    EmbeddedPostgres,
    PostgresAddress,
    ensure_database,
    ensure_owner,
    find_free_port,
    is_port_free,
)
from safar.services.supervision import Service, await_service, start_service, stop_services
from safar.services.vendors import choose_sources, describe_vendors
from safar.settings import Settings
from safar.workspace import INTAKE_LEDGER, LEDGER, LEDGER_OWNER, WAREHOUSE, Workspace

LOGINS = {WAREHOUSE: "safar_warehouse", LEDGER: "safar_tasks", INTAKE_LEDGER: "safar_web"}
"""The login of each connection; migrations log in as postgres."""
AIRFLOW = "airflow"
PORT_NAMES = ("postgres", "sandbox", "intake", "airflow", "worker_log", "triggerer_log")


@dataclass
class Stack:
    """The processes of one machine. Use it as a context manager: leaving it stops what it started."""

    settings: Settings
    people: int = 10_000
    seed: int = 1
    report: Callable[[str], None] = print
    sources: str = ""
    """What to connect; see `choose_sources`."""
    services: list[Service] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    airflow_password: str = ""
    _postgres: EmbeddedPostgres | None = None
    _lock: IO[str] | None = None

    def __enter__(self) -> Stack:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self._lock = _lock_home(self.settings.home)
        self.ports = choose_ports(self.settings.home)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_services(self.services)
        self.services.clear()
        if self._postgres is not None:
            self._postgres.stop()
        if self._lock is not None:
            self._lock.close()

    @property
    def company(self) -> Company:
        return Company(f"http://127.0.0.1:{self.ports['sandbox']}")

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['airflow']}"

    def start_data(self) -> None:
        """Starts PostgreSQL, the company and the intake, and migrates the ledger."""
        sources = choose_sources(self.settings.home, self.sources)
        self.report("PostgreSQL, the company and the intake ...")
        logs = self.settings.home / "logs"
        company_service, company = start_company(
            self.settings.home / "sandbox", self.ports["sandbox"], self.people, self.seed, os.environ, logs
        )
        self.services.append(company_service)
        self._postgres = EmbeddedPostgres(self.settings.home / "postgres", self.ports["postgres"])
        address = self._postgres.start()
        databases = describe_databases(address, read_passwords(self.settings.home))
        metadata = prepare_databases(address, databases, self.settings)
        await_company(company_service, company)
        intake_url = f"http://127.0.0.1:{self.ports['intake']}"
        key = company.register_webhook(intake_url)
        own_keys = read_own_keys(self.settings.home)
        company.register_collector(intake_url, own_keys["page"], own_keys["server"])
        connections = {
            **databases,
            **describe_own_keys(own_keys, intake_url),
            **describe_vendors(company, key, sources),
        }
        self.environment = {
            **os.environ,
            **describe_environment(self.settings, metadata, self.airflow_ports, connections),
        }
        self._start_intake(logs)
        # From here on nobody has the rights of the web process, and nobody ever had the owner's.
        self.environment.pop(f"AIRFLOW_CONN_{INTAKE_LEDGER.upper()}")

    @property
    def airflow_ports(self) -> AirflowPorts:
        return AirflowPorts(self.ports["airflow"], self.ports["worker_log"], self.ports["triggerer_log"])

    def start_airflow(self) -> None:
        """Starts Airflow's four components and waits until they are well."""
        self.report("Airflow ...")
        self.airflow_password = prepare_airflow(self.settings, self.environment)
        components = start_airflow(self.settings, self.environment)
        self.services += components
        await_airflow(components, self.ports["airflow"])

    def _start_intake(self, logs: Path) -> None:
        port = self.ports["intake"]
        command = [sys.executable, "-m", "safar", "intake", "--port", str(port)]
        intake = start_service("intake", command, select_for_intake(self.environment), logs)
        self.services.append(intake)
        await_service(intake, lambda: not is_port_free(port), patience=60)


def describe_databases(address: PostgresAddress, passwords: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """The warehouse and the ledger: one database here, two in production if you like, and a login for each part."""

    def log_in(login: str) -> dict[str, object]:
        return {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": address.port,
            "login": login,
            "password": passwords[login],
            "schema": "safar",
        }

    return {conn_id: log_in(login) for conn_id, login in LOGINS.items()}


def prepare_databases(
    address: PostgresAddress, databases: Mapping[str, Mapping[str, object]], settings: Settings
) -> str:
    """Migrates the ledger as its owner and gives each part its login; returns the DSN of Airflow's own database."""
    owner_dsn = ensure_database(address, "safar")
    migrate_ledger(owner_dsn)
    owner = {**databases[LEDGER], "login": "postgres", "password": address.password}
    known = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in databases.items()}
    known[f"AIRFLOW_CONN_{LEDGER_OWNER.upper()}"] = json.dumps(owner)
    ensure_own_logins(Workspace(settings, EnvironmentConnections(known)))
    password = read_passwords(settings.home)[AIRFLOW]
    ensure_owner(address, "airflow", AIRFLOW, password)
    return f"postgresql://{AIRFLOW}:{password}@127.0.0.1:{address.port}/airflow"


def read_passwords(home: Path) -> dict[str, str]:
    """The passwords of this installation's logins, generated once."""
    path = home / "logins.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps({login: secrets.token_urlsafe(24) for login in (*LOGINS.values(), AIRFLOW)}))
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def select_for_intake(environment: Mapping[str, str]) -> dict[str, str]:
    """What the public web process is told: none of Airflow's secrets, and no way into the warehouse or the ledger but
    its own."""
    forbidden = {f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in LOGINS if conn_id != INTAKE_LEDGER}
    return {
        name: value for name, value in environment.items() if name not in forbidden and not name.startswith("AIRFLOW__")
    }


OWN_KEYS = ("address", "token", "page", "server")
"""With the first addresses are hashed, with the second links signed; by the others the shop's pages and its server post
what happens."""


def read_own_keys(home: Path) -> dict[str, str]:
    """The keys of this installation, each generated once."""
    path = home / "keys.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    keys = {**{name: secrets.token_urlsafe(32) for name in OWN_KEYS}, **known}
    if keys != known:
        path.touch(mode=0o600)
        path.write_text(json.dumps(keys))
    return keys


def describe_own_keys(keys: Mapping[str, str], intake_url: str) -> dict[str, dict[str, object]]:
    """The connections that hold the keys of this installation."""
    write_keys = {
        sha256(keys[name].encode()).hexdigest(): {"name": app, "kind": kind}
        for name, app, kind in (("page", "shop", "client"), ("server", "shop_backend", "server"))
    }
    return {
        "safar_address_key": {"conn_type": "generic", "password": keys["address"], "extra": {"key_id": "1"}},
        "safar_intake": {
            "conn_type": "http",
            "host": intake_url,
            "password": keys["token"],
            "extra": {"write_keys": write_keys},
        },
    }


def choose_ports(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The ports of this installation: chosen once, kept as long as they are free.

    ``SAFAR_<NAME>_PORT`` asks for a certain one.

    Raises:
        ConfigurationError: a port that was asked for is taken.
    """
    path = home / "ports.json"
    kept: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    chosen: dict[str, int] = {}
    for name in PORT_NAMES:
        variable = f"SAFAR_{name.upper()}_PORT"
        if asked := environment.get(variable):
            chosen[name] = _require_port(variable, asked)
        else:
            known = kept.get(name)
            chosen[name] = known if known and is_port_free(known) else find_free_port()
    path.write_text(json.dumps(chosen))
    return chosen


def _require_port(variable: str, asked: str) -> int:
    if not asked.isdigit() or not 0 < int(asked) < 65536:
        raise ConfigurationError(f"{variable}={asked!r} is no port. Give a number from 1 to 65535.")
    if not is_port_free(int(asked)):
        raise ConfigurationError(
            f"Port {asked} of {variable} is already taken. Stop what listens there, or choose another port "
            f"({variable}=...), or unset it and let us choose."
        )
    return int(asked)


def _lock_home(home: Path) -> IO[str]:
    """Two stacks on one home would write to one database: the second one is told so."""
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigurationError(
            f"Another Safar runs on {home}. Stop it with `make down`, or set SAFAR_HOME to another folder."
        ) from error
    return lock
