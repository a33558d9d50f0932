"""Alembic's entry: migrates the ledger over the connection that `safar.ledger.migration` hands in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="ledger", transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
