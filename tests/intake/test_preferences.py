"""The preference centre over HTTP: it takes away at once, and for more it asks by mail."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests

from safar.delivery.addresses import hash_address
from safar.intake.topics import read_topics

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMAIL = "berta.quill@example.com"
SAVE = {"confirm": "page"}
MARKETING, SERVICE = "want:email:marketing", "want:email:service"


def read_boxes(text: str) -> dict[str, bool]:
    found = re.findall(r'<input type="checkbox" name="([^"]+)" value="yes"( checked)?>', text)
    return {name: bool(checked) for name, checked in found}


def read_rows(ledger, table: str) -> list[dict[str, Any]]:
    return ledger.execute(f"select * from ledger.{table}").fetchall()


def add_address(ledger, channel: str, address: str, contact_id: str = "c1") -> None:
    ledger.execute(
        "insert into ledger.address (contact_id, channel, address, address_hash, address_key_id, is_valid,"
        " from_sequence) values (%s, %s, %s, %s, 'test', true, 0)",
        [contact_id, channel, address, hash_address("test-address-key", channel, address)],
    )


def test_looking_shows_what_is_granted_and_changes_nothing(preferences, ledger, write_message, permit) -> None:
    permit("marketing")
    permit("service", "revoked")
    url = preferences(write_message())
    before = read_rows(ledger, "permission_event")
    for _ in range(3):
        answer = requests.get(url, timeout=30)
        assert answer.status_code == 200
        assert read_boxes(answer.text) == {MARKETING: True, SERVICE: False}
        assert "Offers and news" in answer.text
        assert "b•••@e•••.com" in answer.text
        assert "quill" not in answer.text
    assert requests.head(url, timeout=30).status_code == 405
    assert read_rows(ledger, "permission_event") == before


def test_unticking_takes_one_topic_away_at_once_and_a_repeat_is_quiet(
    preferences, ledger, write_message, permit, read_state
) -> None:
    permit("marketing")
    permit("service")
    message_id = write_message()
    url = preferences(message_id)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: requests.post(url, data={**SAVE, SERVICE: "yes"}, timeout=30), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("Your choices are saved" in answer.text for answer in answers)
    assert (read_state("marketing"), read_state("service")) == ("revoked", "granted")
    written = [row for row in read_rows(ledger, "permission_event") if row["source"] == "preference_centre"]
    assert [(row["topic"], row["contact_id"], row["occurred_at"]) for row in written] == [("marketing", "c1", NOW)]
    assert written[0]["proof"] == {"message_id": str(message_id), "method": "page"}
    assert read_boxes(answers[0].text) == {MARKETING: False, SERVICE: True}


def test_ticking_grants_nothing_and_sends_a_mail_that_asks(
    preferences, confirm, ledger, write_message, permit, read_state
) -> None:
    permit("marketing")
    url = preferences(write_message())
    answer = requests.post(url, data={**SAVE, MARKETING: "yes", SERVICE: "yes"}, timeout=30)
    assert "Please look into your mailbox" in answer.text
    assert "waiting for your confirmation" in answer.text
    assert read_boxes(answer.text) == {MARKETING: True, SERVICE: False}
    assert (read_state("marketing"), read_state("service")) == ("granted", None)
    (asked,) = ledger.execute("select * from ledger.message where step = 'ask'").fetchall()
    assert (asked["class"], asked["state"], asked["address"], asked["topic"]) == (
        "transactional",
        "planned",
        EMAIL,
        "service",
    )
    assert asked["fields"] == {"topic_label": "Tips for what you bought", "valid_hours": "48"}
    assert asked["expires_at"] == NOW + timedelta(hours=48)
    assert requests.get(confirm(), timeout=30).status_code == 200
    assert read_state("service") is None
    assert requests.post(confirm(), data=SAVE, timeout=30).status_code == 200
    assert (read_state("marketing"), read_state("service")) == ("granted", "granted")


def test_a_withdrawal_after_the_wish_voids_it(preferences, confirm, write_message, permit, read_state) -> None:
    url = preferences(write_message())
    requests.post(url, data={**SAVE, MARKETING: "yes"}, timeout=30)
    permit("marketing")
    requests.post(url, data=SAVE, timeout=30)
    assert read_state() == "revoked"
    answer = requests.post(confirm(), data=SAVE, timeout=30)
    assert (answer.status_code, read_state()) == (410, "revoked")
    assert "does not count any more" in answer.text


def test_who_asks_too_often_is_told_and_what_they_took_away_holds(
    preferences, ledger, write_message, permit, read_state
) -> None:
    url = preferences(write_message())
    for _ in range(3):
        assert "look into your mailbox" in requests.post(url, data={**SAVE, MARKETING: "yes"}, timeout=30).text
    permit("service")
    answer = requests.post(url, data={**SAVE, MARKETING: "yes"}, timeout=30)
    assert "please add the rest tomorrow" in answer.text
    assert read_state("service") == "revoked"
    assert ledger.execute("select count(*) as rows from ledger.message where step = 'ask'").fetchone() == {"rows": 3}


def test_other_channels_can_only_be_given_up(preferences, ledger, write_message, permit, read_state) -> None:
    add_address(ledger, "sms", "+491701234567")
    add_address(ledger, "push", "device-of-somebody-else", "c2")
    permit("service", channel="sms", address="+491701234567")
    url = preferences(write_message())
    assert read_boxes(requests.get(url, timeout=30).text) == {
        MARKETING: False,
        SERVICE: False,
        "want:sms:service": True,
    }
    # What the page does not offer is not taken from a form either.
    greedy = {**SAVE, "want:sms:marketing": "yes", "want:push:marketing": "yes", "want:email:secret": "yes"}
    assert requests.post(url, data=greedy, timeout=30).status_code == 200
    assert read_state("service", "sms", "+491701234567") == "revoked"
    assert read_state("marketing", "sms", "+491701234567") is None
    assert ledger.execute("select count(*) as rows from ledger.message where step = 'ask'").fetchone() == {"rows": 0}


def test_a_post_that_is_not_our_form_changes_nothing(preferences, ledger, write_message, permit) -> None:
    permit("marketing")
    url = preferences(write_message())
    before = read_rows(ledger, "permission_event")
    for body in (b"", b"List-Unsubscribe=One-Click", b"want:email:service=yes", b"\xff", b"confirm=pages"):
        answer = requests.post(url, data=body, timeout=30)
        assert answer.status_code == 400
        assert read_boxes(answer.text) == {MARKETING: True, SERVICE: False}
    assert requests.post(url, data=b"x" * 20_000, timeout=30).status_code == 413
    assert read_rows(ledger, "permission_event") == before


def test_the_language_is_kept_shown_and_written_in(preferences, ledger, write_message) -> None:
    url = preferences(write_message(locale="en"))
    for _ in range(2):
        answer = requests.post(url, data={**SAVE, "language": "fa"}, timeout=30)
    assert '<html lang="fa" dir="rtl">' in answer.text
    assert '<html lang="fa" dir="rtl">' in requests.get(url, timeout=30).text
    rows = read_rows(ledger, "language_choice")
    assert [(row["locale"], row["channel"], row["occurred_at"]) for row in rows] == [("fa", "email", NOW)]
    requests.post(url, data={**SAVE, "language": "xx"}, timeout=30)
    requests.post(url, data={**SAVE, "language": "en"}, timeout=30)
    assert [row["locale"] for row in read_rows(ledger, "language_choice")] == ["fa", "en"]


def test_a_choice_of_language_is_never_changed(preferences, ledger, write_message) -> None:
    requests.post(preferences(write_message()), data={**SAVE, "language": "fa"}, timeout=30)
    for change in ("update ledger.language_choice set locale = 'en'", "truncate ledger.language_choice"):
        with pytest.raises(psycopg.errors.CheckViolation):
            ledger.execute(change)


def test_an_erased_address_is_not_named_and_is_asked_nothing(preferences, ledger, write_message, permit) -> None:
    permit("service")
    answer = requests.get(preferences(write_message(address=None)), timeout=30)
    assert "this address" in answer.text
    assert read_boxes(answer.text) == {SERVICE: True}


def test_a_wrong_old_or_foreign_link_says_so(intake, preferences, confirm, ledger, write_message) -> None:
    old = preferences(write_message(planned_at=NOW - timedelta(days=732)))
    # A link that grants does not pass for one that takes away, nor the other way round.
    message_id = write_message()
    token = preferences(message_id).rsplit("/", 1)[1]
    grants = confirm(message_id).rsplit("/", 1)[1]
    wrong = [f"{intake.url}/preferences/{grants}", f"{intake.url}/confirm/{token}", confirm(message_id)]
    for url in wrong:
        for answer in (requests.get(url, timeout=30), requests.post(url, data=SAVE, timeout=30)):
            assert answer.status_code == 404
    assert requests.post(old, data=SAVE, timeout=30).status_code == 410
    assert read_rows(ledger, "permission_event") == []


def test_every_topic_of_the_seed_is_offered_with_its_labels(workspace, preferences, write_message) -> None:
    topics = read_topics(workspace.settings)
    assert {topic.name for topic in topics} == {"marketing", "service"}
    text = html.unescape(requests.get(preferences(write_message(locale="fa")), timeout=30).text)
    assert all(topic.labels["fa"] in text for topic in topics)
