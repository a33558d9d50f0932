"""What every verb needs: settings, connections and business time, opened once per process."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import psycopg

from safar.clock import Clock, SandboxClock, WallClock
from safar.connections import Connection, Connections, EnvironmentConnections
from safar.settings import Settings

WAREHOUSE = "safar_warehouse"
LEDGER = "safar_ledger"
LEDGER_OWNER = "safar_ledger_owner"
"""Only migrations log in with it."""
INTAKE_LEDGER = "safar_intake_ledger"
"""The ledger with the rights of the public web process."""
ADDRESS_KEY = "safar_address_key"
SANDBOX = "safar_sandbox"
INTAKE = "safar_intake"


@dataclass(frozen=True)
class Workspace:
    """The project as one process sees it. ``clock`` is business time (see `safar.clock`)."""

    settings: Settings
    connections: Connections
    clock: Clock = field(default_factory=WallClock)

    @classmethod
    def open(cls, connections: Connections | None = None) -> Workspace:
        """Opens the workspace that the environment describes."""
        settings = Settings.from_environment()
        connections = connections or EnvironmentConnections()
        clock: Clock = WallClock()
        if settings.clock == "sandbox":
            clock = SandboxClock(connections.get(SANDBOX).base_url)
        return cls(settings, connections, clock)

    @cached_property
    def warehouse(self) -> Connection:
        return self.connections.get(WAREHOUSE)

    @cached_property
    def ledger(self) -> Connection:
        return self.connections.get(LEDGER)

    @cached_property
    def intake_ledger(self) -> Connection:
        return self.connections.get(INTAKE_LEDGER)

    def open_ledger(self) -> psycopg.Connection:
        """Opens a new connection to the ledger's database; the caller closes it (use ``with``).

        The session's time zone is UTC and nothing is committed until the ``with`` block ends.
        """
        return psycopg.connect(self.ledger.dsn, options="-c timezone=UTC", application_name="safar")
