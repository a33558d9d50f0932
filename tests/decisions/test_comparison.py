"""Candidates compared with each other: one person per address and step, one message per address and run."""

from __future__ import annotations

from tests.decisions.company import DAY, HOUR, NIGHT, Company, campaign

CAP = {"channel": "email", "class": "marketing", "limit": 1, "window_seconds": 86400}


def test_the_higher_priority_wins_an_address_and_the_loser_learns_from_whom(company: Company) -> None:
    company.meet("anna")
    company.meet("eva", "paul", address="shared")
    company.meet("held", "free")
    for person in ("anna", "eva", "free"):
        company.occur(person)
    for person in ("anna", "paul", "free"):
        company.occur(person, audience="audience_loyalty")
    company.stop(contact_id="free", campaign="cart")
    plans = [campaign("cart", priority=80), campaign("loyalty", priority=60, audience="audience_loyalty")]
    run = company.pin()
    company.decide(run, *plans)
    assert {
        (row.campaign, row.contact_id): (row.outcome, row.outcome_detail) for row in company.read_decisions(run)
    } == {
        ("cart", "anna"): ("send", None),
        ("cart", "eva"): ("send", None),
        ("cart", "free"): ("blocked", "stopped: mistake"),
        ("loyalty", "anna"): ("outranked", "outranked by cart"),
        ("loyalty", "paul"): ("outranked", "outranked by cart"),
        # Who may not get the one gets the other.
        ("loyalty", "free"): ("send", None),
    }


def test_one_of_two_people_at_an_address_gets_the_step(company: Company) -> None:
    company.meet("eva", "paul", address="shared")
    company.meet("anna")
    for person in ("eva", "paul"):
        company.occur(person, key="once")
    for key in ("cart 1", "cart 2"):
        company.occur("anna", key=key)
    run = company.pin()
    company.decide(run, campaign("cart"), campaign("receipt", **{"class": "transactional"}))
    rows = company.read_decisions(run)
    couple = [row for row in rows if row.contact_id != "anna"]
    assert sorted(row.outcome for row in couple if row.campaign == "cart") == ["same_address", "send"]
    # A receipt about the same thing reaches an address once, and receipts about different things all do.
    assert sorted(row.outcome for row in couple if row.campaign == "receipt") == ["same_address", "send"]
    single = [(row.campaign, row.outcome) for row in rows if row.contact_id == "anna"]
    assert sorted(single) == [("cart", "outranked"), ("cart", "send"), ("receipt", "send"), ("receipt", "send")]
    # The loser comes again, and is told at once that the address has had it.
    company.plan(run)
    company.move("accepted", NIGHT)
    again = company.pin(NIGHT + HOUR)
    company.decide(again, campaign("cart"))
    outcomes = {row.contact_id: (row.outcome, row.outcome_detail) for row in company.read_decisions(again)}
    loser = next(row.contact_id for row in couple if row.campaign == "cart" and row.outcome == "same_address")
    assert outcomes == {loser: ("same_address", "written to before for somebody else"), "anna": ("send", None)}


def test_lots_decide_between_equals_and_fall_the_same_way_again(company: Company) -> None:
    people = [f"person{number}" for number in range(20)]
    company.meet(*people)
    for person in people:
        company.occur(person)
    plans = [campaign("one"), campaign("two")]
    run = company.pin()
    outcomes = company.decide(run, *plans)
    winners = {person: name for (name, _, person), outcome in outcomes.items() if outcome == "send"}
    assert winners.keys() == set(people)
    assert set(winners.values()) == {"one", "two"}
    assert company.decide(run, *reversed(plans)) == outcomes


def test_held_out_and_capped_people_take_no_place_from_anybody(company: Company) -> None:
    company.rules["caps"] = [CAP]
    company.meet("anna")
    company.occur("anna")
    plans = [campaign("experiment", priority=90, holdout=1.0), campaign("mailing", priority=10)]
    run = company.pin()
    assert company.decide(run, *plans) == {
        ("experiment", "mail", "anna"): "held_out",
        ("mailing", "mail", "anna"): "send",
    }
    company.plan(run)
    company.move("accepted", NIGHT)
    company.occur("anna", NIGHT, key="second")
    assert company.decide(company.pin(NIGHT + DAY - HOUR), *plans) == {
        ("experiment", "mail", "anna"): "held_out",
        ("mailing", "mail", "anna"): "capped",
    }
