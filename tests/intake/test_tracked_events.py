"""Events of apps and sites over real HTTP: who may post, what is kept of it, and what never is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from tests.intake.conftest import NOW

from safar.delivery.addresses import hash_address
from safar.ledger.tombstones import Hasher

Post = Callable[..., requests.Response]
PERSON = "https://shop.example/offer?utm_source=News&utm_campaign=may&gclid=G1&email=anna%40example.com&token=t#top"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def intake(write_keys: dict[str, str], open_workspace, serve) -> Iterator[Any]:
    with serve(open_workspace(NOW)) as running:
        yield running


@pytest.fixture
def post(intake) -> Post:
    """Posts one call or a batch as a key's holder would."""

    def send(route: str, body: Any, key: str | None = "web-key", **headers: str) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = (key, "") if key is not None else None
        sent = {"Content-Type": "application/json", "User-Agent": BROWSER, **headers}
        return requests.post(f"{intake.url}/v1/{route}", data=data, auth=auth, headers=sent, timeout=30)

    return send


def viewed(**more: Any) -> dict[str, Any]:
    return {"event": "Product Viewed", "anonymousId": "device-1", "messageId": "m1", **more}


def read_rows(ledger: psycopg.Connection[dict[str, Any]]) -> list[dict[str, Any]]:
    return ledger.execute("select * from ledger.app_event order by event_id, key_name").fetchall()


def test_only_who_has_a_key_may_post(post: Post, ledger) -> None:
    assert post("track", viewed(), key=None).status_code == 401
    refused = post("track", viewed(), key="guessed")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_write_key")
    assert post("track", viewed(), key=None, Authorization="Basic no-base64").status_code == 401
    assert read_rows(ledger) == []
    accepted = post("track", viewed())
    assert (accepted.status_code, accepted.json()) == (200, {"success": True})
    assert post("track", viewed(messageId="m2", writeKey="web-key"), key=None).status_code == 200
    assert [row["key_name"] for row in read_rows(ledger)] == ["web", "web"]
    assert "web-key" not in str(read_rows(ledger))


