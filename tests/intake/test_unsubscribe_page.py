"""Unsubscribe links over HTTP: looking changes nothing, confirming counts at once, and once."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from tests.intake.conftest import EMAIL

from safar.delivery.addresses import hash_address
from safar.delivery.unsubscribe_tokens import sign_unsubscribe_token

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BUTTON = {"confirm": "page"}


def read_permissions(ledger) -> list[dict[str, Any]]:
    return ledger.execute("select * from ledger.permission_event order by permission_event_id").fetchall()


def test_looking_at_the_page_changes_nothing(ledger, link, write_message) -> None:
    url = link(write_message())
    answers = [requests.get(url, timeout=30) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert requests.head(url, timeout=30).status_code == 405
    assert read_permissions(ledger) == []


def test_one_click_counts_at_once(ledger, link, write_message) -> None:
    message_id = write_message(topic="news")
    url = link(message_id)
    assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200
    (row,) = read_permissions(ledger)
    assert (row["state"], row["channel"], row["topic"], row["contact_id"]) == ("revoked", "email", "news", "c1")
    assert row["occurred_at"] == NOW
    assert row["proof"] == {"message_id": str(message_id), "method": "one_click"}


def test_one_click_as_multipart_counts_too(ledger, link, write_message) -> None:
    url = link(write_message())
    assert requests.post(url, files={"List-Unsubscribe": (None, "One-Click")}, timeout=30).status_code == 200
    assert [row["proof"]["method"] for row in read_permissions(ledger)] == ["one_click"]


def test_the_button_counts_and_a_repeat_is_quiet(ledger, link, write_message) -> None:
    url = link(write_message())
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: requests.post(url, data=BUTTON, timeout=30), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("You are unsubscribed" in answer.text for answer in answers)
    assert [row["proof"]["method"] for row in read_permissions(ledger)] == ["page"]


def test_the_same_link_works_again_after_a_new_consent(ledger, link, write_message) -> None:
    url = link(write_message())
    requests.post(url, data=ONE_CLICK, timeout=30)
    ledger.execute(
        "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)"
        " select channel, topic, address_hash, 'granted', 'form', 'f1', %s from ledger.message",
        [NOW],
    )
    # Business time stands still here: what is revoked at the same moment as it is granted is revoked.
    requests.post(url, data=ONE_CLICK, timeout=30)
    latest = "select state from ledger.permission_event order by occurred_at desc, state = 'revoked' desc limit 1"
    assert ledger.execute(latest).fetchone() == {"state": "revoked"}


@pytest.mark.parametrize("is_merged", [False, True])
def test_the_link_of_an_old_mail_counts_at_the_address_of_today(
    intake, ledger, link, preferences, write_message, permit, read_state, event, is_merged
) -> None:
    today = "berta.new@example.com"
    message_id = write_message()
    if is_merged:
        ledger.execute("insert into ledger.contact_alias (alias_id, contact_id, from_sequence) values ('c1', 'c2', 0)")
    ledger.execute(
        "insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid,"
        " from_sequence) values (%s, 'email', %s, %s, 'test', true, 0)",
        ["c2" if is_merged else "c1", today, hash_address("test-address-key", "email", today)],
    )
    permit(address=today)
    permit("service", address=today)
    permit("service")
    requests.post(link(message_id), data=ONE_CLICK, timeout=30)
    assert (read_state(), read_state(address=today)) == ("revoked", "revoked")
    assert read_state("service", address=today) == "granted"
    requests.post(preferences(message_id), data=BUTTON, timeout=30)
    assert (read_state("service"), read_state("service", address=today)) == ("revoked", "revoked")
    permit("product_news", address=today)
    intake.post([event("unsubscribe", message_id=str(message_id), email=EMAIL)])
    assert read_state("product_news", address=today) == "revoked"


def test_a_yes_from_a_clock_that_is_ahead_is_taken_back(ledger, link, preferences, write_message, read_state) -> None:
    message_id = write_message()
    for topic in ("marketing", "service"):
        ledger.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at)"
            " select channel, %s, address_hash, 'granted', 'form', %s, %s from ledger.message",
            [topic, topic, NOW + timedelta(minutes=5)],
        )
    requests.post(link(message_id), data=ONE_CLICK, timeout=30)
    requests.post(preferences(message_id), data=BUTTON, timeout=30)
    assert (read_state("marketing"), read_state("service")) == ("revoked", "revoked")


def test_a_post_that_confirms_nothing_gets_the_question_again(ledger, link, write_message) -> None:
    url = link(write_message())
    bodies = [b"", b"List-Unsubscribe=no", b"%%%", b"\xff\xff", b"&".join([b"a=b"] * 1000), b"confirm=1"]
    for body in bodies:
        answer = requests.post(url, data=body, timeout=30)
        assert answer.status_code == 400
        assert "<button" in answer.text
    assert requests.post(url, data=b"x" * 20_000, timeout=30).status_code == 413
    broken = {"Content-Type": "multipart/form-data; boundary=\u00ff".encode("latin-1")}
    assert requests.post(url, data=b"--x", headers=broken, timeout=30).status_code == 400
    assert read_permissions(ledger) == []


def test_a_wrong_old_or_foreign_link_says_so(intake, ledger, link, write_message) -> None:
    message_id = write_message()
    old = link(write_message(planned_at=NOW - timedelta(days=732)))
    still_good = link(write_message(planned_at=NOW - timedelta(days=730)))
    wrong = [
        f"{intake.url}/unsubscribe/{sign_unsubscribe_token('another key', message_id)}",
        link(message_id)[:-3],
        f"{intake.url}/unsubscribe/x",
        link(type(message_id)(int=7)),
    ]
    for url in wrong:
        for answer in (requests.get(url, timeout=30), requests.post(url, data=ONE_CLICK, timeout=30)):
            assert answer.status_code == 404
            assert "This link does not work" in answer.text
    assert requests.post(old, data=ONE_CLICK, timeout=30).status_code == 410
    assert "This link has expired" in requests.get(old, timeout=30).text
    assert read_permissions(ledger) == []
    assert requests.post(still_good, data=ONE_CLICK, timeout=30).status_code == 200


def test_the_page_speaks_the_mails_language_else_the_browsers(intake, link, write_message) -> None:
    persian = link(write_message(locale="fa"))
    german = link(write_message(locale="de"))
    foreign = f"{intake.url}/unsubscribe/x"

    def ask(url: str, accepted: str) -> tuple[str, str]:
        answer = requests.get(url, headers={"Accept-Language": accepted}, timeout=30)
        found = re.search(r'<html lang="(\w+)" dir="(\w+)">', answer.text)
        assert found
        assert answer.headers["Content-Language"] == found[1]
        return found[1], found[2]

    assert ask(persian, "en") == ("fa", "rtl")
    assert ask(german, "de, fa;q=0.8, en;q=0.5") == ("fa", "rtl")
    assert ask(german, "de, fa;q=0.3, en;q=0.5") == ("en", "ltr")
    assert ask(german, "de") == ("en", "ltr")
    assert ask(foreign, "fa-IR,fa;q=0.9") == ("fa", "rtl")
    assert ask(foreign, ";;;q=x,,") == ("en", "ltr")


def test_the_page_shows_a_masked_address_and_loads_and_runs_nothing(link, write_message) -> None:
    answer = requests.get(link(write_message()), timeout=30)
    assert '<bdi dir="ltr">b•••@e•••.com</bdi>' in answer.text
    assert "berta" not in answer.text
    assert "quill" not in answer.text
    assert "<script" not in answer.text
    assert not re.search(r"(src|href|action)=", answer.text)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_page_of_an_erased_address_names_none(link, write_message) -> None:
    assert "this address" in requests.get(link(write_message(address=None)), timeout=30).text


def test_the_log_names_no_token_and_no_address(intake, link, write_message, caplog) -> None:
    url = link(write_message())
    with caplog.at_level(logging.DEBUG):
        requests.get(url, timeout=30)
        requests.post(url, data=ONE_CLICK, timeout=30)
        requests.get(f"{intake.url}/unsubscribe/berta@example.com", timeout=30)
        requests.get(f"{intake.url}/berta@example.com", timeout=30)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert any("GET /unsubscribe 200" in line for line in ours)
    written = "\n".join(ours)
    assert url.rsplit("/", 1)[1] not in written
    assert "berta" not in written


def test_while_the_ledger_is_down_the_page_asks_to_come_again(ledger, link, write_message, ledger_down) -> None:
    url = link(write_message())
    ledger.close()
    with ledger_down():
        for answer in (requests.get(url, timeout=30), requests.post(url, data=ONE_CLICK, timeout=30)):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "60"
            assert "try again in a moment" in answer.text
    assert requests.post(url, data=ONE_CLICK, timeout=30).status_code == 200
