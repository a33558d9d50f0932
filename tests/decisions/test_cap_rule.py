"""The frequency cap of the decisions and that of the claim say the same of every row; a campaign may have its own."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import psycopg
from tests.decisions.company import DAY, HOUR, NIGHT, SECOND, Company, campaign

from safar.delivery.sql import read_statement

WEEK = 7 * DAY
CAP = {"channel": "email", "class": "marketing", "limit": 2, "window_seconds": 7 * 86400}
STATES = ("claimed", "attempting", "accepted", "unknown", "presumed_lost", "failed")
# How each state is reached, by steps that the state machine allows.
STEPS = {
    "claimed": STATES,
    "attempting": STATES[1:],
    "accepted": ("accepted",),
    "failed": ("failed",),
    "unknown": ("unknown", "presumed_lost"),
    "presumed_lost": ("presumed_lost",),
}
PEOPLE = 300

INSERT_ACTIONS = """
insert into ledger.action (
    action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class, entry_occurred_at, due_at, expires_at,
    planned_at
)
select
    action_id, %(run_id)s, 'other', 'mail', action_id::text, contact_id, 'message', class, claimed_at, claimed_at,
    claimed_at + interval '1 day', claimed_at
from past
"""
INSERT_MESSAGES = """
insert into ledger.message (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, priority, template,
    locale, address_hash, address_key_id, entry_occurred_at, due_at, expires_at, planned_at
)
select
    action_id, action_id, %(run_id)s, 'other', 'mail', action_id::text, contact_id, channel, class, 1, 'mail', 'en',
    'hash-' || contact_id, 'test', claimed_at, claimed_at, claimed_at + interval '1 day', claimed_at
from past
"""
MOVE = """
update ledger.message
set
    state = %(state)s, claimed_by = 'past', claimed_at = past.claimed_at, attempted_at = past.claimed_at,
    attempt_count = attempt_count + (%(state)s = 'attempting')::int,
    accepted_at = case %(state)s when 'accepted' then past.claimed_at end
from past
where message.message_id = past.action_id and past.state = any(%(ends)s)
"""
ASK_THE_CLAIM = """
select message.contact_id
from (select contact_id, 'email' as channel, 'marketing' as class from unnest(%(people)s::text[]) as contact_id) as message
cross join lateral (
    select coalesce((
        select alias.contact_id from ledger.contact_alias as alias
        where alias.alias_id = message.contact_id and alias.until_sequence is null
    ), message.contact_id) as person_id
) as person
where {condition}
"""


def draw_past(chance: random.Random, people: list[str], window: timedelta) -> list[dict[str, str]]:
    """What people got, most of it within a second of the window's ends."""
    edges = [window - SECOND, window, window + SECOND, timedelta(0), SECOND, window / 2, 2 * window]
    return [
        {
            "contact_id": person,
            "channel": chance.choice(["email", "email", "email", "sms"]),
            "class": chance.choice(["marketing", "marketing", "marketing", "transactional"]),
            "state": chance.choice(STATES),
            "claimed_at": (NIGHT - chance.choice(edges)).isoformat(),
        }
        for person in people
        for _ in range(chance.randrange(5))
    ]


def write_past(company: Company, rows: list[dict[str, str]]) -> None:
    run = company.pin(NIGHT - 30 * DAY)
    with psycopg.connect(company.dsn) as connection:
        connection.execute(
            "create temporary table past as select gen_random_uuid() as action_id, past.* from jsonb_to_recordset(%s)"
            " as past (contact_id text, channel text, class text, state text, claimed_at timestamptz)",
            [json.dumps(rows)],
        )
        for statement in (INSERT_ACTIONS, INSERT_MESSAGES):
            connection.execute(statement, {"run_id": run.run_id})
        connection.execute(
            "insert into ledger.claim (claim_id, lease_until, message_ids)"
            " select 'past', now() + interval '1 hour', array_agg(action_id) from past"
        )
        for state, ends in STEPS.items():
            connection.execute(MOVE, {"state": state, "ends": list(ends)})


def test_decisions_and_claim_say_the_same_row_by_row(company: Company) -> None:
    chance = random.Random(20260302)
    people = [f"person{number}" for number in range(PEOPLE)]
    company.meet_many(people)
    for number in range(0, PEOPLE, 3):
        company.alias(f"former{number}", f"person{number}")
    company.execute(
        "insert into nightly_audiences.audience_cart_abandonment (contact_id, occurrence_key, occurred_at, first_name, locale)"
        " select person, 'once', %s, 'Anna', 'en' from unnest(%s::text[]) as person",
        [NIGHT - HOUR, people],
    )
    write_past(company, draw_past(chance, people + [f"former{number}" for number in range(0, PEOPLE, 3)], WEEK))
    caps = {
        f"campaign{number}": [CAP | cap]
        for number, cap in enumerate(
            [{}, {"limit": 1}, {"limit": 0}, {"window_seconds": 7 * 86400 - 1}, {"window_seconds": 7 * 86400 + 1}]
        )
    }
    # The first has the highest priority, and so on: whoever is capped is not outranked.
    plans = [campaign(name, caps=own, priority=100 - number) for number, (name, own) in enumerate(caps.items())]
    outcomes = company.decide(company.pin(), *plans)
    asked = ASK_THE_CLAIM.format(condition=read_statement("is_capped"))
    for name, (cap,) in caps.items():
        since = NIGHT - timedelta(seconds=cap["window_seconds"])
        parameters = {"people": people, "cap_messages": [cap["limit"]], "cap_since": [since]}
        at_claim = {row.contact_id for row in company.execute(asked, parameters)}
        decided = {person for (which, _, person), outcome in outcomes.items() if which == name and outcome == "capped"}
        assert decided == at_claim
        assert cap["limit"] == 0 or 10 < len(decided) < PEOPLE - 10


def test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults(company: Company) -> None:
    company.rules["caps"] = [{**CAP, "limit": 1}]
    company.meet("anna", "bert")
    for person in ("anna", "bert"):
        company.occur(person)
    company.send("anna", NIGHT - DAY)
    for at in (NIGHT - 8 * DAY, NIGHT - 9 * DAY):
        company.send("bert", at)
    run = company.pin()
    month = {**CAP, "limit": 2, "window_seconds": 30 * 86400}
    company.decide(
        run,
        campaign("default"),
        campaign("looser", caps=[{**CAP, "limit": 2}], priority=90),
        campaign("tighter", caps=[month]),
        campaign("free", caps=[], priority=10),
        campaign("of_another_channel", caps=[{**CAP, "channel": "sms", "limit": 0}], priority=5),
    )
    told = {
        (row.campaign, row.contact_id): row.outcome_detail
        for row in company.read_decisions(run)
        if row.outcome == "capped"
    }
    assert told == {("default", "anna"): "1 in 7 days", ("tighter", "bert"): "2 in 30 days"}
