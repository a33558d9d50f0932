"""dlt's own records: the old ones go, and a pipeline goes on where it stood."""

from __future__ import annotations

from datetime import UTC, datetime

import dlt
import psycopg
import pytest

from safar.feedback.housekeeping import KEPT_VERSIONS, prune_loads

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def land(workspace, tmp_path, monkeypatch):
    """Loads some rows as a source's pipeline does, from an empty folder each time."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    count = iter(range(1000))

    def load(rows: list[dict[str, object]]) -> object:
        number = next(count)
        pipeline = dlt.pipeline(
            "shop",
            pipelines_dir=str(tmp_path / str(number)),
            destination=dlt.destinations.postgres(workspace.warehouse.dsn),
            dataset_name="raw_shop",
        )

        @dlt.resource(name="orders", primary_key="id", write_disposition="merge", max_table_nesting=0)
        def orders(at=dlt.sources.incremental("at", initial_value=0)):  # noqa: B008
            yield from (row for row in rows if row["at"] >= at.start_value)

        pipeline.run(orders)
        return pipeline.state["sources"]["shop"]["resources"]["orders"]["incremental"]["at"]["last_value"]

    return load


def count_rows(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from raw_shop.{table}").fetchone()
    return int(row[0]) if row else 0


def test_old_records_of_loads_go_and_the_pipeline_goes_on(workspace, database, land) -> None:
    assert land([{"id": 1, "at": 10}]) == 10
    assert set(prune_loads(workspace).values()) == {0}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into raw_shop._dlt_version"
            " (version, engine_version, inserted_at, schema_name, version_hash, schema)"
            " select n, 11, now() - interval '90 days', 'shop', 'old' || n, '{}' from generate_series(1, 50) as n"
        )
        connection.execute(
            "insert into raw_shop._dlt_loads (load_id, schema_name, status, inserted_at)"
            " select 'old' || n, 'shop', 0, now() - interval '90 days' from generate_series(1, 5) as n"
        )
        connection.execute("update raw_shop._dlt_loads set inserted_at = now() - interval '90 days'")
        versions = count_rows(connection, "_dlt_version")
        removed = prune_loads(workspace)["raw_shop"]
        assert count_rows(connection, "_dlt_version") == KEPT_VERSIONS
        assert removed == versions - KEPT_VERSIONS + 5
        assert count_rows(connection, "orders") == 1
    assert land([{"id": 1, "at": 10}, {"id": 3, "at": 30}]) == 30


def test_how_long_they_are_kept_is_as_set(connections, open_workspace, database, land) -> None:
    connections["sendgrid"] = {"conn_type": "http", "extra": {"feedback": {"load_history_days": 1}}}
    land([{"id": 1, "at": 10}])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into raw_shop._dlt_loads (load_id, schema_name, status, inserted_at)"
            " values ('old', 'shop', 0, now() - interval '25 hours'), ('new', 'shop', 0, now() - interval '23 hours')"
        )
        assert prune_loads(open_workspace(NOW))["raw_shop"] == 1
