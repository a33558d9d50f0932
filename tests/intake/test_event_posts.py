"""Posts of events over HTTP: what is kept, what follows from it, and what makes the provider come again."""

from __future__ import annotations

import json
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from safar.delivery.addresses import hash_address
from safar.intake import create_app

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BERTA = hash_address("test-address-key", "email", "berta.quill@example.com")


def read_events(ledger) -> list[dict[str, Any]]:
    return ledger.execute("select * from ledger.provider_event order by event_id").fetchall()


def test_there_are_these_routes_and_no_more(workspace) -> None:
    routes = {(route.path, method) for route in create_app(workspace).routes for method in route.methods}
    assert routes == {
        ("/webhooks/sendgrid", "POST"),
        ("/unsubscribe/{token}", "GET"),
        ("/unsubscribe/{token}", "POST"),
        ("/preferences/{token}", "GET"),
        ("/preferences/{token}", "POST"),
        ("/confirm/{token}", "GET"),
        ("/confirm/{token}", "POST"),
        ("/subscribe", "POST"),
        *((f"/v1/{route}", "POST") for route in ("track", "identify", "page", "screen", "batch")),
        ("/v1/{route}", "OPTIONS"),
    }


def test_an_event_is_kept_with_its_message(intake, ledger, event, write_message) -> None:
    message_id = write_message()
    click = event("click", message_id=message_id, url="https://shop.example/cart?token=secret", at=NOW)
    assert intake.post([click]).status_code == 200
    (kept,) = read_events(ledger)
    assert kept["message_id"] == message_id
    assert (kept["event_type"], kept["provider_message_id"]) == ("click", "14c5d75ce93")
    assert (kept["occurred_at"], kept["is_late"]) == (NOW, False)
    assert (kept["address_hash"], kept["url_domain"]) == (BERTA, "shop.example")


def test_nothing_personal_is_kept(intake, ledger, event, write_message) -> None:
    message_id = write_message(address=None)
    reason = "550 5.1.1 <berta.quill@example.com>: Berta Quill has left 203.0.113.77"
    kinds = ["delivered", "open", "click", "bounce", "dropped", "deferred", "spamreport", "unsubscribe", "a_new_kind"]
    events = [
        event(kind, message_id=message_id, reason=reason, url="https://x.example/?e=berta.quill@example.com")
        for kind in kinds
    ]
    events.append({**event("open"), "timestamp": "yesterday, says berta.quill@example.com"})
    assert intake.post(events).status_code == 200
    kept = ""
    for table in ("provider_event", "suppression", "permission_event"):
        rows = ledger.execute(f"select * from ledger.{table}").fetchall()
        assert rows
        kept += json.dumps(rows, default=str).lower()
    for word in ("quill", "berta", "203.0.113", "mozilla", "example.com"):
        assert word not in kept
    assert "550 5.1.1" in kept


def test_repeated_and_reordered_events_are_kept_once(intake, ledger, event, write_message) -> None:
    events = [event("delivered", message_id=write_message()) for _ in range(20)]
    events += [event("open") for _ in range(380)]
    draw = random.Random(7)
    posts: list[list[Any]] = []
    sent = events + draw.sample(events, 80)
    draw.shuffle(sent)
    while sent:
        posts.append([sent.pop() for _ in range(min(len(sent), draw.randint(1, 40)))])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(intake.post, posts))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(int(answer.text.split()[0]) for answer in answers) == 400
    assert {row["event_id"] for row in read_events(ledger)} == {made["sg_event_id"] for made in events}


def test_a_forged_cut_or_unsigned_post_is_refused_and_leaves_nothing(intake, ledger, event) -> None:
    body = json.dumps([event()]).encode() + b"\r\n"
    signed = intake.provider.sign(body)
    assert intake.post_raw(body, {}).status_code == 403
    assert intake.post_raw(body[:-20], signed).status_code == 403
    assert intake.post_raw(body.strip(), signed).status_code == 403
    assert intake.post_raw(body.replace(b"delivered", b"processed"), signed).status_code == 403
    assert read_events(ledger) == []


def test_a_replayed_post_changes_nothing(intake, ledger, event, write_message) -> None:
    body = json.dumps([event("bounce", type="bounce", message_id=write_message())]).encode() + b"\r\n"
    headers = intake.provider.sign(body)
    assert [intake.post_raw(body, headers).text for _ in range(3)] == ["1 new of 1\n", "0 new of 1\n", "0 new of 1\n"]
    assert ledger.execute("select count(*) as rows from ledger.suppression").fetchone() == {"rows": 1}


