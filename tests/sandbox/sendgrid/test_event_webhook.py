"""The signed event webhook, checked by the vendor's own reader."""

from __future__ import annotations

import orjson
import pytest
from python_http_client.exceptions import BadRequestsError
from sendgrid.helpers.eventwebhook import EventWebhook

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def is_signed_by(public_key, call):
    reader = EventWebhook(public_key)
    return reader.verify_signature(call.body.decode(), call.headers[SIGNATURE], call.headers[TIMESTAMP])


def test_events_are_posted_signed_and_in_order_when_the_clock_moves(world, listener, subscribe):
    public_key = subscribe(world, f"{listener.url}/events")
    addresses = [person.email for person in world.people]
    body = world.write([*addresses, "nobody@example.com"], world.add_template())
    answer = world.sdk.send(body)
    assert listener.calls == []
    world.advance(hours=26)
    assert all(call.path == "/events" and is_signed_by(public_key, call) for call in listener.calls)
    assert all(call.body.endswith(b"]\r\n") for call in listener.calls)
    assert not is_signed_by(public_key, type(listener.calls[0])("", listener.calls[0].headers, b"[]\r\n"))
    events = listener.events
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert len({event["sg_event_id"] for event in events}) == len(events)
    assert {event["sg_message_id"].split(".")[0] for event in events} == {answer.headers["X-Message-Id"]}
    assert all(event["category"] == ["cart_abandonment", "reminder"] for event in events)
    sent = {block["to"][0]["email"]: block["custom_args"]["message_id"] for block in body["personalizations"]}
    assert all(sent[event["email"]] == event["message_id"] for event in events)
    kinds = {event["event"] for event in events}
    assert {"processed", "delivered", "open", "click", "bounce"} <= kinds
    clicks = [event for event in events if event["event"] == "click"]
    assert all(event["url"].startswith("https://shop.example.com/cart/") for event in clicks)
    (bounce,) = [event for event in events if event["email"] == "nobody@example.com" and event["event"] == "bounce"]
    assert (bounce["type"], bounce["status"]) == ("bounce", "5.1.1")
    counts = world.truth("counts")
    assert counts["events"]["waiting"] == 0
    assert counts["posts"] == {"delivered": len(listener.calls), "waiting": 0, "given_up": 0}
    assert len(events) == sum(kind not in ("order", "one_click", "preference_page") for kind in list_kinds(world))


def list_kinds(world):
    return [kind for mail in world.truth("mails")["mails"] for kind in mail["events"]]


def test_one_leap_and_many_steps_post_the_same_events(open_world, listener, subscribe):
    seen = []
    for home, steps in (("leap", [30]), ("steps", [1, 5, 6.5, 17.5])):
        world = open_world(home=home)
        subscribe(world, listener.url)
        world.send([person.email for person in world.people], world.add_template())
        for hours in steps:
            world.advance(hours=hours)
        keys = ("email", "event", "timestamp", "sg_event_id")
        seen.append([tuple(event[key] for key in keys) for event in listener.events])
        listener.calls.clear()
    assert seen[0]
    assert seen[0] == seen[1]


def test_a_failing_listener_is_tried_again_and_gets_everything(world, listener, subscribe):
    public_key = subscribe(world, listener.url)
    listener.statuses = [500, 503]
    world.send([person.email for person in world.people[:20]], world.add_template())
    world.advance(minutes=30)
    assert len({call.body for call in listener.calls}) == 1
    world.advance(hours=4)
    assert listener.calls[0].body == listener.calls[1].body == listener.calls[2].body
    assert is_signed_by(public_key, listener.calls[2])
    assert world.truth("counts")["posts"]["waiting"] == 0


def test_a_dead_listener_is_given_up_after_a_day_of_the_companys_clock(world, listener, subscribe):
    subscribe(world, listener.url)
    listener.statuses = [500] * 1000
    world.send([world.people[0].email], world.add_template())
    world.advance(hours=2)
    first = listener.calls[0].body
    assert world.truth("counts")["posts"]["waiting"] >= 1
    world.advance(hours=30)
    attempts = sum(call.body == first for call in listener.calls)
    assert 8 <= attempts <= 12
    assert world.truth("counts")["posts"]["given_up"] >= 1


def test_no_host_but_this_machine_is_called(world, subscribe):
    subscribe(world, "https://example.com/webhooks")
    world.send([world.people[0].email], world.add_template())
    world.advance(hours=1)
    assert world.truth("counts")["posts"]["delivered"] == 0


