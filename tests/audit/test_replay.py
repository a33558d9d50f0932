"""A night is played, another follows, and the first is decided again from its pins: no row differs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from safar.audit import ReplayReport, replay_run
from safar.catalogue import Catalogue, load_catalogue
from safar.clock import SandboxClock
from safar.connections import EnvironmentConnections
from safar.erasure import erase_contact
from safar.errors import SafarError
from safar.night.in_process import NightPlayer
from safar.night.timetable import draw_day
from safar.services.company import START
from safar.services.stack import Stack
from safar.settings import Settings
from safar.warehouse import NotPinned, describe_warehouse, write_manifest
from safar.workspace import Workspace

PEOPLE = 150
FIRST = "build_nightly/clock__2026-03-02T02:00"
CARTS = "build_intraday/clock__2026-03-02T14:00"


@dataclass
class Played:
    """A company after a day and the night that followed."""

    workspace: Workspace
    catalogue: Catalogue

    def replay(self, run_id: str, **options: Any) -> ReplayReport:
        return replay_run(self.workspace, self.catalogue, run_id, **options)

    def query(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.workspace.warehouse.dsn, autocommit=True) as warehouse:
            cursor = warehouse.execute(statement, values or None)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    home = tmp_path_factory.mktemp("replay")
    sandbox = {"SAFAR_HOME": str(home), "SAFAR_CLOCK": "sandbox", "SAFAR_ENVIRONMENT": "sandbox"}
    settings = Settings.from_environment({**os.environ, **sandbox})
    with Stack(settings, PEOPLE, 1, lambda _: None) as stack:
        stack.start_data()
        clock = SandboxClock(stack.company.base_url)
        workspace = Workspace(settings, EnvironmentConnections(stack.environment), clock)
        write_manifest(settings, describe_warehouse(workspace))
        catalogue = load_catalogue(settings)
        lines: list[str] = []
        player = NightPlayer(workspace, catalogue, stack.company.move_clock, lines.append)
        night, morning, carts, _ = draw_day(catalogue, START.date())
        following = draw_day(catalogue, (START + timedelta(days=1)).date())[0]
        for moment in (night, morning, carts, following):
            stack.company.move_clock(moment.at)
            player.play_moment(moment)
        assert not [line for line in lines if "FAILED" in line]
        yield Played(workspace, catalogue)


def test_a_past_run_decides_the_same_again_whatever_came_after(played: Played) -> None:
    for run_id in (FIRST, CARTS):
        report = played.replay(run_id)
        assert report.differing_count == 0, report.describe()
        assert report.is_same_rules
        (entries, decisions) = report.comparisons
        assert min(entries.row_count, decisions.row_count) > 0
    assert played.query(r"select 1 from pg_namespace where nspname like 'replay\_%'") == []


def test_a_change_of_the_past_is_found_and_told_without_a_value(played: Played) -> None:
    # Somebody who was to be won back has, it turns out, bought something the day before.
    ((person, order_id, ordered_at),) = played.query(
        "select decision.contact_id, fct_orders.order_id, fct_orders.ordered_at from decisions.fct_decisions as decision "
        "join nightly_marts.fct_orders as fct_orders using (contact_id) where decision.run_id = %s and campaign = 'reactivation' "
        "and fct_orders.ordered_at < decision.decided_at order by fct_orders.ordered_at desc limit 1",
        FIRST,
    )
    move = "update raw_shopify.orders set processed_at = %s where id = %s"
    played.query(move, START - timedelta(days=1), order_id)
    try:
        report = played.replay(FIRST)
        assert report.differing_count > 0
        first = [line for comparison in report.comparisons for line in comparison.first]
        assert any(person in line for line in first)
        assert "rows differ" in report.describe()
        assert "@" not in report.describe()
        assert report.erased_count == 0
    finally:
        played.query(move, ordered_at, order_id)


def test_other_rules_than_those_of_then_are_said(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safar.audit.replaying.compute_rules_version", lambda _: "other rules")
    assert "are not those of then" in played.replay(CARTS).describe()


def test_a_run_that_nobody_pinned_or_that_decided_nothing_is_refused(played: Played) -> None:
    with pytest.raises(NotPinned):
        played.replay("build_nightly/unknown")
    with played.workspace.open_ledger() as ledger:
        ledger.execute(
            "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version) "
            "select 'empty', cadence, 'empty', 'empty', as_of, known_at, rules_version from ledger.run where run_id = %s",
            [FIRST],
        )
    with pytest.raises(SafarError, match="has decided nothing"):
        played.replay("empty")


def test_whoever_was_erased_since_is_no_difference_and_is_said(played: Played) -> None:
    """The last one of this company: nobody comes back from it."""
    ((person, address),) = played.query(
        "select contact_id, email from decisions.fct_decisions join nightly_marts.dim_contacts using (contact_id) "
        "where run_id = %s and outcome = 'send' order by contact_id limit 1",
        FIRST,
    )
    assert not erase_contact(played.workspace, played.catalogue, person).waiting
    for run_id in (FIRST, CARTS):
        report = played.replay(run_id)
        assert report.differing_count == 0, report.describe()
        assert report.is_same_rules
        if run_id == FIRST:
            assert report.erased_count > 0
            assert f"{report.erased_count} rows of erased people are left out" in report.describe()
        assert address not in report.describe()
