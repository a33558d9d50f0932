"""The logins of one installation: each connection to the database has its own, with the rights that its work needs."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from safar.connections import Connection
from safar.errors import ConfigurationError
from safar.workspace import INTAKE_LEDGER, LEDGER, LEDGER_OWNER, WAREHOUSE, Workspace

DBT = ("safar_dbt",)
TASKS = ("safar_build", "safar_deliver")
WEB = ("safar_intake",)
GROUPS = ("safar_dbt", "safar_build", "safar_deliver", "safar_intake", "safar_read")
"""Made by the ledger's migration. safar_read is for people and dashboards: it sees no address."""


def ensure_own_logins(workspace: Workspace) -> list[str]:
    """Does for the workspace's connections what `ensure_logins` does, and lets dbt's build in the warehouse.

    Raises:
        ConfigurationError: a connection is missing, or two of them share a login.
    """
    connections = workspace.connections
    owner = connections.get(LEDGER_OWNER)
    warehouse = connections.get(WAREHOUSE)
    logins = {DBT: warehouse, TASKS: connections.get(LEDGER), WEB: connections.get(INTAKE_LEDGER)}
    ensure_logins(owner.dsn, logins)
    hand_over_warehouse(owner.model_copy(update={"schema_": warehouse.schema_}).dsn, warehouse.login)
    return [connection.login for connection in logins.values()]


def ensure_logins(owner_dsn: str, logins: Mapping[tuple[str, ...], Connection]) -> None:
    """Creates the login of each connection, or gives it its password anew, and puts it into its groups, and no other.

    Args:
        owner_dsn: a login that may create roles, on the ledger's database, after the migration.
        logins: connections by the groups that they log in with.

    Raises:
        ConfigurationError: a connection names no login, or the owner's.
    """
    with psycopg.connect(owner_dsn) as owner:
        for groups, connection in logins.items():
            _require_own_login(owner, connection)
            _ensure_login(owner, connection, groups)


def hand_over_warehouse(admin_dsn: str, login: str) -> None:
    """Lets the login make schemas in the warehouse: it owns what dlt and dbt build there.

    Args:
        admin_dsn: a login that owns the warehouse's database.
    """
    with psycopg.connect(admin_dsn) as admin:
        statement = sql.SQL("grant create, connect, temporary on database {} to {}")
        admin.execute(statement.format(sql.Identifier(admin.info.dbname), sql.Identifier(login)))


def _require_own_login(owner: psycopg.Connection, connection: Connection) -> None:
    if not connection.login or connection.login in (owner.info.user, *GROUPS):
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no login of its own (login {connection.login!r}). "
            "Give it a user name that nothing else uses, and a password."
        )


def _ensure_login(owner: psycopg.Connection, connection: Connection, groups: tuple[str, ...]) -> None:
    name = sql.Identifier(connection.login)
    known = owner.execute("select from pg_roles where rolname = %s", [connection.login]).fetchone()
    verb = sql.SQL("alter" if known is not None else "create")
    # The server gets only the verifier: a statement with a password would stand in its log.
    verifier = owner.pgconn.encrypt_password(connection.secret.encode(), connection.login.encode(), b"scram-sha-256")
    owner.execute(sql.SQL("{} role {} login password {}").format(verb, name, sql.Literal(verifier.decode())))
    for group in GROUPS:
        words = "grant {} to {}" if group in groups else "revoke {} from {}"
        is_member = owner.execute("select pg_has_role(%s, %s, 'member')", [connection.login, group]).fetchone()
        if is_member != (group in groups,):
            owner.execute(sql.SQL(words).format(sql.Identifier(group), name))
