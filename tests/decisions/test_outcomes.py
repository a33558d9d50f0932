"""Each candidate has exactly one outcome: the first that applies, in the order of the design."""

from __future__ import annotations

import pytest
from tests.decisions.company import DAY, HOUR, NIGHT, SECOND, Company, campaign

GOAL = {"goal_model": "fct_orders", "goal_at": "ordered_at", "exit": "goal"}
CAP = {"channel": "email", "class": "marketing", "limit": 2, "window_seconds": 7 * 86400}

ORDER = ["blocked", "expired", "invalid_address", "suppressed", "no_consent", "goal_reached", "held_out"]


def test_the_first_outcome_that_applies_is_given(company: Company) -> None:
    company.rules["caps"] = [CAP]
    names = {f"worst_is_{outcome}": ORDER.index(outcome) for outcome in ORDER}
    for name, worst in names.items():
        _afflict(company, name, worst)
    outcomes = company.decide(company.pin(), campaign("mailing", holdout=1.0, **GOAL))
    assert outcomes == {("mailing", "mail", name): ORDER[worst] for name, worst in names.items()}


def _afflict(company: Company, person: str, worst: int) -> None:
    """Gives a person every hindrance from the given one down to a full cap."""
    wrong = set(ORDER[worst:])
    company.meet(person, consent="no_consent" not in wrong, is_valid="invalid_address" not in wrong)
    company.occur(person, NIGHT - (3 * DAY if "expired" in wrong else HOUR))
    if "suppressed" in wrong:
        company.suppress(f"hash-{person}")
    if "blocked" in wrong:
        company.stop(contact_id=person)
    if "goal_reached" in wrong:
        company.order(person, NIGHT - SECOND)
    company.send(person, NIGHT - DAY)
    company.send(person, NIGHT - 2 * DAY)


def test_a_candidate_without_a_decision_is_found(company: Company) -> None:
    company.meet("anna", "bert")
    company.occur("anna")
    company.occur("bert")
    run, mailing = company.pin(), campaign("mailing")
    assert len(company.decide(run, mailing)) == 2
    company.test("every_candidate_has_a_decision", run, mailing)
    company.execute("delete from decisions.fct_decisions where contact_id = 'anna' returning 1")
    with pytest.raises(AssertionError, match="every_candidate_has_a_decision"):
        company.test("every_candidate_has_a_decision", run, mailing)


def test_the_reasons_are_told(company: Company) -> None:
    company.rules["caps"] = [CAP]
    company.meet(
        "asked", "withdrew", "revoked_all", "regranted", "unasked", "bounced", "shut", "capped", "bought", "fine"
    )
    company.meet("never_asked", "waiting", consent=False)
    company.permit("hash-waiting", "pending", at=NIGHT - DAY)
    company.permit("hash-asked", "pending", at=NIGHT - DAY)
    company.permit("hash-withdrew", "revoked", at=NIGHT - DAY)
    company.permit("hash-revoked_all", "revoked", topic="all", at=NIGHT - DAY)
    company.permit("hash-regranted", "revoked", at=NIGHT - 2 * DAY)
    company.permit("hash-regranted", "granted", topic="all", at=NIGHT - DAY)
    company.permit("hash-unasked", "revoked", topic="news", at=NIGHT - DAY)
    company.suppress("hash-bounced", "hard_bounce")
    company.meet("lifted")
    company.suppress("hash-lifted", "hard_bounce")
    company.execute(
        "insert into ledger.suppression_lift (suppression_id, reason, lifted_by, occurred_at)"
        " select suppression_id, 'our_mistake', 'on call', %s from ledger.suppression where address_hash = 'hash-lifted'",
        [NIGHT],
    )
    company.stop(reason="wrong price", contact_id="shut", campaign="cart")
    company.stop(reason="elsewhere", contact_id="fine", campaign="other")
    company.send("capped", NIGHT - DAY)
    company.send("capped", NIGHT - 2 * DAY)
    company.order("bought", NIGHT - 30 * SECOND)
    people = ["asked", "withdrew", "revoked_all", "regranted", "unasked", "bounced", "shut", "capped", "bought", "fine"]
    for person in [*people, "never_asked", "waiting", "lifted", "addressless"]:
        company.occur(person)
    run = company.pin()
    company.decide(run, campaign("cart", **GOAL))
    told = {row.contact_id: (row.outcome, row.outcome_detail) for row in company.read_decisions(run)}
    assert told == {
        "asked": ("send", None),
        "regranted": ("send", None),
        "unasked": ("send", None),
        "fine": ("send", None),
        "withdrew": ("no_consent", "withdrawn: marketing"),
        "revoked_all": ("no_consent", "withdrawn: marketing"),
        "never_asked": ("no_consent", "never asked: marketing"),
        "waiting": ("no_consent", "not confirmed: marketing"),
        "lifted": ("send", None),
        "bounced": ("suppressed", "hard_bounce"),
        "shut": ("blocked", "stopped: wrong price"),
        "capped": ("capped", "2 in 7 days"),
        "bought": ("goal_reached", "fct_orders.ordered_at"),
        "addressless": ("no_channel", "no address: email"),
    }
    sent = next(row for row in company.read_decisions(run) if row.contact_id == "asked")
    assert sent.fields["first_name"] == "Asked"
    assert not {"contact_id", "occurrence_key", "occurred_at"} & sent.fields.keys()
    assert (sent.template, sent.locale, sent.address_hash) == ("mail_template", "en", "hash-asked")
    assert (sent.due_at, sent.expires_at, sent.decided_at) == (NIGHT - HOUR, NIGHT + 23 * HOUR, NIGHT)
    assert all(row.fields is None for row in company.read_decisions(run) if row.outcome != "send")


