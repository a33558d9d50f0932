"""Lets the button Test of a connection without a port work."""

from airflow.plugins_manager import AirflowPlugin

from safar_airflow.blank_port import BlankPort


class BlankPortPlugin(AirflowPlugin):
    """Airflow's own page sends port 0 where none is stored, and Airflow's API takes that for another host."""

    name = "blank_port"
    fastapi_root_middlewares = [  # noqa: RUF012 (Airflow reads it as it stands)
        {"middleware": BlankPort, "args": [], "kwargs": {}, "name": "Blank port"}
    ]
