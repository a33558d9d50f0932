"""Where a journey stands follows from its entry, the waits, the ledger and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.decisions.company import DAY, HOUR, NIGHT, SECOND, Company, Run, campaign, step

GOAL = {"goal_model": "fct_orders", "goal_at": "ordered_at", "exit": "goal"}
CART = campaign("cart", step("reminder", HOUR), step("offer", 23 * HOUR, when="not clicked"), max_lag=30 * DAY, **GOAL)
MORNING = NIGHT + 7 * HOUR


def _start(company: Company, *people: str) -> Run:
    company.meet(*people)
    for person in people:
        company.occur(person, NIGHT - HOUR)
    run = company.pin(NIGHT)
    outcomes = company.decide(run, CART)
    assert outcomes == {("cart", "reminder", person): "send" for person in people}
    company.plan(run)
    return run


def _accept(company: Company, person: str, at: datetime = MORNING) -> None:
    company.move("accepted", at, where=f"contact_id = '{person}'")


def test_the_second_step_comes_after_the_wait_to_whom_it_is_meant_for(company: Company) -> None:
    people = [
        "on_time",
        "too_early",
        "clicked",
        "clicked_at_last",
        "clicks_now",
        "opened",
        "failed",
        "waiting",
        "bought",
    ]
    _start(company, *people)
    as_of = MORNING + 23 * HOUR
    for person in people:
        if person not in ("too_early", "failed", "waiting"):
            _accept(company, person)
    _accept(company, "too_early", MORNING + SECOND)
    company.move("failed", MORNING, where="contact_id = 'failed'")
    company.answer("clicked", "click", MORNING + HOUR, "cart")
    company.answer("clicked_at_last", "click", as_of - SECOND, "cart")
    company.answer("clicks_now", "click", as_of, "cart")
    company.answer("opened", "open", MORNING + HOUR, "cart")
    company.order("bought", MORNING + HOUR)
    company.execute("update nightly_audiences.audience_cart_abandonment set first_name = 'Changed'")
    run = company.pin(as_of)
    assert company.decide(run, CART) == {
        ("cart", "offer", "on_time"): "send",
        ("cart", "offer", "clicks_now"): "send",
        ("cart", "offer", "opened"): "send",
        ("cart", "offer", "bought"): "goal_reached",
    }
    assert {row.due_at for row in company.read_decisions(run)} == {as_of}
    # The mail speaks of what was true at entry.
    names = {row.fields["first_name"] for row in company.read_decisions(run) if row.fields}
    assert names == {"On_Time", "Clicks_Now", "Opened"}
    # The goal is final, and what is planned is nobody's candidate again.
    company.plan(run)
    last = company.pin(as_of + SECOND)
    assert company.decide(last, CART) == {("cart", "offer", "too_early"): "send"}
    # A step that is put in later writes to nobody who is past it.
    changed = campaign("cart", step("reminder", HOUR), step("teaser"), step("offer", 23 * HOUR), max_lag=30 * DAY)
    assert company.decide(last, changed) == {
        ("cart", "teaser", "clicked"): "send",
        ("cart", "teaser", "clicked_at_last"): "send",
        ("cart", "teaser", "too_early"): "send",
    }


def test_a_step_whose_condition_fails_or_that_is_not_sent_ends_the_journey_or_is_passed(company: Company) -> None:
    names: dict[str, dict[str, str]] = {
        "opened": {"when": "opened"},
        "not_opened": {"when": "not opened"},
        "clicked": {"when": "clicked"},
        "skipping": {"when": "clicked", "if_not_sent": "continue"},
    }
    journeys = [
        _notify(name, step("first"), step("second", HOUR, **more), step("third", HOUR)) for name, more in names.items()
    ]
    journeys += [
        _notify(f"failing_{way}", step("first", if_not_sent=way), step("second", 9 * HOUR))
        for way in ("leave", "continue")
    ]
    company.meet("human", "machine", "clicker")
    for person in ("human", "machine", "clicker"):
        company.occur(person, NIGHT - HOUR)
    run = company.pin(NIGHT)
    company.decide(run, *journeys)
    company.plan(run)
    company.move("failed", MORNING, where="campaign like 'failing%%'")
    company.move("accepted", MORNING)
    for name in names:
        company.answer("human", "open", MORNING, name)
        company.answer("machine", "open", MORNING, name, machine=True)
        company.answer("clicker", "click", MORNING, name)
    due = company.decide(company.pin(MORNING + HOUR), *journeys)
    assert set(due) == {
        ("opened", "second", "human"),
        ("opened", "second", "clicker"),
        ("not_opened", "second", "machine"),
        ("clicked", "second", "clicker"),
        ("skipping", "second", "clicker"),
        # What was not sent counts from when it was due, eight hours before it failed.
        ("failing_continue", "second", "human"),
        ("failing_continue", "second", "machine"),
        ("failing_continue", "second", "clicker"),
    }
    # So does what is passed over.
    later = company.decide(company.pin(MORNING + 2 * HOUR), *journeys)
    assert set(later) == {("skipping", "third", "human"), ("skipping", "third", "machine")}


def _notify(name: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return campaign(name, *steps, max_lag=30 * DAY, **{"class": "transactional"})


def test_final_outcomes_are_not_decided_again_and_others_are(company: Company) -> None:
    company.rules["caps"] = [{"channel": "email", "class": "marketing", "limit": 1, "window_seconds": 7 * 86400}]
    company.meet("bought", "capped", "late", "sent", "stopped")
    company.meet("unasked", consent=False)
    for person in ("bought", "capped", "sent", "unasked", "stopped"):
        company.occur(person, NIGHT - HOUR)
    company.occur("late", NIGHT - 3 * DAY)
    company.order("bought", NIGHT - SECOND)
    company.send("capped", NIGHT - 7 * DAY + HOUR)
    company.stop(contact_id="stopped")
    mailing = campaign("mailing", max_lag=2 * DAY, **GOAL)
    results = ["blocked", "same_address", "expired", "not_approved"]
    company.meet(*results)
    for result in results:
        company.occur(result, NIGHT - HOUR, audience="audience_loyalty")
    notice = _notify("notice", step("mail", if_not_sent="continue"), step("after", HOUR))
    notice["audience"] = "audience_loyalty"
    first = company.pin(NIGHT)
    outcomes = company.decide(first, mailing, notice)
    assert {person: outcome for (name, _, person), outcome in outcomes.items() if name == "mailing"} == {
        "bought": "goal_reached",
        "capped": "capped",
        "late": "expired",
        "sent": "send",
        "unasked": "no_consent",
        "stopped": "blocked",
    }
    for result in results:
        company.execute(
            "insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result)"
            " values (%s, 'notice', 'mail', %s, 'once', %s)",
            [first.run_id, result, result],
        )
    # The send waits for planning: as far as we know it may be planned at any moment.
    again = company.decide(company.pin(NIGHT + HOUR), mailing, notice)
    assert {person: outcome for (name, _, person), outcome in again.items() if name == "mailing"} == {
        "capped": "send",
        "unasked": "no_consent",
        "stopped": "blocked",
    }
    # Of what planning did, only `blocked` gives the step another chance.
    assert {(which, person) for (name, which, person) in again if name == "notice"} == {
        ("mail", "blocked"),
        ("after", "same_address"),
        ("after", "expired"),
        ("after", "not_approved"),
    }
    end = NIGHT - HOUR + 2 * DAY
    last = company.decide(company.pin(end), mailing)
    assert {person: outcome for (_, _, person), outcome in last.items()} == {"unasked": "expired", "stopped": "blocked"}
    assert company.decide(company.pin(end + DAY), mailing) == {}


def test_who_leaves_the_segment_leaves_the_journey(company: Company) -> None:
    company.meet("stays", "leaves", "other_silence")
    for person in ("stays", "leaves", "other_silence"):
        company.occur(person, NIGHT - HOUR, key="order 1")
    journey = campaign("reactivation", step("mail", DAY), max_lag=30 * DAY, exit="segment")
    assert company.decide(company.pin(NIGHT), journey) == {}
    company.empty()
    company.occur("stays", NIGHT - HOUR, key="order 1")
    company.occur("other_silence", NIGHT + HOUR, key="order 2")
    assert company.decide(company.pin(NIGHT + DAY), journey) == {("reactivation", "mail", "stays"): "send"}
