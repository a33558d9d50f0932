"""What the embedded PostgreSQL and the ports of one machine say when something is in their way."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from safar.errors import ConfigurationError
from safar.services.postgres import EmbeddedPostgres, ensure_database
from safar.services.stack import Stack, choose_ports
from safar.settings import Settings


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_data_folder_of_another_version_is_left_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(ConfigurationError, match=r"was written by PostgreSQL 15, .* Move the folder away"):
        EmbeddedPostgres(data).start()
    assert [file.name for file in data.iterdir()] == ["PG_VERSION"]


def test_a_port_that_is_taken_is_named_with_its_remedy(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"Port {taken_port} is taken. Free it or choose another"):
        EmbeddedPostgres(tmp_path / "postgres", taken_port).start()


def test_a_port_that_was_asked_for_and_is_taken_is_not_replaced_by_another(tmp_path: Path, taken_port: int) -> None:
    asked = {"SAFAR_AIRFLOW_PORT": str(taken_port)}
    with pytest.raises(ConfigurationError, match=f"Port {taken_port} of SAFAR_AIRFLOW_PORT is already taken"):
        choose_ports(tmp_path, asked)


@pytest.mark.parametrize("asked", ["0", "65536", "eighty"])
def test_what_is_no_port_is_refused(tmp_path: Path, asked: str) -> None:
    with pytest.raises(ConfigurationError, match="is no port. Give a number from 1 to 65535"):
        choose_ports(tmp_path, {"SAFAR_INTAKE_PORT": asked})


def test_a_kept_port_that_somebody_else_took_is_replaced(tmp_path: Path, taken_port: int) -> None:
    chosen = choose_ports(tmp_path, {})
    (tmp_path / "ports.json").write_text(json.dumps({**chosen, "intake": taken_port}))
    again = choose_ports(tmp_path, {})
    assert again["intake"] != taken_port
    assert {**again, "intake": 0} == {**chosen, "intake": 0}


def test_a_second_safar_on_the_same_home_is_told_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, environment="sandbox")
    with Stack(settings), pytest.raises(ConfigurationError, match="Another Safar runs on"), Stack(settings):
        pass


def test_what_was_committed_outlives_a_killed_server(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    try:
        dsn = ensure_database(server.start(), "kept")
        with psycopg.connect(dsn) as connection:
            connection.execute("set synchronous_commit = on")
            connection.execute("create table kept as select 1 as number")
        server.kill()
        with psycopg.connect(server.start().dsn("kept")) as connection:
            assert connection.execute("select number from kept").fetchone() == (1,)
    finally:
        server.stop()


def test_options_go_before_the_own_ones(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", options={"shared_buffers": "64MB"})
    try:
        with psycopg.connect(server.start().dsn("postgres")) as connection:
            assert connection.execute("show shared_buffers").fetchone() == ("64MB",)
            assert connection.execute("show jit").fetchone() == ("off",)
    finally:
        server.stop()