def test_a_post_signed_days_ago_is_kept_whole_and_only_once(intake, ledger, event) -> None:
    made = [event(at=NOW - timedelta(hours=60)) for _ in range(3)]
    body = json.dumps(made).encode() + b"\r\n"
    headers = intake.provider.sign(body, NOW - timedelta(hours=59))
    assert [intake.post_raw(body, headers).text for _ in range(2)] == ["3 new of 3\n", "0 new of 3\n"]
    assert intake.post(made).text == "0 new of 3\n"
    # Late is what took long from its happening to its signature, not what we were slow to take in.
    assert [row["is_late"] for row in read_events(ledger)] == [False] * 3


def test_an_address_that_must_not_be_written_to_is_suppressed(intake, ledger, event) -> None:
    reasons = {
        ("bounce", "bounce", None): "hard_bounce",
        ("bounce", None, None): "hard_bounce",
        ("bounce", "blocked", None): None,
        ("spamreport", None, None): "complaint",
        ("dropped", None, "Bounced Address"): "hard_bounce",
        ("dropped", None, "Spam Reporting Address"): "complaint",
        ("dropped", None, "Invalid"): "invalid_address",
        ("dropped", None, "Spam Content"): None,
        ("dropped", None, "berta.quill@example.com is unknown"): None,
        ("deferred", None, None): None,
        ("delivered", None, None): None,
    }
    made = {key: event(key[0], type=key[1], reason=key[2]) for key in reasons}
    intake.post(list(made.values()))
    rows = ledger.execute("select * from ledger.suppression").fetchall()
    assert {row["origin_key"]: row["reason"] for row in rows} == {
        made[key]["sg_event_id"]: reason for key, reason in reasons.items() if reason
    }
    assert {(row["channel"], row["address_hash"], row["origin"], row["occurred_at"]) for row in rows} == {
        ("email", BERTA, "sendgrid", NOW)
    }


def test_who_unsubscribes_at_the_provider_is_written_to_no_more(intake, ledger, event, write_message) -> None:
    message_id = write_message(topic="news")
    topics = {
        ("unsubscribe", None): "all",
        ("group_unsubscribe", None): "news",
        ("dropped", "Unsubscribed Address"): "all",
        ("group_resubscribe", None): None,
    }
    made = {key: event(key[0], reason=key[1], message_id=message_id) for key in topics}
    stranger = event("group_unsubscribe")
    intake.post([*made.values(), stranger])
    rows = {row["source_key"]: row for row in ledger.execute("select * from ledger.permission_event")}
    wanted = {made[key]["sg_event_id"]: topic for key, topic in topics.items() if topic}
    assert {key: row["topic"] for key, row in rows.items()} == {**wanted, stranger["sg_event_id"]: "all"}
    assert {(row["state"], row["source"], row["address_hash"]) for row in rows.values()} == {
        ("revoked", "sendgrid", BERTA)
    }
    known = rows[made["unsubscribe", None]["sg_event_id"]]
    assert known["contact_id"] == "c1"
    assert known["proof"] == {"event": "unsubscribe", "message_id": str(message_id)}


def test_an_event_settles_a_message_in_doubt(intake, ledger, event, write_message) -> None:
    doubtful = [write_message("unknown"), write_message("presumed_lost")]
    later = [event("open", message_id=message_id, at=NOW) for message_id in doubtful]
    first = [event("processed", message_id=message_id, at=NOW - timedelta(minutes=5)) for message_id in doubtful]
    intake.post(later + first)
    settled = {"state": "accepted", "accepted_at": NOW - timedelta(minutes=5), "provider_message_id": "14c5d75ce93"}
    rows = ledger.execute("select state, accepted_at, provider_message_id from ledger.message").fetchall()
    assert rows == [settled, settled]


def test_an_event_leaves_other_states_alone(intake, ledger, event, write_message) -> None:
    states = ["planned", "claimed", "attempting", "failed", "cancelled", "expired", "accepted"]
    messages = {write_message(state): state for state in states}
    assert intake.post([event(message_id=message_id) for message_id in messages]).status_code == 200
    rows = ledger.execute("select message_id, state from ledger.message").fetchall()
    assert {row["message_id"]: row["state"] for row in rows} == messages


def test_many_posts_at_once_settle_many_messages_without_deadlock(intake, ledger, event, write_message) -> None:
    messages = [write_message("unknown") for _ in range(30)]
    draw = random.Random(3)
    posts = [
        [event(kind, message_id=message_id) for message_id in draw.sample(messages, 30)]
        for kind in ("processed", "delivered", "open", "click") * 3
    ]
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(intake.post, posts)} == {200}
    states = ledger.execute("select state, count(*) from ledger.message group by state").fetchall()
    assert states == [{"state": "accepted", "count": 30}]


