"""Everything that imports Airflow, apart from the DAG files: connections, operators, the sensor, schedules."""
