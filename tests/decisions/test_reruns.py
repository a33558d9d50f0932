"""A run that decides again writes the same, until planning has begun to act on it; then it writes nothing."""

from __future__ import annotations

import pytest
from tests.decisions.company import DAY, HOUR, NIGHT, Company, Run, campaign

CAP = {"channel": "email", "class": "marketing", "limit": 1, "window_seconds": 7 * 86400}
CART = campaign("cart", priority=80, holdout=0.2)
LOYALTY = campaign("loyalty", priority=60, holdout=0.2, audience="audience_loyalty")
CART_FOR_ALL = campaign("cart", max_lag=DAY)
PEOPLE = [f"person{number}" for number in range(12)]


def _fill(company: Company) -> Run:
    company.rules["caps"] = [CAP]
    company.meet(*PEOPLE)
    for number, person in enumerate(PEOPLE):
        company.occur(person)
        if number % 2:
            company.occur(person, audience="audience_loyalty")
    return company.pin()


def test_deciding_again_changes_nothing_before_and_after_planning(company: Company) -> None:
    run = _fill(company)
    company.decide(run, CART, LOYALTY)
    before = company.dump(run)
    company.decide(run, CART, LOYALTY)
    assert company.dump(run) == before
    # One campaign is planned and sent: the run does not count its own messages, and its rows stand.
    company.plan(run, "cart")
    company.move("accepted", NIGHT)
    company.occur("newcomer", NIGHT - HOUR)
    company.execute("update nightly_audiences.audience_cart_abandonment set first_name = 'Changed'")
    company.decide(run, CART, LOYALTY)
    assert company.dump(run) == before
    # A later run writes beside it.
    company.decide(company.pin(NIGHT + HOUR), CART, LOYALTY)
    assert company.dump(run) == before


def test_unblocking_a_campaign_adds_it_and_changes_nothing_else(company: Company) -> None:
    run = _fill(company)
    company.execute("alter table nightly_audiences.audience_loyalty rename to last_nights_audience")
    company.decide(run, CART, LOYALTY, blocked=["loyalty"])
    without = company.read_decisions(run)
    assert {row.campaign for row in without} == {"cart"}
    company.plan(run, "cart")
    company.move("accepted", NIGHT)
    company.execute("alter table nightly_audiences.last_nights_audience rename to audience_loyalty")
    company.decide(run, CART, LOYALTY)
    after = company.read_decisions(run)
    assert [row for row in after if row.campaign == "cart"] == without
    loyalty = {row.outcome for row in after if row.campaign == "loyalty"}
    assert loyalty <= {"held_out", "outranked", "send"}
    assert "outranked" in loyalty
    winners = [row.address_hash for row in after if row.outcome == "send"]
    assert len(winners) == len(set(winners))


def test_the_open_journeys_of_a_blocked_campaign_are_told_so_and_go_on_later(company: Company) -> None:
    plan = campaign("cart", {"name": "mail", "wait": DAY}, max_lag=5 * DAY, exit="segment")
    company.meet("anna")
    company.occur("anna")
    company.decide(company.pin(NIGHT), plan)
    company.execute("drop table nightly_audiences.audience_cart_abandonment")
    blocked = company.pin(NIGHT + DAY)
    assert company.decide(blocked, plan, blocked=["cart"]) == {("cart", "mail", "anna"): "blocked"}
    assert company.read_decisions(blocked)[0].outcome_detail == "blocked by the gate"
    company.project_table("audience_cart_abandonment")
    company.occur("anna")
    assert company.decide(blocked, plan) == {("cart", "mail", "anna"): "send"}


def test_a_crash_in_the_middle_leaves_the_rows_of_before(company: Company) -> None:
    run = _fill(company)
    company.decide(run, CART)
    before = company.dump(run)
    company.execute(
        "create function decisions.crash() returns trigger language plpgsql as"
        " $$ begin raise exception 'the lights went out'; end $$"
    )
    for table in ("fct_entries", "fct_decisions"):
        company.execute(f"create trigger crash before insert on decisions.{table} execute function decisions.crash()")
        with pytest.raises(AssertionError, match="the lights went out"):
            company.decide(run, CART)
        assert company.dump(run) == before
        company.execute(f"drop trigger crash on decisions.{table}")
    company.decide(run, CART)
    assert company.dump(run) == before


def test_without_campaigns_nothing_is_decided_and_without_plans_dbt_says_what_to_do(company: Company) -> None:
    run = company.pin()
    assert company.decide(run) == {}
    assert company.read_entries() == []
    with pytest.raises(AssertionError, match="No campaigns were handed over. Decide with `safar decide`"):
        company.project.run(["run", "--select", "int_decisions__steps"], {"SAFAR_PIN": '{"run_id": "x"}'})


def test_a_backfill_decides_its_own_night_and_writes_to_nobody_twice(company: Company) -> None:
    company.meet("anna", "bert", "carl")
    company.occur("anna", NIGHT + 3 * DAY - HOUR)
    company.occur("bert", NIGHT - HOUR)
    newer = company.pin(NIGHT + 3 * DAY)
    assert company.decide(newer, CART_FOR_ALL) == {
        ("cart", "mail", "anna"): "send",
        ("cart", "mail", "bert"): "expired",
    }
    company.plan(newer, "cart")
    company.move("accepted", NIGHT + 3 * DAY)
    before = company.dump(newer)
    # Three days late the build of the first night runs, and now knows of a cart that nobody had told it of.
    company.occur("carl", NIGHT - 2 * HOUR)
    backfill = company.pin(NIGHT)
    assert backfill.sequence > newer.sequence
    assert company.decide(backfill, CART_FOR_ALL) == {("cart", "mail", "carl"): "send"}
    assert company.dump(newer) == before
    # The decision carries its last moment: planning, at whatever time it comes, compares it with the clock.
    row = company.read_decisions(backfill)[0]
    assert row.expires_at == NIGHT - 2 * HOUR + DAY
    assert row.expires_at < NIGHT + 3 * DAY
    assert company.decide(company.pin(NIGHT + 3 * DAY + HOUR), CART_FOR_ALL) == {}
