"""Airflow connections, read without Airflow.

Airflow itself resolves ``AIRFLOW_CONN_<ID>`` variables; we read the same variables in the same
JSON form, so a connection is written once and serves tasks, the command line and the intake.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from safar.errors import ConfigurationError, ConnectionMissing


class Connection(BaseModel):
    """Host and credentials of one outside system, in the terms of Airflow's connection form."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conn_id: str
    conn_type: str = "http"
    host: str = ""
    port: int | None = None
    login: str = ""
    password: SecretStr = SecretStr("")
    schema_: str = Field(default="", alias="schema")
    extra: dict[str, Any] = Field(default_factory=dict, repr=False)

    @property
    def base_url(self) -> str:
        """The URL that every path is appended to, without a trailing slash.

        Raises:
            ConfigurationError: the connection has no host.
        """
        if not self.host:
            raise ConfigurationError(f"Connection {self.conn_id!r} has no host. Set its host to the vendor's base URL.")
        url = self.host if "://" in self.host else f"{self.schema_ or 'https'}://{self.host}"
        if self.port and urlsplit(url).port is None:
            url = f"{url}:{self.port}"
        return url.rstrip("/")

    @property
    def secret(self) -> str:
        """The password in clear; never log it."""
        return self.password.get_secret_value()

    @property
    def dsn(self) -> str:
        """A postgresql:// URL for psycopg; the password is in it, never log it."""
        credentials = quote(self.login or "postgres", safe="")
        if self.secret:
            credentials += ":" + quote(self.secret, safe="")
        return f"postgresql://{credentials}@{self.host}:{self.port or 5432}/{self.schema_}"


class Connections(Protocol):
    """Where connections come from: the environment, or Airflow inside a task."""

    def get(self, conn_id: str) -> Connection: ...


class EnvironmentConnections:
    """Reads connections from ``AIRFLOW_CONN_<ID>`` variables in Airflow's JSON form."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def get(self, conn_id: str) -> Connection:
        """Returns the connection.

        Raises:
            ConnectionMissing: there is no such variable.
            ConfigurationError: it is not the JSON form.
        """
        variable = f"AIRFLOW_CONN_{conn_id.upper()}"
        text = self._environment.get(variable)
        # A compose file passes on what is not filled in as an empty text.
        if not text:
            raise ConnectionMissing(
                f"Connection {conn_id!r} is not defined. Create it in Airflow (Admin > Connections) "
                f"or set {variable} to its JSON form."
            )
        return parse_connection(conn_id, text)


def parse_connection(conn_id: str, text: str) -> Connection:
    """Reads Airflow's JSON form of a connection; the error never repeats the text, it holds secrets."""
    try:
        fields = json.loads(text)
        if isinstance(fields.get("extra"), str):
            fields["extra"] = json.loads(fields["extra"] or "{}")
        present = {name: value for name, value in fields.items() if value is not None}
        return Connection.model_validate({**present, "conn_id": conn_id})
    except (ValueError, AttributeError, ValidationError) as error:
        raise ConfigurationError(
            f"AIRFLOW_CONN_{conn_id.upper()} is not a connection in Airflow's JSON form. Write it like "
            '{"conn_type": "http", "host": "https://api.example.com", "password": "..."}.'
        ) from error
