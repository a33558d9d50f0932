# One image for every part: Airflow's components, the intake, the sandbox.
FROM python:3.11-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
WORKDIR /opt/safar
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --require-hashes --requirement requirements.lock

COPY include include
COPY plugins plugins
COPY dags dags
COPY dbt_project dbt_project
COPY expectations expectations
RUN pip install --no-deps --no-build-isolation --editable . \
    && useradd --create-home safar \
    && mkdir -p /var/lib/safar \
    && chown -R safar /var/lib/safar /opt/safar/dbt_project
USER safar

ENV SAFAR_HOME=/var/lib/safar \
    SAFAR_PROJECT_ROOT=/opt/safar \
    AIRFLOW_HOME=/var/lib/safar/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/safar/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/safar/plugins
RUN safar manifest
CMD ["airflow", "version"]
