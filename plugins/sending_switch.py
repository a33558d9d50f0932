"""Puts "Stop sending" into Airflow's menu Browse: it opens the DAG pause_sending, behind Airflow's own login."""

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin


class SendingSwitch(AirflowPlugin):
    """A link and no code of its own: whoever may trigger the DAG may stop sending."""

    name = "sending_switch"
    external_views = [  # noqa: RUF012 (Airflow reads it as it stands)
        {
            "name": "Stop sending",
            "href": f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/dags/pause_sending",
            "destination": "nav",
            # At the top level Airflow 3.3.2 draws such a link as a button that does nothing when it is pressed.
            "category": "browse",
        }
    ]
