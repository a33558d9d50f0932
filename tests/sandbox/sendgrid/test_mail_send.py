"""mail/send as the vendor's own SDK meets it."""

from __future__ import annotations

import gzip
import time
from typing import Any

import orjson
import pytest
import requests
from python_http_client.exceptions import BadRequestsError, HTTPError, PayloadTooLargeError, UnauthorizedError
from sendgrid import SendGridAPIClient

from sandbox.sendgrid.personalization_rules import is_valid_address


def make_addresses(count: int) -> list[str]:
    return [f"reader{number}@example.com" for number in range(count)]


def read_errors(error: HTTPError) -> list[dict[str, Any]]:
    return list(orjson.loads(error.body)["errors"])


def test_a_thousand_personalizations_are_accepted_once_each(world):
    template_id = world.add_template()
    body = world.write(make_addresses(1000), template_id)
    answer = world.sdk.send(body)
    assert (answer.status_code, answer.body) == (202, b"")
    truth = world.truth("mails")
    assert (truth["mail_count"], truth["message_count"], truth["duplicated"]) == (1000, 1000, [])
    sent = {block["custom_args"]["message_id"]: block["to"][0]["email"] for block in body["personalizations"]}
    assert {mail["message_id"]: mail["email"] for mail in truth["mails"]} == sent
    assert {x_id for mail in truth["mails"] for x_id in mail["x_message_ids"]} == {answer.headers["X-Message-Id"]}


def test_a_thousand_personalizations_take_little_time(world):
    template_id = world.add_template()
    spent = []
    for _ in range(5):
        raw = orjson.dumps(world.write(make_addresses(1000), template_id))
        began = time.perf_counter()
        answer = world.call("POST", "/sendgrid/v3/mail/send", data=raw, headers={"Content-Type": "application/json"})
        spent.append(time.perf_counter() - began)
        assert answer.status_code == 202
    # About 0.03 s alone on two cores; the bound leaves room for a busy machine.
    assert min(spent) < 0.2


def test_a_message_sent_twice_shows_as_duplicated(world):
    body = world.write(make_addresses(2), world.add_template())
    world.sdk.send(body)
    world.sdk.send({**body, "personalizations": body["personalizations"][:1]})
    truth = world.truth("mails")
    twice = body["personalizations"][0]["custom_args"]["message_id"]
    assert truth["duplicated"] == [twice]
    assert [mail["accepted_count"] for mail in truth["mails"]] == [2, 1]
    assert world.truth("mails", message_id=twice)["mail_count"] == 2


def test_sandbox_mode_is_200_and_keeps_nothing(world):
    answer = world.send(make_addresses(1), world.add_template(), mail_settings={"sandbox_mode": {"enable": True}})
    assert answer.status_code == 200
    assert world.truth("counts")["accepted"] == 0


def test_gzip_is_accepted_and_broken_gzip_refused(world):
    raw = gzip.compress(orjson.dumps(world.write(make_addresses(3), world.add_template())))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert world.call("POST", "/sendgrid/v3/mail/send", data=raw, headers=headers).status_code == 202
    assert world.call("POST", "/sendgrid/v3/mail/send", data=raw[3:], headers=headers).status_code == 400
    assert world.truth("counts")["accepted"] == 3


