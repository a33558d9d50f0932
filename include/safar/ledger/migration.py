"""Brings the ledger's schema to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate_ledger(dsn: str) -> None:
    """Creates or upgrades the schema ``ledger``; running it again changes nothing.

    Two callers at once are serialised by an advisory lock that ends with the transaction.

    Args:
        dsn: a postgresql:// URL of the ledger's database.
    """
    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('ledger.migration'))"))
        connection.execute(text("create schema if not exists ledger"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
