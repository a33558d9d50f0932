"""A pin is written once and keeps a run from seeing what it could not have seen the first time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from safar.catalogue import load_catalogue
from safar.errors import ConfigurationError
from safar.settings import Settings
from safar.warehouse import (
    NotPinned,
    Pin,
    Superseded,
    compute_rules_version,
    missing_sources,
    pin_run,
    read_pin,
    require_current,
)
from safar.workspace import Workspace

PinNamed = Callable[..., Pin]
LOAD = "insert into ledger.source_load (load_id, source, landed_at, status) values (%s, 'crm', %s, %s)"
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_a_run_pinned_again_keeps_its_pins(workspace: Workspace, pin: PinNamed, raw: psycopg.Connection) -> None:
    first = pin("first")
    raw.execute(LOAD, ["x", "2026-03-02 03:00+00", "checked"])
    assert pin("first", after=timedelta(hours=5)) == first
    assert read_pin(workspace, "build_nightly/first") == first
    assert pin("second").known_at["crm"] == datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def test_only_checked_loads_are_known(pin: PinNamed, raw: psycopg.Connection) -> None:
    raw.execute(
        "insert into ledger.source_load (load_id, source, landed_at, status) values "
        "('a', 'crm', '2026-03-02 01:30+00', 'landed'), ('b', 'shop', '2026-03-02 01:40+00', 'rolled_back')"
    )
    known_at = pin("first").known_at
    assert known_at["crm"] == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert known_at["shop"] == datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def test_the_ledger_is_known_up_to_the_oldest_open_write(pin: PinNamed, database: str, raw: psycopg.Connection) -> None:
    with psycopg.connect(database) as writer:
        writer.execute("insert into ledger.stop (reason, created_by) values ('test', 'test')")
        pinned = pin("first")
        row = writer.execute("select now()").fetchone()
        assert row is not None
        assert pinned.ledger_known_at == row[0]
    known = raw.execute("select count(*) from ledger.stop where recorded_at < %s", [pinned.ledger_known_at]).fetchone()
    assert known == (0,), "what commits after the pin must not appear to the run later"
    later = pin("second").ledger_known_at
    assert raw.execute("select count(*) from ledger.stop where recorded_at < %s", [later]).fetchone() == (1,)


def test_a_reader_of_another_program_does_not_hold_back_the_ledger(pin: PinNamed, database: str) -> None:
    with psycopg.connect(database) as reader:
        row = reader.execute("select now()").fetchone()
        assert row is not None
        assert pin("first").ledger_known_at > row[0]


def test_of_our_own_programs_a_reader_may_be_about_to_write(workspace: Workspace, pin: PinNamed) -> None:
    with workspace.open_ledger() as ours:
        row = ours.execute("select now()").fetchone()
        assert row is not None
        assert pin("first").ledger_known_at == row[0]


def test_a_newer_run_of_the_cadence_supersedes(workspace: Workspace, pin: PinNamed) -> None:
    first = pin("first")
    pin("at_noon", "intraday")
    require_current(workspace, first)
    pin("second")
    with pytest.raises(Superseded, match="build_nightly/first is superseded by build_nightly/second"):
        require_current(workspace, first)


def test_an_unpinned_run_is_named(workspace: Workspace) -> None:
    with pytest.raises(NotPinned, match=r"'build_nightly/never' is not pinned\. Let its task `pin` run first"):
        read_pin(workspace, "build_nightly/never")


def test_pinning_remembers_step_names_and_refuses_to_lose_one(
    raw: psycopg.Connection, open_workspace: Callable[..., Workspace], own_project: Path
) -> None:
    workspace = open_workspace(project_root=own_project)
    file = own_project / "dbt_project/models/campaigns/welcome/welcome.yml"

    def pin(name: str) -> Pin:
        catalogue = load_catalogue(workspace.settings)
        return pin_run(workspace, dag_id="d", airflow_run_id=name, cadence="nightly", as_of=AT, catalogue=catalogue)

    pin("first")
    file.write_text(file.read_text().replace("name: hello", "name: good_morning"))
    with pytest.raises(ConfigurationError, match="'hello' is gone, but runs have used it"):
        pin("second")
    with pytest.raises(NotPinned):
        read_pin(workspace, "d/second")


@pytest.mark.parametrize(
    "changed",
    ["dbt_project/models/marts/fct_orders.sql", "dbt_project/dbt_project.yml", "include/templates/hello/en.mjml"],
)
def test_changed_rules_have_another_version(own_project: Path, changed: str) -> None:
    settings = Settings(project_root=own_project)
    before = compute_rules_version(settings)
    assert before == compute_rules_version(settings)
    (own_project / "dbt_project" / "target").mkdir()
    (own_project / "dbt_project" / "target" / "manifest.json").write_text("{}")
    assert before == compute_rules_version(settings)
    with (own_project / changed).open("a") as file:
        file.write("\n")
    assert before != compute_rules_version(settings)


def test_a_source_is_fresh_once_a_load_from_then_on_is_checked(workspace: Workspace, raw: psycopg.Connection) -> None:
    catalogue = load_catalogue(workspace.settings)
    at_one = AT - timedelta(hours=1)
    assert missing_sources(workspace, catalogue, at_one) == []
    assert missing_sources(workspace, catalogue, AT) == ["crm", "shop"]
    assert missing_sources(workspace, catalogue, AT, cadence="intraday") == ["crm"]
    raw.execute(LOAD, ["again", "2026-03-02 02:00:01+00", "checked"])
    raw.execute("update ledger.source_load set repull = '{}' where load_id = 'again'")
    raw.execute(LOAD, ["n", "2026-03-02 02:00+00", "landed"])
    assert missing_sources(workspace, catalogue, AT) == ["crm", "shop"]
    raw.execute("update ledger.source_load set status = 'checked' where load_id = 'n'")
    assert missing_sources(workspace, catalogue, AT) == ["shop"]
