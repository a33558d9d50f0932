"""The lists of those who are not written to."""

from __future__ import annotations

import orjson
import pytest
from python_http_client.exceptions import BadRequestsError, NotFoundError


def test_bounces_page_to_the_end_within_their_window(world):
    for number in range(1203):
        world.account.suppressions.add(
            "bounces", f"r{number:04d}@example.com", 1_000_000 + number % 400, "550", "5.1.1"
        )
    seen, offset = [], 0
    while True:
        query = {"start_time": 1_000_000, "end_time": 1_000_399, "limit": 500, "offset": offset}
        page = orjson.loads(world.sdk.client.suppression.bounces.get(query_params=query).body)
        seen += page
        offset += 500
        if len(page) < 500:
            break
    assert len({row["email"] for row in seen}) == 1203
    assert [row["created"] for row in seen] == sorted((row["created"] for row in seen), reverse=True)
    assert set(seen[0]) == {"created", "email", "reason", "status"}
    narrow = {"start_time": 1_000_005, "end_time": 1_000_005}
    assert len(orjson.loads(world.sdk.client.suppression.bounces.get(query_params=narrow).body)) == 3
    with pytest.raises(BadRequestsError):
        world.sdk.client.suppression.bounces.get(query_params={"limit": 501})


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("blocks", {"created", "email", "reason", "status"}),
        ("invalid_emails", {"created", "email", "reason"}),
        ("spam_reports", {"created", "email", "ip"}),
        ("unsubscribes", {"created", "email"}),
    ],
)
def test_each_list_has_the_vendors_columns(world, name, keys):
    world.account.suppressions.add(name, "A@Example.com", 5, "why", "4.0.0")
    rows = orjson.loads(world.sdk.client.suppression._(name).get().body)
    assert [set(row) for row in rows] == [keys]
    assert rows[0]["email"] == "a@example.com"


def test_entries_are_removed(world):
    for name in "abc":
        world.account.suppressions.add("bounces", f"{name}@example.com", 5, "why", "5.0.0")
    bounces = world.sdk.client.suppression.bounces
    assert len(orjson.loads(bounces._("a@example.com").get().body)) == 1
    assert bounces._("a@example.com").delete().status_code == 204
    with pytest.raises(NotFoundError):
        bounces._("a@example.com").delete()
    assert bounces.delete(request_body={"emails": ["b@example.com"]}).status_code == 204
    assert [row["email"] for row in orjson.loads(bounces.get().body)] == ["c@example.com"]


def test_global_unsubscribes(world):
    everywhere = world.sdk.client.asm.suppressions._("global")
    added = everywhere.post(request_body={"recipient_emails": ["a@example.com", "b@example.com"]})
    assert added.status_code == 201
    assert orjson.loads(everywhere._("a@example.com").get().body) == {"recipient_email": "a@example.com"}
    assert len(orjson.loads(world.sdk.client.suppression.unsubscribes.get().body)) == 2
    assert everywhere._("a@example.com").delete().status_code == 204
    assert orjson.loads(everywhere._("a@example.com").get().body) == {}


def test_groups(world):
    groups = world.sdk.client.asm.groups
    group = orjson.loads(groups.post(request_body={"name": "Offers", "description": "Weekly offers"}).body)
    members = groups._(group["id"]).suppressions
    members.post(request_body={"recipient_emails": ["b@example.com", "a@example.com"]})
    assert orjson.loads(members.get().body) == ["a@example.com", "b@example.com"]
    found = members.search.post(request_body={"recipient_emails": ["a@example.com", "z@example.com"]})
    assert orjson.loads(found.body) == ["a@example.com"]
    assert orjson.loads(groups.get().body)[0]["unsubscribes"] == 2
    assert members._("a@example.com").delete().status_code == 204
    with pytest.raises(NotFoundError):
        groups._(99).get()


def test_suppressed_addresses_are_accepted_and_dropped_later(world):
    reader, other = world.people[:2]
    world.account.suppressions.add("bounces", reader.email, 5, "why", "5.1.1")
    answer = world.send([reader.email, other.email, "nobody@nowhere.invalid"], world.add_template())
    assert answer.status_code == 202
    world.advance(hours=1)
    mails = {mail["email"]: mail["events"] for mail in world.truth("mails")["mails"]}
    assert mails[reader.email] == ["dropped"]
    assert mails["nobody@nowhere.invalid"] == ["dropped"]
    assert mails[other.email][0] == "processed"
    invalid = orjson.loads(world.sdk.client.suppression.invalid_emails.get().body)
    assert [row["email"] for row in invalid] == ["nobody@nowhere.invalid"]


def test_a_cancelled_batch_is_never_sent_and_a_paused_one_waits(world):
    template_id = world.add_template()
    later = int(world.company.now.timestamp()) + 1800
    batches = []
    for person in world.people[:3]:
        batch_id = orjson.loads(world.sdk.client.mail.batch.post().body)["batch_id"]
        assert world.sdk.client.mail.batch._(batch_id).get().status_code == 200
        world.send([person.email], template_id, batch_id=batch_id, send_at=later)
        batches.append(batch_id)
    sends = world.sdk.client.user.scheduled_sends
    sends.post(request_body={"batch_id": batches[0], "status": "cancel"})
    sends.post(request_body={"batch_id": batches[1], "status": "pause"})
    with pytest.raises(BadRequestsError):
        sends.post(request_body={"batch_id": batches[1], "status": "pause"})
    world.advance(minutes=20)
    assert [mail["events"] for mail in world.truth("mails")["mails"]] == [[], [], []]
    world.advance(hours=1)
    cancelled, paused, sent = [mail["events"] for mail in world.truth("mails")["mails"]]
    assert (cancelled, paused) == ([], [])
    assert "processed" in sent
    sends._(batches[1]).delete()
    world.advance(hours=1)
    assert "processed" in world.truth("mails")["mails"][1]["events"]
