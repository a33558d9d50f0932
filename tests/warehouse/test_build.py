"""Real dbt on a real warehouse, in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from safar.catalogue import Catalogue
from safar.warehouse import (
    DbtFailed,
    Pin,
    RedModels,
    Superseded,
    build_models,
    gate_campaigns,
    give_verdict,
    read_recorded,
    take_build_lock,
    write_docs,
    write_manifest,
)
from safar.workspace import Workspace

Build = Callable[..., Pin]


def test_a_build_records_every_model_and_test(workspace: Workspace, pin: Build, raw: psycopg.Connection) -> None:
    seen: list[tuple[int, int, str, str]] = []
    report = build_models(workspace, pin("first"), progress=lambda *step: seen.append(step))
    assert report.red == ()
    assert report.green_count == len(seen) == seen[-1][0] == seen[-1][1]
    assert "model.safar.fct_orders" in {node for _, _, node, _ in seen}
    assert raw.execute("select count(*) from nightly_marts.fct_orders").fetchone() == (2,)
    assert raw.execute("select count(*) from ledger.model_result where status = 'green'").fetchone() == (len(seen),)
    assert "SAFAR_PIN" not in os.environ
    assert "DBT_ENV_SECRET_WAREHOUSE_PASSWORD" not in os.environ
    give_verdict(workspace, pin("first"))


def test_a_cadence_builds_its_own_schemas(build: Build, raw: psycopg.Connection) -> None:
    build("first", "intraday")
    rows = raw.execute("select nspname from pg_namespace where nspname ~ '^(nightly|intraday)_' order by 1").fetchall()
    assert {row[0] for row in rows if row[0].startswith("intraday")} >= {"intraday_intermediate", "intraday_audiences"}
    assert raw.execute("select to_regclass('intraday_marts.fct_orders')").fetchone() == (None,)
    assert raw.execute("select to_regclass('nightly_intermediate.int_contact_records')").fetchone() == (None,)


def test_a_red_model_blocks_only_its_campaigns(
    workspace: Workspace, catalogue: Catalogue, build: Build, raw: psycopg.Connection
) -> None:
    raw.execute("update raw_shop.orders set amount = 0 where id = 'o1'")
    pinned = build("first")
    reasons = gate_campaigns(workspace, pinned, catalogue)
    assert reasons["welcome"] is None
    assert reasons["thanks"] is not None
    assert "The model fct_orders is red (error: Database Error in model fct_orders" in reasons["thanks"]
    assert "division by zero" in reasons["thanks"]
    with pytest.raises(RedModels, match=r"model\.safar\.fct_orders: error: ") as caught:
        give_verdict(workspace, pinned)
    assert "model.safar.audience_thanks" in caught.value.nodes
    rows = raw.execute("select campaign, is_blocked from ledger.campaign_gate order by 1").fetchall()
    assert rows == [("thanks", True), ("welcome", False)]


def test_a_repaired_model_unblocks_its_campaign(
    workspace: Workspace, catalogue: Catalogue, build: Build, raw: psycopg.Connection
) -> None:
    raw.execute("update raw_shop.orders set amount = 0 where id = 'o1'")
    pinned = build("first")
    assert gate_campaigns(workspace, pinned, catalogue)["thanks"]
    raw.execute("update raw_shop.orders set amount = 5 where id = 'o1'")
    build_models(workspace, pinned, select=["fct_orders+"])
    assert gate_campaigns(workspace, pinned, catalogue) == {"welcome": None, "thanks": None}
    give_verdict(workspace, pinned)


def test_a_red_test_blocks_whoever_stands_on_its_model(
    workspace: Workspace, catalogue: Catalogue, build: Build, raw: psycopg.Connection
) -> None:
    raw.execute("update raw_crm.people set email = 'red@example.com' where id = '2'")
    reason = gate_campaigns(workspace, build("first"), catalogue)["welcome"]
    assert reason is not None
    assert "The test nobody_is_called_red is red (fail: Got 1 result" in reason


def test_a_red_result_never_quotes_the_row(workspace: Workspace, build: Build, raw: psycopg.Connection) -> None:
    raw.execute("update raw_shop.orders set amount = 0 where id = 'o1'")
    results = read_recorded(workspace, build("first"))
    message = results["model.safar.fct_orders"].message
    assert message is not None
    assert "DETAIL" not in message
    assert "compiled code" not in message


def test_last_run_s_green_does_not_count(workspace: Workspace, catalogue: Catalogue, build: Build, pin: Build) -> None:
    build("first")
    second = pin("second")
    reason = gate_campaigns(workspace, second, catalogue)["welcome"]
    assert reason is not None
    assert reason.startswith("Not built in this run: model audience_welcome")
    with pytest.raises(RedModels, match=r"model\.safar\.audience_welcome: not built in this run"):
        give_verdict(workspace, second)


def test_a_superseded_run_builds_nothing(workspace: Workspace, pin: Build) -> None:
    first = pin("first")
    pin("later", "intraday")
    build_models(workspace, first, select=["stg_people"])
    pin("second")
    with pytest.raises(Superseded, match="superseded by build_nightly/second"):
        build_models(workspace, first)


def test_a_second_build_of_the_same_models_waits_and_another_does_not(
    workspace: Workspace, raw: psycopg.Connection
) -> None:
    """Airflow may believe a task dead that still runs, and start it again beside it."""
    first = take_build_lock(workspace, "nightly", "models.stg_people")
    take_build_lock(workspace, "nightly", "models.fct_orders").close()
    got: list[psycopg.Connection] = []
    second = threading.Thread(target=lambda: got.append(take_build_lock(workspace, "nightly", "models.stg_people")))
    second.start()
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    while raw.execute(waiting).fetchone() != (1,):
        assert second.is_alive()
    assert got == []
    first.close()
    second.join(30)
    assert len(got) == 1
    got[0].close()


def test_the_docs_show_campaigns_at_the_end_of_the_lineage(workspace: Workspace, build: Build) -> None:
    build("first")
    page = write_docs(workspace) / "index.html"
    assert "exposure.safar.thanks" in page.read_text()
    assert workspace.warehouse.secret not in page.read_text()


def test_a_project_that_does_not_parse_is_reported(
    raw: psycopg.Connection, open_workspace: Callable[..., Workspace], own_project: Path
) -> None:
    workspace = open_workspace(project_root=own_project)
    (own_project / "dbt_project/models/marts/fct_broken.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(DbtFailed, match=r"dbt parse failed: .*fct_broken.* depends on a node named 'nowhere'"):
        write_manifest(workspace.settings)
