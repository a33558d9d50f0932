"""Who enters a campaign, how often, and in which group."""

from __future__ import annotations

import math

from tests.decisions.company import DAY, HOUR, NIGHT, SECOND, Company, campaign

GOAL = {"goal_model": "fct_orders", "goal_at": "ordered_at", "exit": "goal"}


def _count_entries(company: Company) -> dict[tuple[str, str], list[str]]:
    entries: dict[tuple[str, str], list[str]] = {}
    for row in company.read_entries():
        entries.setdefault((row.campaign, row.contact_id), []).append(row.occurrence_key)
    return entries


def test_again_never_after_a_time_or_at_each_occurrence_over_all_names_of_a_person(company: Company) -> None:
    plans = [
        campaign("never", again="never"),
        campaign("after", again="after", again_after=90 * DAY),
        campaign("each", again="each_occurrence"),
    ]
    company.meet("anna", "boris", "maiden_name")
    company.occur("anna", NIGHT - 2 * HOUR, key="a1")
    company.occur("anna", NIGHT - HOUR, key="a2")
    company.occur("maiden_name", NIGHT - HOUR, key="m1")
    company.decide(company.pin(NIGHT), *plans)
    assert _count_entries(company) == {
        # Of several occasions at once the newest counts.
        ("never", "anna"): ["a2"],
        ("never", "maiden_name"): ["m1"],
        ("after", "anna"): ["a2"],
        ("after", "maiden_name"): ["m1"],
        ("each", "anna"): ["a1", "a2"],
        ("each", "maiden_name"): ["m1"],
    }
    company.alias("maiden_name", "boris")
    company.empty()
    company.occur("anna", NIGHT + DAY, key="a3")
    company.occur("boris", NIGHT - HOUR, key="m1")
    company.decide(company.pin(NIGHT + 90 * DAY - SECOND), *plans)
    entries = _count_entries(company)
    assert entries["each", "anna"] == ["a1", "a2", "a3"]
    assert entries["after", "anna"] == ["a2"]
    assert not {("never", "boris"), ("after", "boris"), ("each", "boris")} & entries.keys()
    company.empty()
    company.occur("anna", NIGHT + DAY, key="a3")
    company.occur("boris", NIGHT + DAY, key="b2")
    company.decide(company.pin(NIGHT + 90 * DAY), *plans)
    entries = _count_entries(company)
    assert entries["never", "anna"] == ["a2"]
    assert entries["after", "anna"] == ["a2", "a3"]
    assert entries["after", "boris"] == ["b2"]
    assert ("never", "boris") not in entries


def test_lots_are_drawn_once_evenly_and_for_each_campaign_apart(company: Company) -> None:
    count = 4000
    company.rules["universal_control"] = 0.05
    company.meet_many([f"person {number}" for number in range(1, count + 1)])
    company.execute(
        "insert into nightly_audiences.audience_cart_abandonment (contact_id, occurrence_key, occurred_at, first_name, locale)"
        " select 'person ' || number, 'once', %s, 'A', 'en' from generate_series(1, %s) as number",
        [NIGHT - HOUR, count],
    )
    plans = [
        campaign("one", holdout=0.1),
        campaign("two", holdout=0.1),
        campaign("receipt", **{"class": "transactional"}),
    ]
    run = company.pin(NIGHT)
    company.decide(run, *plans)
    entries = company.read_entries()
    held = {
        name: {row.contact_id for row in entries if row.campaign == name and row.is_held_out} for name in ("one", "two")
    }
    control = {row.contact_id for row in entries if row.campaign == "one" and row.is_universal_control}
    assert control == {row.contact_id for row in entries if row.campaign == "two" and row.is_universal_control}
    for group, share in ((held["one"], 0.1), (held["two"], 0.1), (control, 0.05), (held["one"] & held["two"], 0.01)):
        spread = 4 * math.sqrt(count * share * (1 - share))
        assert abs(len(group) - count * share) < spread
    assert not [row for row in entries if row.campaign == "receipt" and (row.is_held_out or row.arm == "control")]
    for row in entries:
        if row.campaign != "receipt":
            assert (row.arm == "control") == (row.is_held_out or row.is_universal_control)
    details = {
        (row.outcome, row.outcome_detail, row.contact_id in held[row.campaign], row.contact_id in control)
        for row in company.read_decisions(run)
        if row.outcome == "held_out"
    }
    assert details == {
        ("held_out", "holdout of the campaign", True, False),
        ("held_out", "holdout of the campaign", True, True),
        ("held_out", "universal control", False, True),
    }
    receipts = [row.outcome for row in company.read_decisions(run) if row.campaign == "receipt"]
    assert receipts == ["send"] * count
    marketing = {
        row.contact_id for row in company.read_decisions(run) if row.class_ == "marketing" and row.outcome == "send"
    }
    assert not marketing & control
    # Another share or salt draws new entries differently; whoever is in keeps their lot.
    company.rules.update(universal_control=0.5, holdout_salt="another")
    company.decide(company.pin(NIGHT + HOUR), *plans)
    assert company.read_entries() == entries


def test_a_lot_is_the_same_number_on_every_database(company: Company) -> None:
    macros = {"sql": "{{ postgres__fraction_of_hash('word') }}", "portable": "{{ default__fraction_of_hash('word') }}"}
    query = ", ".join(f"{expression} as {name}" for name, expression in macros.items())
    outcome = company.project.run(
        ["show", "--limit", "-1", "--output", "json", "--inline"]
        + [
            f"select word, {query} from (select 'person ' || generate_series as word from generate_series(1, 20000)) as words"
        ],
        {},
    )
    table = outcome.result.results[0].agate_table
    numbers = [float(row["sql"]) for row in table.rows]
    assert [float(row["portable"]) for row in table.rows] == numbers
    assert all(0 <= number < 1 for number in numbers)
    # Kolmogorov's distance to the uniform distribution, at a chance of one in a thousand.
    distance = max(abs(rank / len(numbers) - number) for rank, number in enumerate(sorted(numbers)))
    assert distance < 1.95 / math.sqrt(len(numbers))
