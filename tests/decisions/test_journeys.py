"""Where a journey stands follows from its entry, the waits, the ledger and the answers."""

from __future__ import annotations

from datetime import datetime

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
    run = company.pin(as_of)
    assert company.decide(run, CART) == {
        ("cart", "offer", "on_time"): "send",
        ("cart", "offer", "clicks_now"): "send",
        ("cart", "offer", "opened"): "send",
        ("cart", "offer", "bought"): "goal_reached",
    }
    assert {row.due_at for row in company.read_decisions(run)} == {as_of}
    # The goal is final, and what is planned is nobody's candidate again.
    company.plan(run)
    assert company.decide(company.pin(as_of + SECOND), CART) == {("cart", "offer", "too_early"): "send"}


def test_conditions_on_opens_leave_machines_out_and_passed_steps_may_be_continued(company: Company) -> None:
    names = {
        "opened": {"when": "opened"},
        "not_opened": {"when": "not opened"},
        "clicked": {"when": "clicked"},
        "skipping": {"when": "clicked", "if_not_sent": "continue"},
    }
    journeys = [
        campaign(
            name,
            step("first"),
            step("second", HOUR, **more),
            step("third", HOUR),
            max_lag=30 * DAY,
            **{"class": "transactional"},
        )
        for name, more in names.items()
    ]
    company.meet("human", "machine", "clicker")
    for person in ("human", "machine", "clicker"):
        company.occur(person)
    run = company.pin(NIGHT)
    company.decide(run, *journeys)
    company.plan(run)
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
    }
    # A step that is passed over ends the journey, or the next one counts from when it would have come.
    later = company.decide(company.pin(MORNING + 2 * HOUR), *journeys)
    assert set(later) - set(due) == {("skipping", "third", "human"), ("skipping", "third", "machine")}


def test_what_is_not_sent_ends_the_journey_or_counts_from_its_due_time(company: Company) -> None:
    journeys = [
        campaign(
            name,
            step("first", if_not_sent=name),
            step("second", 2 * HOUR),
            max_lag=30 * DAY,
            **{"class": "transactional"},
        )
        for name in ("leave", "continue")
    ]
    company.meet("anna")
    company.occur("anna", NIGHT - HOUR)
    run = company.pin(NIGHT)
    company.decide(run, *journeys)
    company.plan(run)
    company.move("failed", MORNING)
    assert company.decide(company.pin(NIGHT + HOUR - SECOND), *journeys) == {}
    assert company.decide(company.pin(NIGHT + HOUR), *journeys) == {("continue", "second", "anna"): "send"}


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
    first = company.pin(NIGHT)
    outcomes = company.decide(first, mailing)
    assert {person: outcome for (_, _, person), outcome in outcomes.items()} == {
        "bought": "goal_reached",
        "capped": "capped",
        "late": "expired",
        "sent": "send",
        "unasked": "no_consent",
        "stopped": "blocked",
    }
    # The send waits for planning: as far as we know it may be planned at any moment.
    again = company.decide(company.pin(NIGHT + HOUR), mailing)
    assert {person: outcome for (_, _, person), outcome in again.items()} == {
        "capped": "send",
        "unasked": "no_consent",
        "stopped": "blocked",
    }
    end = NIGHT - HOUR + 2 * DAY
    last = company.decide(company.pin(end), mailing)
    assert {person: outcome for (_, _, person), outcome in last.items()} == {"unasked": "expired", "stopped": "blocked"}
    assert company.decide(company.pin(end + DAY), mailing) == {}


def test_only_a_blocked_plan_result_gives_a_send_another_chance(company: Company) -> None:
    results = ["blocked", "same_address", "expired", "not_approved"]
    company.meet(*results)
    journeys = {
        result: campaign(
            result, step("mail", if_not_sent="continue"), step("after", HOUR), **{"class": "transactional"}
        )
        for result in results
    }
    for result in results:
        company.occur(result, NIGHT - HOUR)
    run = company.pin(NIGHT)
    company.decide(run, *journeys.values())
    for result in results:
        company.execute(
            "insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result)"
            " values (%s, %s, 'mail', %s, 'once', %s)",
            [run.run_id, result, result, result],
        )
    outcomes = company.decide(company.pin(NIGHT + HOUR), *journeys.values())
    own = {key: outcome for key, outcome in outcomes.items() if key[0] == key[2]}
    assert own == {
        ("blocked", "mail", "blocked"): "send",
        ("same_address", "after", "same_address"): "send",
        ("expired", "after", "expired"): "send",
        ("not_approved", "after", "not_approved"): "send",
    }


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


def test_a_step_put_in_later_writes_to_nobody_who_is_past_it(company: Company) -> None:
    _start(company, "anna")
    _accept(company, "anna")
    changed = campaign("cart", step("teaser"), step("reminder", HOUR), step("offer", 23 * HOUR), max_lag=30 * DAY)
    assert company.decide(company.pin(MORNING + DAY), changed) == {("cart", "offer", "anna"): "send"}
