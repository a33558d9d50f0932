"""Each fault, as a client meets it; and that it ends when it should."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from sandbox.faults import KINDS

CONTACTS = "/hubspot/crm/v3/objects/contacts"
TOKEN = {"Authorization": "Bearer pat-sandbox"}


def fetch(sandbox: Any, timeout: float = 20) -> requests.Response:
    return requests.get(sandbox.root + CONTACTS, headers=TOKEN, timeout=timeout)


@pytest.mark.parametrize(
    ("name", "options", "status", "words"),
    [
        ("server_error", {}, 500, "INTERNAL_ERROR"),
        ("garbage", {}, 200, "<!DOCTYPE html>"),
        ("unauthorized", {}, 401, "INVALID_AUTHENTICATION"),
        ("throttle", {}, 429, "TEN_SECONDLY_ROLLING"),
        ("quota_used_up", {}, 429, "DAILY"),
    ],
)
def test_an_answer_is_replaced_once_and_then_right_again(
    sandbox: Any, name: str, options: dict[str, Any], status: int, words: str
) -> None:
    sandbox.break_with(name, vendor="hubspot", **options)
    answer = fetch(sandbox)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert fetch(sandbox).json()["results"]


def test_a_throttle_says_when_only_if_told_to(sandbox: Any) -> None:
    sandbox.break_with("throttle", vendor="hubspot")
    assert "Retry-After" not in fetch(sandbox).headers
    sandbox.break_with("throttle", vendor="hubspot", retry_after=3)
    assert fetch(sandbox).headers["Retry-After"] == "3"


def test_a_cut_body_is_shorter_than_announced(sandbox: Any) -> None:
    sandbox.break_with("cut_body", vendor="hubspot")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        fetch(sandbox)
    assert fetch(sandbox).json()["results"]


def test_a_timeout_answers_nothing(sandbox: Any) -> None:
    sandbox.break_with("timeout", vendor="hubspot")
    with pytest.raises(requests.exceptions.ReadTimeout):
        fetch(sandbox, timeout=0.3)
    assert fetch(sandbox).ok


def test_a_lost_answer_was_carried_out_all_the_same(sandbox: Any) -> None:
    url = f"{sandbox.root}/hubspot/communication-preferences/v4/statuses/lost@example.com"
    sandbox.break_with("lost_answer", vendor="hubspot", path="statuses")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{url}/unsubscribe-all?channel=EMAIL", headers=TOKEN, timeout=0.5)
    rows = requests.get(f"{url}?channel=EMAIL", headers=TOKEN, timeout=10).json()["results"]
    assert {row["status"] for row in rows} == {"UNSUBSCRIBED"}


def test_a_slow_answer_comes_late(sandbox: Any) -> None:
    sandbox.break_with("slow", vendor="hubspot", seconds=0.4)
    began = time.monotonic()
    assert fetch(sandbox).ok
    assert time.monotonic() - began >= 0.4


def test_one_record_of_a_page_is_spoiled(sandbox: Any) -> None:
    sandbox.break_with("missing_key", record=2)
    sandbox.break_with("unparsable_date")
    sandbox.break_with("bad_email", record=1)
    rows = fetch(sandbox).json()["results"]
    assert [("id" in row) for row in rows[:4]] == [True, True, False, True]
    assert rows[0]["updatedAt"] == "2026-02-30T99:99:99Z"
    assert rows[1]["properties"]["email"] == "not an address"
    assert "not an address" not in fetch(sandbox).text


def test_a_fault_can_skip_calls_choose_paths_and_stay(sandbox: Any) -> None:
    sandbox.break_with("server_error", vendor="hubspot", path="/search$", count=None, skip=1)
    search = f"{sandbox.root}{CONTACTS}/search"
    assert [requests.post(search, json={}, headers=TOKEN).status_code for _ in range(4)] == [200, 500, 500, 500]
    assert fetch(sandbox).ok
    active = sandbox.get("/faults")["active"]
    assert [one["name"] for one in active] == ["server_error"]
    assert requests.delete(f"{sandbox.root}/faults", params={"name": "server_error"}).json() == {"switched_off": 1}
    assert requests.post(search, json={}, headers=TOKEN).ok


@pytest.mark.parametrize(
    "description",
    [{"name": "earthquake"}, {"name": "slow", "count": 0}, {"name": "slow", "path": "("}, {}],
    ids=["unknown", "count", "path", "no name"],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Any, description: dict[str, Any]) -> None:
    answer = requests.post(f"{sandbox.root}/faults", json=description)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_every_fault_says_what_it_copies(sandbox: Any) -> None:
    known = sandbox.get("/faults")["known"]
    assert KINDS.keys() <= known.keys()
    assert all(len(text) > 40 for text in known.values())
