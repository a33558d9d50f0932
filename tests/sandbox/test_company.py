"""The company itself: the same from the same seed, and the same whatever steps its clock takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import truth
from sandbox.clock import slice_seconds
from sandbox.company import Company
from sandbox.config import SandboxConfig

START = datetime(2026, 3, 2, tzinfo=UTC)


def make_company(home: Path, people: int = 300, seed: int = 1) -> Company:
    return Company(SandboxConfig(home=home, people=people, seed=seed))


def describe(company: Company) -> dict[str, Any]:
    """Everything that any vendor could tell."""
    return {
        "summary": truth.summarise(company),
        "orders": truth.list_orders(company),
        "carts": truth.list_carts(company),
        "people": truth.list_people(company),
        "identity": truth.list_identity(company),
        "contacts": [(one.properties, one.archived_ms) for one in company.crm.contacts],
        "consents": company.crm.consents,
        "shop_consents": company.shop.state["consent"].tolist(),
    }


def let_mails_work(company: Company) -> None:
    """Stands in for the mail provider: each hour somebody orders, visits or opts out a little later."""

    def work(start: datetime, stop: datetime) -> None:
        hour = datetime(start.year, start.month, start.day, start.hour, tzinfo=UTC)
        if start != hour:
            return
        number = int(hour.timestamp()) // 3600 * 7 % 300
        person = company.population.person(number)
        company.add_order(person, hour + timedelta(hours=9, minutes=number % 50), f"mail:{number}")
        company.add_visit(person, hour + timedelta(minutes=1), f"mail:{number}")
        if number % 5 == 0:
            company.opt_out(person, hour + timedelta(minutes=20), f"mail:{number}")

    company.register_due_work(work)


def test_the_same_seed_makes_the_same_company_and_another_does_not(tmp_path: Path) -> None:
    one, same, other = (make_company(tmp_path / str(number), seed=seed) for number, seed in enumerate((1, 1, 2)))
    assert describe(one) == describe(same)
    assert describe(one) != describe(other)


def test_steps_and_a_leap_lead_to_the_same_days(tmp_path: Path) -> None:
    leaping, stepping = make_company(tmp_path / "leap"), make_company(tmp_path / "steps")
    for company in (leaping, stepping):
        let_mails_work(company)
    end = START + timedelta(days=9)
    leaping.advance(end)
    for hours in (0.25, 2, 10, 26.5, 26.75, 30, 71.9, 100, 150):
        stepping.advance(START + timedelta(hours=hours))
    stepping.advance(end)
    assert describe(leaping) == describe(stepping)
    assert describe(leaping)["summary"]["orders_by_cause"]["mail"] > 100


def test_what_happened_survives_a_restart(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    let_mails_work(company)
    company.advance(START + timedelta(days=2, hours=5))
    company.set_consent("somebody@example.com", 441, "UNSUBSCRIBED", "PUBLIC_API")
    before = describe(company)
    company.close()
    again = make_company(tmp_path)
    assert again.now == START + timedelta(days=2, hours=5)
    assert describe(again) == before
    let_mails_work(again)
    again.advance(START + timedelta(days=4))
    through = make_company(tmp_path / "through")
    let_mails_work(through)
    through.advance(START + timedelta(days=2, hours=5))
    through.set_consent("somebody@example.com", 441, "UNSUBSCRIBED", "PUBLIC_API")
    through.advance(START + timedelta(days=4))
    assert describe(again) == describe(through)


@pytest.mark.parametrize("setting", [{"seed": 2}, {"people": 301}])
def test_a_home_of_another_company_is_refused_with_a_remedy(tmp_path: Path, setting: dict[str, int]) -> None:
    make_company(tmp_path).close()
    with pytest.raises(ValueError, match="choose another --home"):
        make_company(tmp_path, **setting)


def test_the_clock_never_runs_backwards(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    with pytest.raises(ValueError, match="only moves forward"):
        company.advance(START - timedelta(seconds=1))


def test_an_order_by_mail_completes_the_cart_that_the_person_left(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    state = company.shop.state
    person = next(
        one for one in map(company.population.person, range(300)) if company.standing(one).open_cart_at is not None
    )
    cart = company.shop.open_cart(person.person_id, company.seconds)
    company.add_order(person, START + timedelta(minutes=30), "mail:x")
    assert state["orders_count"][person.person_id] == 0 or company.shop.carts["order"][cart] == -1
    company.advance(START + timedelta(hours=1))
    order = truth.list_orders(company)[-1]
    assert (order["cause"], order["ordered_at"]) == ("mail:x", "2026-03-02T00:30:00Z")
    assert company.shop.carts["order"][cart] == len(company.shop.orders) - 1
    assert company.standing(person).is_active or company.shop.carts["drop_draw"][cart] < 1


def test_every_stage_of_a_customers_life_occurs(tmp_path: Path) -> None:
    company = make_company(tmp_path, people=500)
    people = truth.list_people(company)
    counts = np.array([one["orders_count"] for one in people])
    last = [one["last_order_at"] for one in people if one["last_order_at"]]
    days = np.array([(START - datetime.fromisoformat(moment)).days for moment in last])
    assert all((counts == number).sum() > 20 for number in (0, 1, 2))
    assert (counts >= 5).sum() > 20
    assert (days < 30).sum() > 20
    assert ((days > 90) & (days < 180)).sum() > 20
    assert (days > 365).sum() > 20


def test_records_are_spelled_as_sloppily_as_planned(tmp_path: Path) -> None:
    company = make_company(tmp_path, people=3000)
    contacts = truth.list_contacts(company)
    emails = [one["email"] for one in contacts]
    assert any(email is None for email in emails)
    assert any(email and "@example" not in email and not email.endswith("@mail.example.com") for email in emails)
    assert any(email and email != email.strip() for email in emails)
    assert any(email and email != email.lower() for email in emails)
    assert any(one["is_duplicate"] for one in contacts)
    assert any(";" in (one.properties["hs_merged_object_ids"] or "") or one.archived_ms for one in company.crm.contacts)
    in_both = [one for one in truth.list_identity(company) if one["hubspot"] and one["shopify"]]
    alone = [one for one in truth.list_identity(company) if not (one["hubspot"] and one["shopify"])]
    assert len(in_both) > len(alone) > 500


def test_slices_end_at_full_hours() -> None:
    assert list(slice_seconds(100, 7300)) == [(100, 3600), (3600, 7200), (7200, 7300)]
    assert list(slice_seconds(3600, 3600)) == []
