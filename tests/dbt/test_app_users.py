"""From the calls of a shop to sessions of people: who is joined to whom, by whose word, and who is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from safar.intake.tracked_events import CallReader
from safar.intake.tracked_storing import store_app_events
from safar.intake.write_keys import WriteKey
from safar.ledger.tombstones import Hasher

AS_OF = datetime(2026, 1, 11, 23, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 12, 31, tzinfo=UTC)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
KEYS = {"shop": WriteKey(name="shop", kind="client"), "backend": WriteKey(name="backend", kind="server")}
MODELS = ["+fct_sessions", "+dim_contacts", "+int_permission_changes"]


def tell(warehouse: Any, key: str, call: str, minute: int, **told: Any) -> None:
    """Reads a call as the intake does and writes it with the intake's own statement."""
    received_at = NOON + timedelta(minutes=minute)
    reader = CallReader(timedelta(days=2), ("gclid",))
    event = reader.read(call, {**told, "messageId": f"{key}-{call}-{minute}"}, KEYS[key], received_at)
    with psycopg.connect(warehouse.dsn) as connection:
        store_app_events(connection, [event], KEYS[key], received_at, Hasher("key"))


@pytest.fixture(scope="module")
def built(warehouse: Any) -> Any:
    with psycopg.connect(warehouse.dsn) as connection:
        connection.execute("set safar.rewriting = on")
        connection.execute("truncate ledger.app_event")
    created = {"created_at": datetime(2025, 1, 1, tzinfo=UTC), "updated_at": datetime(2025, 1, 1, tzinfo=UTC)}
    addresses = {"1": "anna@example.com", "2": "bert@example.com"}
    warehouse.land(
        "raw_hubspot.contacts", [{"id": key, "properties__email": one, **created} for key, one in addresses.items()]
    )
    url = "https://shop.example/tea?utm_source=news&utm_medium=newsletter&utm_campaign=may"
    tell(warehouse, "shop", "page", 0, anonymousId="annas phone", properties={"url": url})
    tell(
        warehouse, "shop", "track", 5, anonymousId="annas phone", event="Products Searched", properties={"query": "tea"}
    )
    tell(warehouse, "shop", "identify", 10, anonymousId="annas phone", userId="17")
    tell(warehouse, "shop", "page", 50, anonymousId="annas phone", properties={"url": "https://shop.example/"})
    tell(warehouse, "backend", "identify", 11, userId="17", traits={"email": " Anna@Example.com"})
    # What anybody can say with the key that stands in the page.
    tell(warehouse, "shop", "identify", 12, anonymousId="thief", userId="66", traits={"email": "bert@example.com"})
    tell(warehouse, "shop", "track", 13, anonymousId="thief", userId="17", event="Consent Given", properties=CONSENT)
    tell(warehouse, "shop", "page", 14, anonymousId="nobody", properties={"url": "https://shop.example/"})
    tell(warehouse, "backend", "identify", 15, userId="18", traits={"email": "only.in.app@example.com"})
    tell(warehouse, "backend", "track", 16, userId="18", event="Consent Given", properties=CONSENT)
    warehouse.build(MODELS, AS_OF, known_at=NEXT_YEAR)
    return warehouse


SEARCH = {"query": "tea", "revenue": "much", "price": 9.25}
CONSENT = {"form_id": "signup", "text_version": "3", "confirmed_at": "2026-01-05T12:00:00Z"}
PEOPLE = "select record_id, contact_id from nightly_intermediate.int_contact_records"


def test_our_own_server_joins_a_user_to_the_crms_contact_and_a_page_does_not(built: Any) -> None:
    people = {row["record_id"]: row["contact_id"] for row in built.query(PEOPLE)}
    assert set(people) == {"hubspot:1", "hubspot:2", "app:17", "app:18"}
    assert people["app:17"] == people["hubspot:1"]
    assert len(set(people.values())) == 3


def test_what_was_done_before_somebody_was_known_is_theirs(built: Any) -> None:
    rows = built.query(
        "select events.kind, contacts.email, events.app_user_id from nightly_marts.fct_web_events as events "
        "left join nightly_marts.dim_contacts as contacts using (contact_id) "
        "where app_name = 'shop' order by occurred_at"
    )
    assert [(row["kind"], row["email"], row["app_user_id"]) for row in rows] == [
        ("page view", "anna@example.com", "app:17"),
        ("search", "anna@example.com", "app:17"),
        ("identification", "anna@example.com", "app:17"),
        ("identification", None, "app:66"),
        ("other", "anna@example.com", "app:17"),
        ("page view", None, None),
        ("page view", "anna@example.com", "app:17"),
    ]


def test_sessions_know_where_they_came_from_and_whose_they_are(built: Any) -> None:
    rows = built.query(
        "select source, medium, channel, campaign, events_count, searches_count, landing_path, contact_id is not null as "
        "is_known from nightly_marts.fct_sessions where app_user_id = 'app:17' order by started_at"
    )
    first, *_, last = [tuple(row.values()) for row in rows]
    assert first == ("news", "email", "email", "may", 3, 1, "/tea", True)
    assert last == ("(direct)", "(none)", "direct", None, 1, 0, "/", True)


def test_an_amount_is_a_number_or_none(built: Any) -> None:
    rows = built.query("select amount from nightly_marts.fct_web_events where kind = 'search'")
    assert [row["amount"] for row in rows] == [None]


def test_only_our_own_server_tells_of_a_consent(built: Any) -> None:
    rows = built.query(
        "select address, topic, state from nightly_intermediate.int_permission_changes where source = 'app'"
    )
    assert [tuple(row.values()) for row in rows] == [("only.in.app@example.com", "marketing", "granted")]


def test_the_app_names_only_whom_nobody_else_knows(built: Any) -> None:
    rows = built.query("select app_user_id, email, hubspot_id from nightly_marts.dim_contacts order by email")
    assert [tuple(row.values()) for row in rows] == [
        ("app:17", "anna@example.com", "1"),
        (None, "bert@example.com", "2"),
        ("app:18", "only.in.app@example.com", None),
    ]