def test_no_age_is_refused_and_what_is_old_is_marked(intake, ledger, event) -> None:
    ages = [timedelta(0), timedelta(hours=47), timedelta(hours=49), timedelta(days=400)]
    assert intake.post([event(at=NOW - age) for age in ages]).status_code == 200
    assert [row["is_late"] for row in read_events(ledger)] == [False, False, True, True]


def test_an_event_of_an_unknown_message_is_kept(intake, ledger, event) -> None:
    stranger = uuid.uuid4()
    intake.post([event(message_id=stranger), event(message_id="not an id"), event()])
    rows = read_events(ledger)
    assert [row["message_id"] for row in rows] == [None, None, None]
    assert [row["payload"].get("message_id") for row in rows] == [str(stranger), None, None]


def test_a_click_on_one_of_our_own_links_is_no_interest(intake, ledger, event) -> None:
    links = [f"http://127.0.0.1:1/{page}/token" for page in ("unsubscribe", "preferences", "confirm")]
    intake.post([event("click", url=url) for url in [*links, "http://127.0.0.1:10/cart", "https://shop.example/"]])
    assert [row["payload"].get("link") for row in read_events(ledger)] == ["unsubscribe"] * 3 + [None] * 2


def test_an_event_type_of_tomorrow_is_kept(intake, ledger, event) -> None:
    intake.post([event("machine_dreamt")])
    assert [row["event_type"] for row in read_events(ledger)] == ["machine_dreamt"]


BROKEN = [
    "text",
    None,
    17,
    [],
    {},
    {"event": "open", "sg_event_id": "a"},
    {"event": "open", "sg_event_id": "a", "timestamp": "soon"},
    {"event": "open", "sg_event_id": "a", "timestamp": True},
    {"event": "open", "sg_event_id": "a", "timestamp": 1e300},
    {"event": "open", "sg_event_id": "a" * 300, "timestamp": 1772445600},
    {"event": "open", "sg_event_id": "a\x00b", "timestamp": 1772445600},
    {"event": "Robert'); drop", "sg_event_id": "a", "timestamp": 1772445600},
    {"event": ["open"], "sg_event_id": "a", "timestamp": 1772445600},
]


def test_what_cannot_be_read_is_kept_aside_and_the_rest_as_usual(intake, ledger, event) -> None:
    assert intake.post([event(), *BROKEN, *BROKEN, event()]).text == f"{2 + len(BROKEN)} new of {2 + 2 * len(BROKEN)}\n"
    rows = read_events(ledger)
    assert sum(row["event_type"] == "delivered" for row in rows) == 2
    aside = [row for row in rows if row["event_type"] == "unreadable"]
    assert len(aside) == len(BROKEN)
    assert all(set(row["payload"]) == {"problem", "sha256", "bytes"} for row in aside)


def test_odd_values_in_a_readable_event_do_no_harm(intake, ledger, event, write_message) -> None:
    odd = {
        "email": ["x"],
        "url": "http://[broken",
        "reason": {"a": 1},
        "sg_message_id": "\x00",
        "status": "\x00",
        "attempt": 10**30,
        "category": {"deep": [1] * 50},
        "type": None,
    }
    assert intake.post([event("bounce", message_id=write_message(), **odd)]).status_code == 200
    (row,) = read_events(ledger)
    assert row["event_type"] == "bounce"
    assert row["payload"] == {}


def test_a_signed_body_that_is_no_array_is_remembered_and_refused(intake, ledger) -> None:
    for body in (b"{}", b"no json", b"\xff\xfe", b""):
        assert intake.post_raw(body, intake.provider.sign(body)).status_code == 400
    assert {row["event_type"] for row in read_events(ledger)} == {"unreadable"}


def test_an_empty_array_is_fine(intake, ledger) -> None:
    assert intake.post([]).status_code == 200
    assert read_events(ledger) == []


def test_while_the_ledger_is_down_the_provider_is_asked_to_come_again(intake, ledger, event, ledger_down) -> None:
    ledger.close()
    waiting = [event() for _ in range(5)]
    assert intake.post([event()]).status_code == 200
    with ledger_down():
        answer = intake.post(waiting)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert intake.post(waiting).text == "5 new of 5\n"


def test_a_reset_connection_is_replaced_without_the_provider_noticing(intake, event, database) -> None:
    import psycopg

    assert intake.post([event()]).status_code == 200
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'safar-intake'"
        )
    assert intake.post([event()]).status_code == 200
