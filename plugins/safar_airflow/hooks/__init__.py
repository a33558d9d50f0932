"""Hooks: what Airflow asks when somebody tests a connection."""
