"""The decisions run alone, for the campaigns that the gate let through, once per run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest

from safar.catalogue import Catalogue
from safar.warehouse import (
    DecisionReport,
    Pin,
    Superseded,
    UndecidedCandidates,
    decide,
    gate_campaigns,
    hold_decide_lock,
)
from safar.workspace import Workspace

Build = Callable[..., Pin]


def test_only_campaigns_of_the_cadence_that_are_not_blocked_decide(
    workspace: Workspace, catalogue: Catalogue, build: Build, raw: psycopg.Connection
) -> None:
    raw.execute("update raw_shop.orders set amount = 0 where id = 'o1'")
    pinned = build("first")
    gate_campaigns(workspace, pinned, catalogue)
    report = decide(workspace, pinned, catalogue)
    assert report == DecisionReport({"welcome": {"send": 3}}, ("thanks",))
    assert report.describe() == "decided welcome: 3 candidates (3 send); thanks is blocked"
    assert decide(workspace, pinned, catalogue) == report


def test_what_the_gate_has_not_seen_is_blocked(workspace: Workspace, catalogue: Catalogue, build: Build) -> None:
    assert decide(workspace, build("first"), catalogue) == DecisionReport({}, ("thanks", "welcome"))


def test_an_unknown_outcome_is_an_error(
    workspace: Workspace, catalogue: Catalogue, build: Build, raw: psycopg.Connection
) -> None:
    pinned = build("first")
    gate_campaigns(workspace, pinned, catalogue)
    decide(workspace, pinned, catalogue)
    raw.execute(
        "create function decisions.spoil() returns trigger language plpgsql as "
        "$$begin new.outcome := 'perhaps'; return new; end$$;"
        "create trigger spoil before insert on decisions.fct_decisions for each row execute function decisions.spoil()"
    )
    with pytest.raises(UndecidedCandidates, match=r"thanks: 2 candidates have 2 outcomes \(2 perhaps\)"):
        decide(workspace, pinned, catalogue)


def test_a_superseded_run_decides_nothing(workspace: Workspace, catalogue: Catalogue, pin: Build) -> None:
    first = pin("first")
    pin("second")
    with pytest.raises(Superseded):
        decide(workspace, first, catalogue)


def test_decide_waits_for_the_lock(workspace: Workspace, catalogue: Catalogue, build: Build) -> None:
    pinned = build("first")
    with hold_decide_lock(workspace):
        waiting = threading.Thread(target=decide, args=(workspace, pinned, catalogue))
        waiting.start()
        waiting.join(2)
        assert waiting.is_alive()
    waiting.join(60)
    assert not waiting.is_alive()
