"""The processes of one machine: embedded PostgreSQL, the sandbox, the intake, Airflow."""
