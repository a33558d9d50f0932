"""Email Activity as the vendor's SDK sees it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import orjson
import pytest
from python_http_client.exceptions import BadRequestsError, HTTPError, NotFoundError

from sandbox.sendgrid.activity_query import BadQuery, parse_query


def ask(world: Any, **query: Any) -> list[dict[str, Any]]:
    return orjson.loads(world.sdk.client.messages.get(query_params=query).body)["messages"]


@pytest.fixture
def sent(world: Any) -> Any:
    """Twelve mails of one call, an hour ago, in an account without limits."""
    world.company.limits.switch(False, "sendgrid")
    world.send([person.email for person in world.people[:11]] + ["nobody@nowhere.invalid"], world.add_template())
    world.advance(hours=1)
    return world


def test_the_newest_mails_are_listed_up_to_the_limit(sent: Any) -> None:
    everything = ask(sent, limit=1000)
    assert len(everything) == 12
    assert ask(sent) == everything[:10]
    moments = [mail["last_event_time"] for mail in everything]
    assert moments == sorted(moments, reverse=True)
    assert set(everything[0]) == {
        "from_email", "msg_id", "subject", "to_email", "status", "opens_count", "clicks_count", "last_event_time",
    }  # fmt: skip
    for limit in (0, 1001):
        with pytest.raises(BadRequestsError):
            ask(sent, limit=limit)


def test_a_mail_that_is_not_processed_yet_is_not_listed(sent: Any) -> None:
    sent.send([sent.people[0].email], sent.add_template())
    assert len(ask(sent, limit=1000)) == 12
    sent.advance(minutes=1)
    assert len(ask(sent, limit=1000)) == 13


def test_queries_narrow_the_list(sent: Any) -> None:
    reader = sent.people[0].email
    mails = {mail["to_email"]: mail for mail in ask(sent, limit=1000)}
    message_id = sent.truth("mails")["mails"][0]["message_id"]
    now = sent.company.now
    spans = [(now - timedelta(hours=2), now), (now, now + timedelta(hours=1))]
    within, outside = (f'last_event_time BETWEEN TIMESTAMP "{a:%FT%TZ}" AND TIMESTAMP "{b:%FT%TZ}"' for a, b in spans)
    counts = {
        f'to_email="{reader}"': 1,
        f'to_email != "{reader}"': 11,
        'to_email LIKE "%.invalid"': 1,
        'status="not_delivered"': sum(mail["status"] == "not_delivered" for mail in mails.values()),
        f"(unique_args['message_id']=\"{message_id}\")": 1,
        f"unique_args['message_id'] LIKE \"%{message_id[-4:]}\"": 1,
        'Contains(categories,"reminder")': 12,
        'Contains(categories,"offer")': 0,
        f'{within} AND Contains(categories,"cart_abandonment")': 12,
        outside: 0,
        f'to_email IN ("{reader}", "nobody@nowhere.invalid")': 2,
        f'to_email="{reader}" OR to_email="nobody@nowhere.invalid" AND {outside}': 1,
    }
    assert {query: len(ask(sent, limit=1000, query=query)) for query in counts} == counts
    assert mails["nobody@nowhere.invalid"]["status"] == "not_delivered"


@pytest.mark.parametrize(
    "query", ["", "to_email", 'to_email="a', 'colour="a"', 'events="open"', 'to_email="a" AND', "a ~ b", 'status="a")']
)
def test_a_query_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        parse_query(query)


def test_the_refusal_names_the_query(sent: Any) -> None:
    with pytest.raises(BadRequestsError) as refused:
        ask(sent, query='events="open"')
    assert orjson.loads(refused.value.body)["errors"][0]["field"] == "query"


def test_one_mail_is_told_with_its_arguments_and_events(sent: Any) -> None:
    (listed,) = ask(sent, query='to_email="nobody@nowhere.invalid"')
    told = orjson.loads(sent.sdk.client.messages._(listed["msg_id"]).get().body)
    assert told["categories"] == ["cart_abandonment", "reminder"]
    assert [event["event_name"] for event in told["events"]] == ["dropped"]
    truth = {mail["email"]: mail["message_id"] for mail in sent.truth("mails")["mails"]}
    assert told["unique_args"] == {"message_id": truth["nobody@nowhere.invalid"]}
    with pytest.raises(NotFoundError):
        sent.sdk.client.messages._("unknown.filter-1.0").get()


def test_six_calls_a_minute_are_answered(world: Any) -> None:
    def ask_often() -> None:
        for _ in range(13):  # A minute may end in between.
            ask(world)

    with pytest.raises(HTTPError) as refused:
        ask_often()
    assert refused.value.status_code == 429
    assert refused.value.headers["X-RateLimit-Limit"] == "6"
    assert 0 < int(refused.value.headers["X-RateLimit-Reset"]) - time.time() <= 60
