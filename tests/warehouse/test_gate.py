"""Who may decide follows from the run's own results and pins, not from the clock on the wall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from safar.catalogue import Catalogue, load_catalogue
from safar.errors import ConfigurationError
from safar.warehouse import (
    NotPinned,
    Pin,
    build_models,
    gate_campaigns,
    list_newly_blocked,
    mark_announced,
    read_manifest,
    record_results,
    write_manifest,
)
from safar.workspace import Workspace

PinNamed = Callable[..., Pin]


@pytest.fixture
def green(workspace: Workspace, pin: PinNamed) -> PinNamed:
    """Pins a run of which every node is green."""

    def pin_green(name: str, cadence: str = "nightly", **when: object) -> Pin:
        pinned = pin(name, cadence, **when)
        nodes = [{"unique_id": node, "status": "success"} for node in read_manifest(workspace.settings).nodes]
        record_results(workspace, pinned, {"results": nodes})
        return pinned

    return pin_green


def test_a_stale_source_blocks_whoever_stands_on_it(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, raw: psycopg.Connection
) -> None:
    raw.execute("update ledger.source_load set landed_at = '2026-02-28 23:00+00' where source = 'shop'")
    reasons = gate_campaigns(workspace, green("first"), catalogue)
    assert reasons == {
        "welcome": None,
        "thanks": "The source shop was last checked at 2026-02-28 23:00 UTC, "
        "more than 26 hours before 2026-03-02 02:00 UTC.",
    }


def test_what_was_only_asked_for_again_makes_no_source_fresh_and_blocks_nobody(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, raw: psycopg.Connection
) -> None:
    again = (
        "insert into ledger.source_load (load_id, source, landed_at, status, message, repull) "
        "values (%s, 'shop', %s, %s, 'raw_shop.orders: no_negative_amount', '{\"night\": \"2026-01-01\"}')"
    )
    raw.execute(again, ["again-1", "2026-03-02 01:30+00", "rolled_back"])
    assert gate_campaigns(workspace, green("first"), catalogue)["thanks"] is None
    raw.execute("update ledger.source_load set landed_at = '2026-02-28 23:00+00' where load_id = 'shop-1'")
    raw.execute(again, ["again-2", "2026-03-02 01:40+00", "checked"])
    pinned = green("second")
    assert f"{pinned.known_at['shop']:%H:%M}" == "01:40", "its rows are known"
    assert gate_campaigns(workspace, pinned, catalogue)["thanks"] == (
        "The source shop was last checked at 2026-02-28 23:00 UTC, more than 26 hours before 2026-03-02 02:00 UTC."
    )


def test_a_source_without_a_checked_load_blocks(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, raw: psycopg.Connection
) -> None:
    raw.execute("update ledger.source_load set status = 'landed' where source = 'shop'")
    reasons = gate_campaigns(workspace, green("first"), catalogue)
    assert reasons == {"welcome": None, "thanks": "The source shop has never had a checked load."}


def test_a_red_suite_blocks_whoever_stands_on_its_source_and_no_other(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, raw: psycopg.Connection
) -> None:
    raw.execute(
        "insert into ledger.source_load (load_id, source, landed_at, status, message) "
        "values ('shop-2', 'shop', '2026-03-02 01:30+00', 'rolled_back', 'raw_shop.orders: no_negative_amount')"
    )
    pinned = green("first")
    red = "The newest load of the source shop was red (raw_shop.orders: no_negative_amount)."
    assert gate_campaigns(workspace, pinned, catalogue) == {"welcome": None, "thanks": red}
    # A load that came after the pin is the next run's business: the gate, cleared, says what it said.
    raw.execute(
        "insert into ledger.source_load (load_id, source, landed_at, status) "
        "values ('shop-3', 'shop', '2026-03-02 01:40+00', 'checked')"
    )
    assert gate_campaigns(workspace, pinned, catalogue) == {"welcome": None, "thanks": red}
    assert gate_campaigns(workspace, green("second"), catalogue) == {"welcome": None, "thanks": None}


def test_a_red_dbt_test_blocks_whoever_stands_on_its_model_and_no_other(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed
) -> None:
    pinned = green("first")
    test = next(node for node in read_manifest(workspace.settings).nodes if "unique_fct_orders_order_id" in node)
    record_results(workspace, pinned, {"results": [{"unique_id": test, "status": "fail", "message": "Got 1 result"}]})
    reasons = gate_campaigns(workspace, pinned, catalogue)
    assert reasons["welcome"] is None
    assert reasons["thanks"] == "The test unique_fct_orders_order_id is red (fail: Got 1 result)."


@pytest.mark.parametrize("model", ["int_suppression_changes", "int_permission_changes"])
def test_nobody_is_decided_about_while_withdrawals_and_suppressions_are_not_published(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, model: str
) -> None:
    pinned = green("first")
    record_results(workspace, pinned, {"results": [{"unique_id": f"model.safar.{model}", "status": "error"}]})
    reasons = gate_campaigns(workspace, pinned, catalogue)
    assert all(reason and reason.startswith(f"The model {model} is red") for reason in reasons.values()), reasons


def test_somebody_is_told_once_of_a_campaign_that_stays_blocked(
    workspace: Workspace, catalogue: Catalogue, green: PinNamed, raw: psycopg.Connection
) -> None:
    def gate(name: str) -> tuple[Pin, list[str]]:
        pinned = green(name)
        gate_campaigns(workspace, pinned, catalogue)
        return pinned, list(list_newly_blocked(workspace, pinned))

    raw.execute("update ledger.source_load set status = 'landed' where source = 'shop'")
    pinned, blocked = gate("first")
    assert blocked == ["thanks"]
    assert list_newly_blocked(workspace, pinned) == {"thanks": "The source shop has never had a checked load."}
    # As long as no alert has left, it is still to be told.
    second, blocked = gate("second")
    assert blocked == ["thanks"]
    mark_announced(workspace, second, blocked)
    assert gate("second")[1] == [], "the gate was cleared"
    assert gate("third")[1] == [], "blocked for the third time"
    raw.execute("update ledger.source_load set status = 'checked' where source = 'shop'")
    assert gate("fourth")[1] == []
    raw.execute("update ledger.source_load set status = 'landed' where source = 'shop'")
    assert gate("fifth")[1] == ["thanks"], "blocked anew"


def test_max_source_age_has_effect(
    raw: psycopg.Connection, open_workspace: Callable[..., Workspace], own_project: Path, pin: PinNamed
) -> None:
    file = own_project / "dbt_project/models/campaigns/welcome/welcome.yml"
    file.write_text(file.read_text().replace("max_lag:", "max_source_age: 30 minutes\n        max_lag:"))
    workspace = open_workspace(project_root=own_project)
    write_manifest(workspace.settings)
    reasons = gate_campaigns(workspace, pin("first"), load_catalogue(workspace.settings))
    assert reasons["welcome"] is not None
    assert "The source crm was last checked at 2026-03-02 01:00 UTC, more than 30 minutes before" in reasons["welcome"]


def test_a_cadence_gates_its_own_campaigns(workspace: Workspace, catalogue: Catalogue, green: PinNamed) -> None:
    assert gate_campaigns(workspace, green("noon", "intraday"), catalogue) == {"rescue": None}


@pytest.mark.parametrize("status", ["error", "fail", "skipped", "runtime error", "partial success"])
def test_no_other_status_is_green(workspace: Workspace, catalogue: Catalogue, green: PinNamed, status: str) -> None:
    pinned = green("first")
    record_results(workspace, pinned, {"results": [{"unique_id": "model.safar.stg_people", "status": status}]})
    assert all(gate_campaigns(workspace, pinned, catalogue).values())


def test_a_test_that_belongs_to_no_model_s_task_is_run_first(
    workspace: Workspace, catalogue: Catalogue, pin: PinNamed, raw: psycopg.Connection
) -> None:
    pinned = pin("first")
    build_models(workspace, pinned)
    raw.execute("delete from ledger.model_result where node like 'test.safar.unique_fct_orders%'")
    raw.execute("insert into nightly_marts.fct_orders select * from nightly_marts.fct_orders limit 1")
    reason = gate_campaigns(workspace, pinned, catalogue)["thanks"]
    assert reason is not None
    assert reason.startswith("The test unique_fct_orders_order_id is red (fail: Got 1 result")


def test_an_unpinned_run_is_never_gated(workspace: Workspace, catalogue: Catalogue, green: PinNamed) -> None:
    stranger = green("first").model_copy(update={"run_id": "build_nightly/stranger"})
    with pytest.raises(NotPinned):
        gate_campaigns(workspace, stranger, catalogue)


def test_a_stale_manifest_is_an_error_with_its_remedy(
    open_workspace: Callable[..., Workspace], own_project: Path
) -> None:
    settings = open_workspace(project_root=own_project).settings
    with pytest.raises(ConfigurationError, match=r"manifest.json is missing. Write it with `make manifest`"):
        read_manifest(settings)
    write_manifest(settings)
    read_manifest(settings)
    with (own_project / "dbt_project/models/marts/fct_orders.sql").open("a") as file:
        file.write("\n")
    with pytest.raises(ConfigurationError, match=r"is stale: .* Write it with `make manifest`"):
        read_manifest(settings)
    write_manifest(settings)
    read_manifest(settings)
