"""The ledger: what was decided, claimed, sent and answered. Always PostgreSQL."""