def test_transactional_asks_no_consent_but_minds_suppression_stop_and_expiry(company: Company) -> None:
    company.rules.update(caps=[{**CAP, "limit": 0}], universal_control=1.0)
    company.meet("unasked", "bounced", "shut", "late", consent=False)
    company.suppress("hash-bounced")
    company.stop(contact_id="shut")
    company.occur("late", NIGHT - 2 * DAY)
    for person in ("unasked", "bounced", "shut"):
        company.occur(person)
    outcomes = company.decide(
        company.pin(),
        campaign("receipt", holdout=1.0, priority=1, **{"class": "transactional"}),
        campaign("other_receipt", holdout=1.0, priority=9, **{"class": "transactional"}),
    )
    expected = {"unasked": "send", "bounced": "suppressed", "shut": "blocked", "late": "expired"}
    for name in ("receipt", "other_receipt"):
        assert {person: outcomes[name, "mail", person] for person in expected} == expected


def test_a_message_of_the_last_days_counts_towards_the_cap_and_older_or_failed_ones_do_not(company: Company) -> None:
    company.rules["caps"] = [{**CAP, "limit": 1}]
    people = ["just_inside", "just_outside", "waiting", "failed", "former_name", "transactional"]
    company.meet(*people)
    for person in people:
        company.occur(person)
    company.send("just_inside", NIGHT - 7 * DAY + SECOND)
    company.send("just_outside", NIGHT - 7 * DAY)
    company.alias("maiden_name", "former_name")
    company.send("maiden_name", NIGHT - DAY)
    for person, state in (("waiting", "planned"), ("failed", "failed")):
        company.send(person, NIGHT - DAY, state=state)
    company.send("transactional", NIGHT - DAY, class_="transactional")
    run = company.pin()
    company.send("just_outside", NIGHT - DAY)  # recorded after the pin: the run does not know of it
    outcomes = company.decide(run, campaign("cart"))
    assert {person for (_, _, person), outcome in outcomes.items() if outcome == "capped"} == {
        "just_inside",
        "waiting",
        "former_name",
    }
    assert set(outcomes.values()) == {"capped", "send"}


def test_time_is_exclusive_at_its_end(company: Company) -> None:
    people = ["due_now", "due_later", "occurs_now", "fresh", "stale", "buys_now", "bought", "bought_before"]
    company.meet(*people)
    for person, at in {
        "due_now": NIGHT - HOUR,
        "due_later": NIGHT - HOUR + SECOND,
        "occurs_now": NIGHT,
        "fresh": NIGHT - HOUR - DAY + SECOND,
        "stale": NIGHT - HOUR - DAY,
        "buys_now": NIGHT - 2 * HOUR,
        "bought": NIGHT - 2 * HOUR,
        "bought_before": NIGHT - 2 * HOUR,
    }.items():
        company.occur(person, at)
    company.order("buys_now", NIGHT)
    company.order("bought", NIGHT - 2 * HOUR + SECOND)
    company.order("bought_before", NIGHT - 2 * HOUR)
    outcomes = company.decide(company.pin(), campaign("cart", {"wait": HOUR, "name": "mail"}, **GOAL))
    assert {person: outcome for (_, _, person), outcome in outcomes.items()} == {
        "due_now": "send",
        "fresh": "send",
        "stale": "expired",
        "buys_now": "send",
        "bought": "goal_reached",
        "bought_before": "send",
    }
    entered = {row.contact_id for row in company.read_entries()}
    assert entered == set(people) - {"occurs_now"}


def test_a_stop_stops_what_it_names_under_every_name_of_a_person_until_it_is_lifted(company: Company) -> None:
    company.meet("anna", "boris", "cleo")
    company.alias("maiden_name", "anna")
    company.stop(contact_id="maiden_name", campaign="cart")
    company.stop(contact_id="boris", occurrence_key="another cart")
    company.stop(contact_id="cleo")
    company.execute("update ledger.stop set lifted_at = now() where contact_id = 'cleo'")
    company.stop(campaign="paused", step="mail", channel="email", occurrence_key="once")
    company.stop(campaign="going", step="another step")
    for person in ("anna", "boris", "cleo"):
        company.occur(person)
    plans = [campaign(name, **{"class": "transactional"}) for name in ("cart", "paused", "going")]
    blocked = {("cart", "anna"), ("paused", "anna"), ("paused", "boris"), ("paused", "cleo")}
    outcomes = company.decide(company.pin(), *plans)
    assert len(outcomes) == 9
    assert {(name, person) for (name, _, person), outcome in outcomes.items() if outcome == "blocked"} == blocked
    assert set(outcomes.values()) == {"blocked", "send"}
    # A stop without any name stops everything that is still to be decided.
    company.stop()
    company.occur("anna", key="another cart")
    assert set(company.decide(company.pin(), *plans).values()) == {"blocked"}