def set_path(path: str, value: Any):
    """A change of the body: sets (or with None as value removes) what a dotted path leads to."""

    def change(body: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        holder: Any = body
        for parent in parents:
            holder = holder[int(parent)] if parent.isdigit() else holder[parent]
        if value is None:
            del holder[last]
        else:
            holder[int(last) if last.isdigit() else last] = value

    return change


def drop_template(body: dict[str, Any]) -> None:
    del body["template_id"]


WRONG_BODIES = {
    "no sender": (set_path("from", None), "from.email", "from object must be provided"),
    "bad sender": (set_path("from.email", "shop"), "from.email", "valid address"),
    "no personalizations": (set_path("personalizations", []), "personalizations", "at least one personalization"),
    "bad address": (
        set_path("personalizations.7.to.0.email", "not an address"),
        "personalizations.7.to.0.email",
        "Does not contain a valid address.",
    ),
    "no recipient": (set_path("personalizations.2.to", []), "personalizations.2.to", "to array is required"),
    "same address in two blocks": (
        set_path("personalizations.3.to.0.email", "Reader1@example.com"),
        "personalizations.3.to.0.email",
        "only be included once",
    ),
    "same address in one block": (
        set_path("personalizations.3.cc", [{"email": "reader3@example.com"}]),
        "personalizations.3",
        "[reader3@example.com] in the personalizations.3.cc field",
    ),
    "a number in custom_args": (
        set_path("personalizations.1.custom_args.n", 5),
        "personalizations.1.custom_args",
        "must be strings",
    ),
    "large custom_args": (
        set_path("personalizations.1.custom_args.n", "x" * 10_001),
        "personalizations.1.custom_args",
        "10,000 bytes",
    ),
    "a reserved header": (
        set_path("personalizations.1.headers", {"Reply-To": "a@example.com"}),
        "personalizations.1.headers",
        "reserved",
    ),
    "substitutions in a dynamic template": (
        set_path("personalizations.1.substitutions", {"-n-": "x"}),
        "personalizations.1.substitutions",
        "dynamic templating",
    ),
    "template data that is no object": (
        set_path("personalizations.1.dynamic_template_data", "x"),
        "personalizations.1.dynamic_template_data",
        "object",
    ),
    "eleven categories": (set_path("categories", [str(n) for n in range(11)]), "categories", "limit of 10"),
    "a category twice": (set_path("categories", ["a", "a"]), "categories", "unique list"),
    "a category not in ASCII": (set_path("categories", ["ä"]), "categories.0", "non-ASCII"),
    "far future": (set_path("send_at", 4_000_000_000), "send_at", "72 hours"),
    "far future in one block": (
        set_path("personalizations.4.send_at", 4_000_000_000),
        "personalizations.4.send_at",
        "72 hours",
    ),
    "send_at that is no number": (set_path("send_at", "soon"), "send_at", "UNIX timestamp"),
    "unknown template": (set_path("template_id", "d-" + "0" * 32), "template_id", "valid template id"),
    "neither template nor content": (drop_template, "content", "content parameter is required"),
    "no subject": (drop_template, "subject", "subject is required"),
    "unknown group": (set_path("asm", {"group_id": 99}), "asm.group_id", "valid Group ID"),
    "unknown batch": (set_path("batch_id", "nope"), "batch_id", "batch_id"),
    "cc that is no list": (set_path("personalizations.1.cc", "a@example.com"), "personalizations.1.cc", "array"),
    "settings that are no object": (set_path("mail_settings", "on"), "mail_settings", "objects"),
    "short pool name": (set_path("ip_pool_name", "x"), "ip_pool_name", "2 to 64"),
}


@pytest.mark.parametrize("wrong", WRONG_BODIES)
def test_a_wrong_body_is_refused_whole_and_says_where(world, wrong):
    change, field, words = WRONG_BODIES[wrong]
    body = world.write(make_addresses(10), world.add_template())
    change(body)
    with pytest.raises(BadRequestsError) as refused:
        world.sdk.send(body)
    found = [error for error in read_errors(refused.value) if error["field"] == field]
    assert found, read_errors(refused.value)
    assert words in found[0]["message"]
    assert found[0]["help"].startswith("http://sendgrid.com/docs/")
    assert world.truth("counts")["accepted"] == 0


def test_all_errors_are_told_at_once(world):
    body = world.write(make_addresses(10), world.add_template())
    for place in (2, 5):
        body["personalizations"][place]["to"][0]["email"] = "x@"
    with pytest.raises(BadRequestsError) as refused:
        world.sdk.send(body)
    assert [error["field"] for error in read_errors(refused.value)] == [
        "personalizations.2.to.0.email",
        "personalizations.5.to.0.email",
    ]


def test_at_most_a_thousand_personalizations_and_recipients(world):
    template_id = world.add_template()
    with pytest.raises(BadRequestsError) as refused:
        world.send(make_addresses(1001), template_id)
    assert "limited to 1000 personalizations" in read_errors(refused.value)[0]["message"]
    body = world.write(make_addresses(1), template_id)
    body["personalizations"][0]["to"] = [{"email": address} for address in make_addresses(1001)]
    with pytest.raises(BadRequestsError) as refused:
        world.sdk.send(body)
    assert "1000 total recipients" in read_errors(refused.value)[0]["message"]


def test_what_is_no_json_or_too_large_is_refused(world):
    headers = {"Content-Type": "application/json"}
    broken = world.call("POST", "/sendgrid/v3/mail/send", data=b'{"from":', headers=headers)
    assert (broken.status_code, broken.json()["errors"][0]["message"]) == (400, "Bad Request")
    listed = world.call("POST", "/sendgrid/v3/mail/send", data=b"[1]", headers=headers)
    assert listed.status_code == 400
    text = world.call("POST", "/sendgrid/v3/mail/send", data=b"{}", headers={"Content-Type": "text/plain"})
    assert text.status_code == 415
    body = world.write(make_addresses(1), world.add_template())
    body["attachments"] = [{"content": "A" * (31 * 1024 * 1024), "filename": "a.txt"}]
    with pytest.raises(PayloadTooLargeError):
        world.sdk.send(body)


def test_keys_and_methods(world):
    body = world.write(make_addresses(1), world.add_template())
    for key in ("SG.wrong", ""):
        client = SendGridAPIClient(key, host=f"{world.root}/sendgrid")
        with pytest.raises(UnauthorizedError) as refused:
            client.send(body)
        assert read_errors(refused.value)[0]["field"] is None
    bearer = {"Authorization": "Bearer SG.sandbox.readonly"}
    forbidden = requests.post(f"{world.root}/sendgrid/v3/mail/send", json=body, headers=bearer, timeout=5)
    assert (forbidden.status_code, forbidden.json()["errors"][0]["message"]) == (403, "access forbidden")
    assert requests.get(f"{world.root}/sendgrid/v3/templates", headers=bearer, timeout=5).status_code == 200
    assert world.call("GET", "/sendgrid/v3/mail/send").status_code == 405
    assert world.call("GET", "/sendgrid/v3/nothing").status_code == 404


def test_mail_send_tells_no_limit_and_everything_else_does(world):
    template_id = world.add_template()
    assert not [name for name in world.send(make_addresses(1), template_id).headers if "RateLimit" in name]
    read = world.call("GET", f"/sendgrid/v3/templates/{template_id}")
    assert all(name in read.headers for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"))


def test_calls_beyond_the_limit_wait_for_the_reset(world):
    world.account.rate_limit.limit = 3
    # A window could end between two calls; eight calls overrun it in either half.
    answers = [world.call("GET", "/sendgrid/v3/asm/groups") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["X-RateLimit-Reset"]) > time.time() - 1
    assert refused[0].headers["X-RateLimit-Remaining"] == "0"
    world.call("POST", "/limits", json={"enabled": False, "vendor": "sendgrid"})
    assert world.call("GET", "/sendgrid/v3/asm/groups").status_code == 200


@pytest.mark.parametrize("address", ["a@b.co", "a.b+c@x-y.example.org", "o'neil@example.com", "1@2.example"])
def test_addresses(address):
    assert is_valid_address(address)


@pytest.mark.parametrize("address", ["", "a", "a@b", "a b@c.de", "a..b@c.de", ".a@c.de", "a@c..de", "a@-c.de", None, 5])
def test_no_addresses(address):
    assert not is_valid_address(address)


def test_what_was_accepted_survives_a_restart(open_world):
    world = open_world()
    template_id = world.add_template()
    world.send(make_addresses(5), template_id)
    again = open_world()
    assert again.truth("counts")["accepted"] == 5
    assert again.sdk.client.templates._(template_id).get().status_code == 200
