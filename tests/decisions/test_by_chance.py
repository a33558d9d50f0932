"""Nights of people and campaigns drawn by lot, from decisions to the provider: what always holds."""

from __future__ import annotations

import json
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.decisions.company import DAY, HOUR, NIGHT, Company, Run, campaign
from tests.delivery.test_last_look import Postbox

from safar.clock import FixedClock
from safar.connections import EnvironmentConnections
from safar.delivery.dispatching import DispatchOptions, send_due
from safar.delivery.planning import plan_pending
from safar.delivery.rules import AudienceLimit, DeliveryRules
from safar.feedback import check_identities
from safar.settings import Settings
from safar.workspace import Workspace

PEOPLE = 60
CAP = {"channel": "email", "class": "marketing", "limit": 1, "window_seconds": 2 * 86400}
GOAL = {"goal_model": "fct_orders", "goal_at": "ordered_at", "exit": "goal"}
LIMIT = AudienceLimit(people=1_000_000, growth=Decimal(1))
SINGLE = DispatchOptions(workers=1)


def open_workspace(company: Company, home: Path, at: Any) -> Workspace:
    parts = psycopg.conninfo.conninfo_to_dict(company.dsn)
    postgres = {
        "conn_type": "postgres",
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts["password"],
        "schema": parts["dbname"],
    }
    connections = {"safar_ledger": postgres, "safar_warehouse": postgres}
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    return Workspace(Settings(home=home, environment="sandbox"), EnvironmentConnections(environment), FixedClock(at))


def draw_people(company: Company, chance: random.Random, prefix: str) -> list[str]:
    """People, some of whom share an address, said no, have bounced, are stopped or have bought."""
    people = [f"{prefix}{number}" for number in range(PEOPLE)]
    company.meet_many(people)
    company.execute("update ledger.address set address = contact_id || '@example.com'")
    company.execute(
        "update ledger.address set address_hash = 'hash-' || %(one)s where contact_id = %(two)s",
        {"one": people[0], "two": people[1]},
    )
    for person in chance.sample(people[2:], 20):
        match chance.randrange(4):
            case 0:
                company.permit(f"hash-{person}", "revoked", at=NIGHT - DAY)
            case 1:
                company.suppress(f"hash-{person}")
            case 2:
                company.stop(contact_id=person)
            case _:
                company.order(person, NIGHT - HOUR / 2)
    for audience in ("audience_cart_abandonment", "audience_loyalty"):
        for person in {*people[:2], *chance.sample(people, 40)}:
            company.occur(person, NIGHT - chance.choice([1, 2, 30]) * HOUR, audience=audience)
    return people


def draw_campaigns(chance: random.Random, prefix: str) -> list[dict[str, Any]]:
    def one(name: str, **more: Any) -> dict[str, Any]:
        audience = chance.choice(["audience_cart_abandonment", "audience_loyalty"])
        return campaign(f"{prefix}_{name}", audience=audience, caps=[CAP], holdout=0.3, max_lag=3 * DAY, **more)

    plans = [one("a", priority=chance.randrange(3)), one("b", priority=chance.randrange(3), **GOAL)]
    return [*plans, one("c", priority=1), one("receipt", **{"class": "transactional"})]


def send_night(company: Company, home: Path, run: Run, plans: list[dict[str, Any]]) -> None:
    morning = open_workspace(company, home, run.as_of.replace(hour=10))
    rules = DeliveryRules(zone=ZoneInfo("UTC"))
    for plan in plans:
        plan_pending(morning, plan["name"], rules, LIMIT)
    send_due(morning, Postbox(), rules, options=SINGLE)
    check_identities(morning)


def check_decisions(company: Company, run: Run, plans: list[dict[str, Any]]) -> None:
    rows = company.read_decisions(run)
    priorities = {plan["name"]: plan["priority"] for plan in plans}
    keys = Counter((row.campaign, row.step, row.contact_id, row.occurrence_key) for row in rows)
    assert set(keys.values()) <= {1}, "each candidate has one outcome"
    winners = {row.address_hash: row for row in rows if row.outcome == "send" and row.class_ == "marketing"}
    sends = [row.address_hash for row in rows if row.outcome == "send" and row.class_ == "marketing"]
    assert len(sends) == len(winners), "one winner per address"
    for row in rows:
        if row.outcome == "outranked":
            winner = winners[row.address_hash]
            assert row.outcome_detail == f"outranked by {winner.campaign}"
            assert priorities[winner.campaign] >= priorities[row.campaign]
        assert row.outcome == "send" or row.outcome_detail, "every loser gets its reason"


HELD_OUT_GOT = """
select count(*) from ledger.message
join decisions.fct_entries as entry using (campaign, contact_id, occurrence_key)
where entry.is_held_out
"""
CONTROL_GOT_MARKETING = """
select count(*) from ledger.message
join decisions.fct_entries as entry using (contact_id)
where entry.is_universal_control and message.class = 'marketing'
"""


def test_every_night_adds_up_and_the_held_out_and_the_control_get_nothing(company: Company, tmp_path: Path) -> None:
    company.rules["universal_control"] = 0.2
    nights = iter(range(1000))

    @settings(max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def live(seed: int) -> None:
        chance, prefix = random.Random(seed), f"x{next(nights)}"
        for audience in ("audience_cart_abandonment", "audience_loyalty"):
            company.empty(audience)
        draw_people(company, chance, prefix)
        plans = draw_campaigns(chance, prefix)
        for night in range(2):
            run = company.pin(NIGHT + night * DAY)
            company.decide(run, *plans)
            check_decisions(company, run, plans)
            send_night(company, tmp_path, run, plans)

    live()
    outcomes = {row.outcome for row in company.execute("select distinct outcome from decisions.fct_decisions")}
    assert {"held_out", "send", "outranked", "capped", "same_address", "suppressed", "no_consent"} <= outcomes
    assert company.execute(HELD_OUT_GOT)[0].count == 0
    assert company.execute(CONTROL_GOT_MARKETING)[0].count == 0
    assert company.execute("select count(*) from ledger.message where state = 'accepted'")[0].count > PEOPLE