def test_each_type_of_call_is_kept_with_what_it_says(post: Post, ledger) -> None:
    context = {
        "app": {"version": "4.2.0"},
        "device": {"type": "ios", "token": "push-token-1"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "ip": "203.0.113.9",
    }
    calls = [
        {"type": "track", "messageId": "1", "userId": 17, "event": "Application Installed", "context": context},
        {"type": "identify", "messageId": "2", "userId": "17", "anonymousId": "d", "traits": {"plan": "gold"}},
        {"type": "page", "messageId": "3", "anonymousId": "d", "name": "Offer", "properties": {"url": PERSON}},
        {"type": "screen", "messageId": "4", "anonymousId": "d", "name": "Cart", "properties": {"items": 2}},
    ]
    assert post("batch", {"batch": calls}).json() == {"success": True}
    track, identify, page, screen = read_rows(ledger)
    assert (track["user_id"], track["event_name"], track["platform"]) == ("app:17", "Application Installed", "ios")
    assert (track["app_version"], track["locale"], track["time_zone"]) == ("4.2.0", "de-DE", "Europe/Berlin")
    assert track["push_token"] == "push-token-1"
    assert (identify["user_id"], identify["anonymous_id"], identify["traits"]) == ("app:17", "d", {"plan": "gold"})
    assert (page["event_name"], page["page_host"], page["page_path"]) == ("Offer", "shop.example", "/offer")
    assert page["campaign"] == {"source": "News", "campaign": "may"}
    assert (page["click_id_name"], page["click_id"]) == ("gclid", "G1")
    assert (screen["event_name"], screen["properties"]) == ("Cart", {"items": 2})


def test_the_single_routes_are_the_same_as_a_batch(post: Post, ledger) -> None:
    assert post("identify", {"userId": "17", "messageId": "1"}).status_code == 200
    assert post("page", {"anonymousId": "d", "messageId": "2"}).status_code == 200
    assert post("screen", {"anonymousId": "d", "messageId": "3"}).status_code == 200
    assert post("track", viewed(messageId="4")).status_code == 200
    assert [row["call"] for row in read_rows(ledger)] == ["identify", "page", "screen", "track"]


def test_a_repeated_call_is_kept_once_for_each_app(post: Post, ledger) -> None:
    for _ in range(3):
        post("track", viewed())
        post("batch", {"batch": [viewed(type="track"), viewed(type="track")]})
        post("track", viewed(), key="phone-key")
    assert [(row["key_name"], row["event_id"]) for row in read_rows(ledger)] == [("phone", "m1"), ("web", "m1")]


def test_without_a_message_id_a_repetition_is_known_by_its_time(post: Post, ledger) -> None:
    call = {"event": "Search", "anonymousId": "d", "timestamp": "2026-03-02T09:00:00Z"}
    for sent_at in ("2026-03-02T09:00:01Z", "2026-03-02T09:00:09Z"):
        post("track", {**call, "sentAt": sent_at})
    assert len(read_rows(ledger)) == 1
    for _ in range(2):
        post("track", {"event": "Search", "anonymousId": "d"})
    assert len(read_rows(ledger)) == 3


def test_the_clock_of_a_device_is_corrected_and_late_rows_are_kept(post: Post, ledger) -> None:
    times = {
        "a ten minutes before it was sent, by a clock of next year": ("2027-01-01T00:10:00Z", "2027-01-01T00:00:00Z"),
        "b a week in a tunnel": ("2026-03-02T10:00:00+00:00", "2026-02-23T10:00:00Z"),
        "c after it was sent": ("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"),
        "d no clock at all": ("2026-03-02T10:00:00Z", "0001-01-01T00:00:00Z"),
        "e not sent at any time": (None, "2026-03-01T10:00:00"),
        "f no time": (None, None),
        "g no such time": ("yesterday", 17),
    }
    for name, (sent_at, told_at) in times.items():
        post("track", viewed(messageId=name.split()[0], sentAt=sent_at, timestamp=told_at))
    rows = read_rows(ledger)
    assert {row["received_at"] for row in rows} == {NOW}
    assert [NOW - row["occurred_at"] for row in rows] == [
        timedelta(minutes=10),
        timedelta(days=7),
        timedelta(0),
        timedelta(0),
        timedelta(days=1),
        timedelta(0),
        timedelta(0),
    ]
    assert [row["event_id"] for row in rows if row["is_late"]] == ["b"]


def test_bots_are_marked_and_kept(post: Post, ledger) -> None:
    post("page", {"anonymousId": "d", "messageId": "1"}, **{"User-Agent": CRAWLER})
    post("page", {"anonymousId": "d", "messageId": "2"})
    post("page", {"anonymousId": "d", "messageId": "3", "context": {"userAgent": CRAWLER}}, key="backend-key")
    post("page", {"anonymousId": "d", "messageId": "4"}, key="backend-key", **{"User-Agent": CRAWLER})
    assert [row["is_bot"] for row in read_rows(ledger)] == [True, False, True, False]


def test_an_address_is_kept_only_of_what_our_own_server_tells(post: Post, ledger) -> None:
    told = {"userId": "17", "traits": {"email": " Anna@Example.com", "name": "Anna Quill", "plan": "gold"}}
    post("identify", {**told, "messageId": "1"})
    post("identify", {**told, "messageId": "2"}, key="backend-key")
    post("track", {**told, "messageId": "3", "event": "Signed Up"}, key="backend-key")
    page, server, track = read_rows(ledger)
    assert (page["email"], page["address_hash"]) == (None, None)
    expected = hash_address("test-address-key", "email", "anna@example.com")
    assert (server["email"], server["address_hash"]) == ("anna@example.com", expected)
    assert track["email"] is None
    assert [row["traits"] for row in (page, server, track)] == [{"plan": "gold"}] * 3


def test_nothing_that_names_a_person_is_kept(post: Post, ledger) -> None:
    personal = {
        "email": "anna@example.com",
        "customerEmail": "x",
        "firstName": "Anna",
        "phone_number": "+49 555",
        "ip": "203.0.113.77",
        "search": "?q=anna",
        "referrer": "https://mail.example/inbox/anna",
        "name": "Red shoe",
        "answer": "Write to anna@example.com, please",
        "image": "https://cdn.example/a.png?user=anna",
        "products": [{"sku": "A", "shipping_address": "Anna Street", "price": 9.5}],
    }
    context = {
        "ip": "203.0.113.77",
        "userAgent": "Quillphone",
        "page": {"url": PERSON},
        "traits": {"email": "anna@x.de"},
    }
    post("track", viewed(properties=personal, context=context))
    (row,) = read_rows(ledger)
    assert row["properties"] == {
        "name": "Red shoe",
        "answer": "Write to [address], please",
        "image": "https://cdn.example/a.png",
        "products": [{"sku": "A", "price": 9.5}],
    }
    assert row["referrer_host"] == "mail.example"
    kept = str(row)
    for word in ("anna", "Anna", "203.0.113", "Quillphone", "token=", "555"):
        assert word not in kept


@pytest.mark.parametrize("key", ["web-key", "backend-key"])
def test_an_address_is_nobodys_id(post: Post, ledger, key: str) -> None:
    assert post("identify", {"userId": "anna@example.com"}, key=key).status_code == 400
    assert post("identify", {"userId": "anna@example.com", "anonymousId": "d"}, key=key).status_code == 200
    assert [(row["user_id"], row["anonymous_id"]) for row in read_rows(ledger)] == [(None, "d")]


BROKEN: list[Any] = [
    "text",
    None,
    17,
    [],
    {},
    {"type": "track", "anonymousId": "d"},
    {"type": "track", "event": "x"},
    {"type": "track", "event": "  ", "anonymousId": "d"},
    {"type": "track", "event": ["x"], "anonymousId": "d"},
    {"type": "alias", "userId": "1", "previousId": "d"},
    {"type": ["track"], "event": "x", "anonymousId": "d"},
    {"type": "track", "event": "x", "anonymousId": "a\x00b"},
    {"type": "track", "event": "x", "anonymousId": "d", "properties": {"text": "x" * 33_000}},
]


def test_what_cannot_be_read_is_named_and_the_rest_is_kept(post: Post, ledger) -> None:
    answer = post("batch", {"batch": [viewed(type="track"), *BROKEN, viewed(type="track", messageId="m2")]})
    assert answer.status_code == 200
    assert [one["index"] for one in answer.json()["refused"]] == list(range(1, len(BROKEN) + 1))
    assert [row["event_id"] for row in read_rows(ledger)] == ["m1", "m2"]
    refused = post("track", {"event": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert "anonymousId" in refused.json()["message"]


def test_odd_values_in_a_readable_call_do_no_harm(post: Post, ledger) -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = {"a\x00b": [deep]}
    odd = {
        "context": 3,
        "properties": {"deep": deep, "nul": "a\x00b", "huge": 10**40, "url": "http://[x"},
        "traits": [],
    }
    call = {"event": "a\x00 b", "anonymousId": "d", "messageId": "\x00", **odd, "timestamp": 1e300, "sentAt": {}}
    assert post("track", call).status_code == 200
    (row,) = read_rows(ledger)
    assert (row["event_name"], row["page_host"], row["properties"]["nul"]) == ("a b", None, "ab")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"batch": {}}', b"{}"])
def test_a_cut_body_is_refused_for_good(post: Post, ledger, body: bytes) -> None:
    answer = post("batch", body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert read_rows(ledger) == []


def test_a_packed_body_is_unpacked_and_a_broken_one_refused(post: Post, ledger) -> None:
    packed = gzip.compress(json.dumps(viewed()).encode())
    assert post("track", packed, **{"Content-Encoding": "gzip"}).status_code == 200
    for broken in (packed[:-9], b"no gzip", json.dumps(viewed(messageId="m2")).encode()):
        assert post("track", broken, **{"Content-Encoding": "gzip"}).status_code == 400
    assert len(read_rows(ledger)) == 1


def test_a_page_of_any_site_may_post(post: Post, intake) -> None:
    asked = requests.options(f"{intake.url}/v1/track", headers={"Origin": "https://shop.example"}, timeout=30)
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (post("track", viewed()), post("track", viewed(), key="guessed")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_while_the_ledger_is_down_the_sender_is_asked_to_come_again(post: Post, ledger, ledger_down) -> None:
    batch = {"batch": [viewed(type="track", messageId=f"m{number}") for number in range(5)]}
    ledger.close()
    with ledger_down():
        answer = post("batch", batch)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert post("batch", batch).status_code == 200


def test_of_somebody_erased_nothing_is_kept_anew(post: Post, ledger, open_workspace) -> None:
    hasher = Hasher.open(open_workspace(NOW))
    ledger.execute("insert into ledger.erasure (origin, requested_by) values ('command', 'test')")
    for kind, value in (("app", "17"), ("email", "anna@example.com")):
        ledger.execute(
            "insert into ledger.tombstone (kind, subject_hash, address_key_id, surrogate, erasure_id) "
            "select %s, %s, 'test', 'erased-' || gen_random_uuid(), erasure_id from ledger.erasure",
            [kind, hasher.hash(kind, value)],
        )
    post("track", viewed(userId="17", messageId="1"))
    post("identify", {"userId": "18", "messageId": "2", "traits": {"email": "Anna@example.com"}}, key="backend-key")
    post("track", viewed(userId="19", messageId="3"))
    assert [row["user_id"] for row in read_rows(ledger)] == ["app:19"]
