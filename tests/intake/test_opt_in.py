"""Asking for mail by a form: it tells nothing, is capped, and only a confirmation from the mailbox grants."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests

from safar.delivery.addresses import hash_address
from safar.feedback.identities import check_identities

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EMAIL = "berta.quill@example.com"
BUTTON = {"confirm": "page"}
FORM = {"email": EMAIL, "topic": "marketing", "form": "footer", "text_version": "footer/3", "channel": "email"}


def ask(intake, network: int = 1, **fields: str) -> requests.Response:
    headers = {"X-Forwarded-For": f"203.0.{network}.7"}
    return requests.post(f"{intake.url}/subscribe", data={**FORM, **fields}, headers=headers, timeout=30)


def read_asked(ledger) -> list[dict[str, Any]]:
    return ledger.execute("select * from ledger.message where step = 'ask' order by message_id").fetchall()


def test_a_form_grants_nothing_until_the_mailbox_confirms(intake, confirm, ledger, read_state) -> None:
    assert ask(intake, email="  Berta.Quill@Example.COM ").status_code == 200
    (asked,) = read_asked(ledger)
    assert (asked["address"], asked["class"], asked["template"], asked["campaign"]) == (
        EMAIL,
        "transactional",
        "permission_confirmation",
        "permission_confirmation",
    )
    assert read_state() is None
    answers = [requests.post(confirm(), data=BUTTON, timeout=30) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert read_state() == "granted"
    granted = ledger.execute("select * from ledger.permission_event where state = 'granted'").fetchall()
    assert len(granted) == 1
    proof = granted[0]["proof"]
    assert (proof["form"], proof["text_version"], proof["confirmation_method"]) == ("footer", "footer/3", "email_link")
    assert proof["confirms"] == asked["occurrence_key"]


def test_looking_at_a_confirmation_grants_nothing(intake, confirm, read_state) -> None:
    ask(intake)
    for _ in range(3):
        assert requests.get(confirm(), timeout=30).status_code == 200
    assert requests.head(confirm(), timeout=30).status_code == 405
    one_click = requests.post(confirm(), data={"List-Unsubscribe": "One-Click"}, timeout=30)
    assert (one_click.status_code, read_state()) == (400, None)


def test_ten_clicks_at_once_grant_once(intake, confirm, ledger, read_state) -> None:
    ask(intake)
    url = confirm()
    with ThreadPoolExecutor(8) as pool:
        statuses = {answer.status_code for answer in pool.map(lambda _: requests.post(url, data=BUTTON), range(10))}
    assert statuses == {200}
    rows = ledger.execute("select count(*) as rows from ledger.permission_event where state = 'granted'").fetchone()
    assert (rows, read_state()) == ({"rows": 1}, "granted")


def test_a_used_confirmation_does_not_undo_a_later_withdrawal(intake, confirm, link, ledger, read_state) -> None:
    ask(intake)
    url = confirm()
    requests.post(url, data=BUTTON, timeout=30)
    requests.post(link(read_asked(ledger)[0]["message_id"]), data={"List-Unsubscribe": "One-Click"}, timeout=30)
    assert read_state() == "revoked"
    requests.post(url, data=BUTTON, timeout=30)
    assert read_state() == "revoked"


def test_a_confirmation_expires(connections, open_workspace, serve, confirm, intake, read_state) -> None:
    ask(intake)
    token = confirm().rsplit("/", 1)[1]
    with serve(open_workspace(NOW + timedelta(hours=49))) as later:
        for answer in (
            requests.get(f"{later.url}/confirm/{token}", timeout=30),
            requests.post(f"{later.url}/confirm/{token}", data=BUTTON, timeout=30),
        ):
            assert (answer.status_code, read_state()) == (410, None)
            assert "This link has expired" in answer.text
    with serve(open_workspace(NOW + timedelta(hours=47))) as earlier:
        assert requests.post(f"{earlier.url}/confirm/{token}", data=BUTTON, timeout=30).status_code == 200
    assert read_state() == "granted"


def test_the_answer_is_the_same_whoever_is_asked_about(intake, ledger, permit, write_message) -> None:
    write_message()
    permit("marketing")
    known, unknown = ask(intake), ask(intake, email="nobody.ever@example.com")
    permit("marketing", "revoked", address="gone@example.com")
    gone = ask(intake, email="gone@example.com")
    for _ in range(3):
        capped = ask(intake)
    assert len({answer.text for answer in (known, unknown, gone, capped)}) == 1
    assert {answer.status_code for answer in (known, unknown, gone, capped)} == {200}


def test_an_address_gets_three_mails_a_day_whoever_asks(intake, open_workspace, serve, ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: ask(intake, number), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(read_asked(ledger)) == 3
    with serve(open_workspace(NOW + timedelta(hours=23))) as later:
        ask(later)
    assert len(read_asked(ledger)) == 3
    with serve(open_workspace(NOW + timedelta(hours=25))) as later:
        ask(later)
    assert len(read_asked(ledger)) == 4


def test_a_network_asks_for_twenty_mails_a_day_however_many_addresses(intake, ledger) -> None:
    def ask_neighbour(number: int) -> requests.Response:
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        form = {**FORM, "email": f"person{number}@example.com"}
        return requests.post(f"{intake.url}/subscribe", data=form, headers=headers, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask_neighbour, range(25)))
    assert sorted(answer.status_code for answer in answers) == [200] * 20 + [429] * 5
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 429)
    assert len(read_asked(ledger)) == 20
    assert ask(intake, network=77, email="elsewhere@example.com").status_code == 200


def test_no_network_is_kept_in_clear_nor_longer_than_a_day(intake, open_workspace, serve, ledger) -> None:
    ask(intake)
    (kept,) = ledger.execute("select * from ledger.confirmation_origin").fetchall()
    assert kept["network_hash"] == hash_address("test-address-key", "network", "203.0.1.0/24")
    assert "203" not in json.dumps({**kept, "network_hash": ""}, default=str).replace(str(NOW.year), "")
    with serve(open_workspace(NOW + timedelta(days=1, minutes=1))) as later:
        ask(later, email="somebody.else@example.com")
    assert ledger.execute("select count(*) as rows from ledger.confirmation_origin").fetchone() == {"rows": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "no address"},
        {"email": ""},
        {"topic": "unheard of"},
        {"channel": "sms"},
        {"form": ""},
        {"form": "a form with spaces"},
        {"text_version": "<b>"},
    ],
)
def test_a_form_that_lacks_something_is_refused(intake, ledger, fields) -> None:
    answer = ask(intake, **fields)
    assert answer.status_code == 400
    assert "Something is missing" in answer.text
    assert read_asked(ledger) == []


def test_an_address_in_the_url_is_not_read(intake, ledger) -> None:
    query = f"{intake.url}/subscribe?email={EMAIL}&topic=marketing&form=footer&text_version=1"
    assert requests.post(query, timeout=30).status_code == 400
    assert requests.get(query, timeout=30).status_code == 405
    assert read_asked(ledger) == []


def test_who_did_not_ask_can_say_so_and_voids_the_request(intake, confirm, link, ledger, read_state) -> None:
    ask(intake)
    url = link(read_asked(ledger)[0]["message_id"])
    assert requests.post(url, data={"List-Unsubscribe": "One-Click"}, timeout=30).status_code == 200
    assert requests.post(confirm(), data=BUTTON, timeout=30).status_code == 410
    assert read_state() == "revoked"


def test_a_form_answers_in_its_own_language(intake, ledger) -> None:
    assert '<html lang="fa" dir="rtl">' in ask(intake, language="fa").text
    (asked,) = read_asked(ledger)
    assert (asked["locale"], asked["fields"]["topic_label"]) == ("fa", "پیشنهادها و خبرها")


def test_while_the_ledger_is_down_the_form_asks_to_come_again(intake, ledger, ledger_down) -> None:
    ledger.close()
    with ledger_down():
        answer = ask(intake)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_the_books_balance_although_nobody_decided_the_mail(intake, workspace, ledger) -> None:
    ask(intake)
    assert len(read_asked(ledger)) == 1
    check_identities(workspace)


def test_the_web_process_can_plan_no_other_message(intake, ledger, connections) -> None:
    ask(intake)
    (asked,) = read_asked(ledger)
    web = connections["safar_intake_ledger"]
    dsn = psycopg.conninfo.make_conninfo(
        host=web["host"], port=web["port"], user=web["login"], password=web["password"], dbname=web["schema"]
    )
    plan = "select ledger.plan_confirmation(%s, 'x@example.com', 'k', 'en', '{}', now(), now() + interval '1 day')"
    with psycopg.connect(dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(plan, ["of nobody"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(plan, [asked["occurrence_key"]])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into ledger.action select * from ledger.action")
    assert len(read_asked(ledger)) == 1
