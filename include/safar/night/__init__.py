"""Plays nights of the simulated company: through Airflow, or in one process by the same functions."""
