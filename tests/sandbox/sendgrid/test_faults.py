"""Faults by name: what each does to the one who sends, and to the one who listens."""

from __future__ import annotations

import http.client
import urllib.error

import orjson
import pytest
import requests
from python_http_client.exceptions import (
    BadRequestsError,
    InternalServerError,
    PayloadTooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
)
from sendgrid.helpers.eventwebhook import EventWebhook

from sandbox.sendgrid.faults import BAD_REQUEST_FOR_ONE

ADDRESSES = [f"reader{number}@example.com" for number in range(16)]


def count_accepted(world):
    return world.truth("counts")["accepted"]


def test_timeout_after_accept_takes_the_mails_and_stays_silent(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on("timeout_after_accept")
    client = world.sdk
    client.client.timeout = 1
    with pytest.raises(TimeoutError):
        client.send(body)
    assert count_accepted(world) == 16
    assert world.sdk.send(body).status_code == 202


def test_reset_after_accept_takes_the_mails_and_breaks_the_connection(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on("reset_after_accept")
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected, urllib.error.URLError)):
        world.sdk.send(body)
    assert count_accepted(world) == 16


def test_server_errors_before_and_after_accepting(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on("server_error")
    with pytest.raises(InternalServerError):
        world.sdk.send(body)
    assert count_accepted(world) == 0
    world.switch_on("server_error_after_accept")
    with pytest.raises(InternalServerError):
        world.sdk.send(body)
    assert count_accepted(world) == 16


def test_throttle_with_and_without_retry_after(world):
    body = world.write(ADDRESSES, world.add_template())
    for options, told in (({"retry_after": 3}, "3"), ({}, None)):
        world.switch_on("throttle", **options)
        with pytest.raises(TooManyRequestsError) as refused:
            world.sdk.send(body)
        assert refused.value.headers.get("Retry-After") == told
    world.sdk.send(body)
    assert count_accepted(world) == 16


def test_unauthorized_and_payload_too_large(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on("unauthorized")
    with pytest.raises(UnauthorizedError):
        world.sdk.send(body)
    world.switch_on("payload_too_large")
    with pytest.raises(PayloadTooLargeError):
        world.sdk.send(body)
    assert count_accepted(world) == 0


def test_one_refused_address_is_found_by_halving(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on(*BAD_REQUEST_FOR_ONE, count=None)
    refused, calls, waiting = [], 0, [body["personalizations"]]
    while waiting:
        blocks = waiting.pop()
        calls += 1
        try:
            world.sdk.send({**body, "personalizations": blocks})
        except BadRequestsError:
            if len(blocks) == 1:
                refused.append(blocks[0]["to"][0]["email"])
            else:
                middle = len(blocks) // 2
                waiting += [blocks[:middle], blocks[middle:]]
    assert refused == ["reader8@example.com"]
    assert count_accepted(world) == 15
    assert calls <= 9


def test_the_refused_address_can_be_named(world):
    body = world.write(ADDRESSES, world.add_template())
    world.switch_on("bad_request_for_one", email="Reader3@example.com", count=None)
    with pytest.raises(BadRequestsError) as refused:
        world.sdk.send(body)
    assert orjson.loads(refused.value.body)["errors"][0]["field"] == "personalizations.3.to.0.email"


def test_cut_body_ends_an_answer_early(world):
    world.add_template()
    world.switch_on("cut_body", path="/v3/templates")
    with pytest.raises(requests.exceptions.RequestException):
        world.call("GET", "/sendgrid/v3/templates?generations=dynamic")


def send_to_all(world):
    world.send([person.email for person in world.people[:40]], world.add_template())


def test_repeat_events_posts_twice(world, listener, subscribe):
    subscribe(world, listener.url)
    world.switch_on("repeat_events")
    send_to_all(world)
    world.advance(hours=1)
    assert len(listener.calls) == 2
    assert listener.calls[0].body == listener.calls[1].body


def test_reorder_events(world, listener, subscribe):
    subscribe(world, listener.url)
    world.switch_on("reorder_events")
    send_to_all(world)
    world.advance(hours=1)
    times = [event["timestamp"] for event in listener.events]
    assert times != sorted(times)


def test_delay_events_for_a_day(world, listener, subscribe):
    subscribe(world, listener.url)
    world.switch_on("delay_events")
    send_to_all(world)
    world.advance(hours=24)
    assert "processed" not in {event["event"] for event in listener.events}
    world.advance(hours=2)
    assert "processed" in {event["event"] for event in listener.events}


def test_forged_events_have_a_signature_that_does_not_hold(world, listener, subscribe):
    public_key = subscribe(world, listener.url)
    world.switch_on("forge_events")
    send_to_all(world)
    world.advance(hours=1)
    reader = EventWebhook(public_key)
    held = [
        reader.verify_signature(
            call.body.decode(),
            call.headers["X-Twilio-Email-Event-Webhook-Signature"],
            call.headers["X-Twilio-Email-Event-Webhook-Timestamp"],
        )
        for call in listener.calls
    ]
    assert sorted(held) == [False, True]
    forged = listener.calls[held.index(False)]
    assert {event["event"] for event in forged.events} == {"spamreport"}
    assert world.sdk.client.suppression.spam_reports.get().body == b"[]"