def test_settings(world, listener):
    settings = world.sdk.client.user.webhooks.event.settings
    body = {"url": listener.url, "enabled": True, "delivered": True}
    created = orjson.loads(settings.post(request_body=body).body)
    assert (created["delivered"], created["open"], created["public_key"]) == (True, False, "")
    with pytest.raises(BadRequestsError) as refused:
        settings.post(request_body=body)
    assert created["id"] in refused.value.body.decode()
    with pytest.raises(BadRequestsError):
        settings.post(request_body={"url": "nowhere"})
    changed = orjson.loads(settings._(created["id"]).patch(request_body={"open": True}).body)
    assert (changed["delivered"], changed["open"], changed["url"]) == (True, True, listener.url)
    signed = orjson.loads(settings.signed._(created["id"]).patch(request_body={"enabled": True}).body)
    assert signed == orjson.loads(settings.signed._(created["id"]).get().body)
    assert orjson.loads(settings.get().body)["id"] == created["id"]
    assert [hook["id"] for hook in orjson.loads(settings.all.get().body)["webhooks"]] == [created["id"]]
    assert world.sdk.client.user.webhooks.event.test.post(request_body={"url": listener.url}).status_code == 204
    assert is_signed_by(signed["public_key"], listener.calls[0])
    assert settings._(created["id"]).delete().status_code == 204
    assert orjson.loads(settings.all.get().body)["webhooks"] == []


def test_an_unsigned_or_disabled_webhook_and_its_switches(world, listener):
    settings = world.sdk.client.user.webhooks.event.settings
    created = orjson.loads(settings.post(request_body={"url": listener.url, "enabled": True, "delivered": True}).body)
    world.send([person.email for person in world.people[:50]], world.add_template())
    world.advance(minutes=59)
    assert {event["event"] for event in listener.events} == {"delivered"}
    assert SIGNATURE not in listener.calls[0].headers
    settings._(created["id"]).patch(request_body={"enabled": False})
    listener.calls.clear()
    world.send([person.email for person in world.people[50:60]], world.add_template())
    world.advance(hours=1)
    assert listener.calls == []


def test_the_key_stays_over_a_restart(open_world, listener, subscribe):
    public_key = subscribe(open_world(), listener.url)
    again = open_world()
    hook = orjson.loads(again.sdk.client.user.webhooks.event.settings.all.get().body)["webhooks"][0]
    assert hook["public_key"] == public_key


def test_people_leave_by_one_click_only_where_the_mail_offers_it(world, listener):
    """Of the people who leave, some post to the mail's List-Unsubscribe URL, as RFC 8058 has it."""
    template_id = world.add_template()
    for batch in range(6):
        addresses = [person.email for person in world.people]
        body = world.write(addresses, template_id, unsubscribe=f"{listener.url}/unsubscribe/token{batch}")
        body["categories"] = ["reactivation", f"step{batch}"]
        world.sdk.send(body)
    plain = world.write([person.email for person in world.people], template_id)
    plain["categories"] = ["reactivation", "plain"]
    world.sdk.send(plain)
    world.advance(hours=30)
    assert listener.calls
    assert all(call.body == b"List-Unsubscribe=One-Click" for call in listener.calls)
    assert all(call.headers["Content-Type"] == "application/x-www-form-urlencoded" for call in listener.calls)
    assert all(call.path.startswith("/unsubscribe/token") for call in listener.calls)
    counts = world.truth("counts")["campaigns"]["reactivation"]
    assert sum(counts[step].get("one_click", 0) for step in counts) == len(listener.calls)
    assert "one_click" not in counts["plain"]


def test_people_order_and_the_company_knows_why(world):
    template_id = world.add_template()
    body = world.write([person.email for person in world.people], template_id)
    world.sdk.send({**body, "categories": ["welcome", "hello"]})
    world.advance(hours=30)
    counts = world.truth("counts")["campaigns"]["welcome"]["hello"]
    assert counts["expected_extra_orders"] > 0
    ordered = {mail["message_id"] for mail in world.truth("mails")["mails"] if "order" in mail["events"]}
    causes = {cause for cause in world.company.shop.causes.values() if cause.startswith("mail:")}
    assert causes == {f"mail:{message_id}" for message_id in ordered}
