"""Both identities: a night that adds up passes, and each way of losing or doubling somebody is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import LOGINS

from safar.feedback import IdentityBroken, check_identities, keep_house
from safar.ledger.logins import DBT
from safar.warehouse import OUTCOMES

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def decide(ledger, insert, write_run) -> Callable[..., None]:
    """Writes a decision, and what planning made of it."""
    ledger.execute("create schema decisions")
    ledger.execute(
        "create table decisions.fct_decisions (run_id text, campaign text, step text, contact_id text,"
        " occurrence_key text, outcome text, fields jsonb, decided_at timestamptz)"
    )
    # In life it is dbt's own; retention empties it.
    ledger.execute(f"grant update on decisions.fct_decisions to {LOGINS[DBT]}")

    def write(contact: str, outcome: str = "send", run_id: str = "r1", at: datetime = NOW) -> None:
        write_run(run_id)
        insert(
            "decisions",
            "fct_decisions",
            run_id=run_id,
            campaign="reactivation",
            step="reminder",
            contact_id=contact,
            occurrence_key="once",
            outcome=outcome,
            decided_at=at,
        )

    return write


@pytest.fixture
def plan(insert, write_message) -> Callable[..., None]:
    def write(contact: str, result: str = "planned", run_id: str = "r1", with_message: bool = True) -> None:
        action_id = None
        if result == "planned" and with_message:
            action_id = write_message("planned", contact_id=contact, run_id=run_id)
        insert(
            "ledger",
            "plan_result",
            run_id=run_id,
            campaign="reactivation",
            step="reminder",
            contact_id=contact,
            occurrence_key="once",
            result=result,
            action_id=action_id,
        )

    return write


def test_nothing_decided_yet_adds_up(workspace) -> None:
    assert check_identities(workspace).accounts == ()


def test_a_night_that_adds_up_passes(workspace, decide, plan) -> None:
    for number, outcome in enumerate(OUTCOMES):
        decide(f"c{number}", outcome)
    decide("d1")
    plan(f"c{OUTCOMES.index('send')}")
    plan("d1", "same_address")
    report = check_identities(workspace)
    assert report.describe() == ("both identities hold over 1 runs of campaigns: 14 candidates, 2 to send, 1 planned")


def test_decisions_may_wait_for_planning_but_not_for_ever(workspace, decide, plan) -> None:
    decide("c1", at=NOW - timedelta(hours=13))
    assert check_identities(workspace).describe().endswith("; 1 not planned yet")
    decide("c2", run_id="r0", at=NOW - timedelta(hours=15))
    with pytest.raises(IdentityBroken, match=r"r0 .* 1 send decisions of 2026-03-01 19:00 never planned"):
        check_identities(workspace)
    check_identities(workspace, run_id="r1")


def test_the_time_for_planning_is_as_set(connections, open_workspace, decide) -> None:
    connections["sendgrid"] = {"conn_type": "http", "extra": {"feedback": {"planning_hours": 1}}}
    decide("c1", at=NOW - timedelta(hours=2))
    with pytest.raises(IdentityBroken, match="never planned"):
        check_identities(open_workspace(NOW))


def test_a_doubled_candidate_is_found(workspace, decide) -> None:
    decide("c1", "held_out")
    decide("c1", "capped")
    with pytest.raises(IdentityBroken, match="1 candidates, 2 decisions, 2 known outcomes"):
        check_identities(workspace)


def test_a_candidate_without_a_known_outcome_is_found(workspace, decide) -> None:
    decide("c1", None)
    decide("c2", "perhaps")
    with pytest.raises(IdentityBroken, match="2 candidates, 2 decisions, 0 known outcomes"):
        check_identities(workspace)


def test_a_send_decision_without_a_plan_result_is_found(workspace, decide, plan) -> None:
    decide("c1")
    decide("c2")
    plan("c1")
    with pytest.raises(IdentityBroken, match="2 send decisions, 1 plan results"):
        check_identities(workspace)


def test_a_plan_result_without_a_decision_is_found(workspace, decide, plan) -> None:
    decide("c1", "held_out")
    plan("c1")
    with pytest.raises(IdentityBroken, match="0 send decisions, 1 plan results"):
        check_identities(workspace)


def test_a_planned_action_without_a_state_is_found(workspace, decide, plan, ledger) -> None:
    decide("c1")
    plan("c1", with_message=False)
    with pytest.raises(IdentityBroken, match="1 planned, 0 actions with a state") as broken:
        check_identities(workspace)
    assert "ledger.stop" in str(broken.value)


def test_keep_house_closes_what_is_overdue_and_still_tells_what_is_broken(workspace, decide, plan, ledger) -> None:
    decide("c1")
    plan("c1")
    ledger.execute("update ledger.message set expires_at = %s", [NOW])
    report = keep_house(workspace)
    assert (report.overdue_count, report.describe().split("; ")[1]) == (1, "1 overdue messages expired")
    assert ledger.execute("select state, reason from ledger.message").fetchone() == {
        "state": "expired",
        "reason": "past its last moment",
    }
    decide("c2")
    ledger.execute("insert into ledger.stop (reason, created_by) values ('test', 'test')")
    with pytest.raises(IdentityBroken):
        keep_house(workspace)


def test_a_message_not_overdue_stays_planned(workspace, decide, plan) -> None:
    decide("c1")
    plan("c1")
    assert keep_house(workspace).overdue_count == 0
