"""One parse of the dbt project, and for each test a database of its own under the same name."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.decisions.company import Company
from tests.decisions.project import DbtProject

from safar.services.postgres import PostgresAddress

DATABASE = "test_decisions"
STAND_INS = (
    "audience_cart_abandonment",
    "audience_loyalty",
    "dim_contacts",
    "fct_carts",
    "fct_lifecycle_stages",
    "fct_orders",
)


@pytest.fixture(scope="session")
def dbt_project(postgres: PostgresAddress) -> Iterator[DbtProject]:
    """The parsed project; its database is a template with the ledger and empty tables of the models we stand on."""
    folder = Path(tempfile.mkdtemp(prefix="safar-dbt-decisions-"))
    environment = {
        "SAFAR_WAREHOUSE_HOST": "127.0.0.1",
        "SAFAR_WAREHOUSE_PORT": str(postgres.port),
        "SAFAR_WAREHOUSE_USER": "postgres",
        "SAFAR_WAREHOUSE_DATABASE": DATABASE,
        "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": postgres.password,
    }
    project = DbtProject(environment, folder)
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create database template_decisions template template_ledger")
        connection.execute(f"create database {DATABASE}")
    project.parse()
    with psycopg.connect(postgres.dsn("template_decisions")) as connection:
        for name in STAND_INS:
            project.create_table(connection, name)
    yield project
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def company(postgres: PostgresAddress, dbt_project: DbtProject) -> Company:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE} template template_decisions")
    return Company(postgres.dsn(DATABASE), dbt_project)
