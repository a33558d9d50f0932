"""A yes that must be confirmed is none until it is; a confirmation names what it confirms and counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.delivery.conftest import NOON, Company, OpenWorkspace, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.errors import SafarError
from safar.permission import Confirmation, PermissionRequest, confirm_permission, request_confirmation

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def ledger(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def ask(ledger: psycopg.Connection[Any], address_hash: str = "h", **changes: Any) -> str:
    values: dict[str, Any] = {"text_version": "2026-01", "form": "preference_centre", **changes}
    request = PermissionRequest(channel="email", topic="marketing", address_hash=address_hash, **values)
    return request_confirmation(ledger, request, now=NOON - DAY)


def test_a_pending_permission_neither_grants_nor_takes_away(
    company: Company, open_workspace: OpenWorkspace, ledger: psycopg.Connection[Any]
) -> None:
    company.add_people(["anna", "bert"])
    company.add_people(["cleo"], state=None)
    hashes = dict(company.connection.execute("select contact_id, address_hash from ledger.address").fetchall())
    for name in ("anna", "cleo"):
        ask(ledger, hashes[name])
    company.decide(company.add_run(), ["anna", "bert", "cleo"])
    plan(open_workspace(NOON))
    postbox = Postbox()
    dispatch(open_workspace(NOON), channel=postbox)
    assert sorted(postbox.sent) == ["anna@example.com", "bert@example.com"]


def test_a_confirmation_grants_once_and_carries_the_whole_proof(ledger: psycopg.Connection[Any]) -> None:
    request_id = ask(ledger)
    outcomes = [confirm_permission(ledger, request_id, method="email_link", now=NOON) for _ in range(2)]
    assert outcomes == [Confirmation.GRANTED, Confirmation.ALREADY_CONFIRMED]
    rows = ledger.execute(
        "select state, proof, occurred_at from ledger.permission_event order by permission_event_id"
    ).fetchall()
    asked = {"text_version": "2026-01", "form": "preference_centre", "stated_at": "2026-03-01T12:00:00Z"}
    confirmed = {"confirms": request_id, "confirmed_at": "2026-03-02T12:00:00Z", "confirmation_method": "email_link"}
    assert rows == [("pending", asked, NOON - DAY), ("granted", {**asked, **confirmed}, NOON)]


def test_an_unknown_an_old_and_a_withdrawn_request_grant_nothing(ledger: psycopg.Connection[Any]) -> None:
    assert confirm_permission(ledger, "never", method="email_link", now=NOON) == Confirmation.UNKNOWN
    old = ask(ledger, "old")
    answer = confirm_permission(ledger, old, method="email_link", now=NOON, valid_for=DAY - HOUR)
    assert answer == Confirmation.EXPIRED
    left = ask(ledger, "left")
    ledger.execute(
        "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at) "
        "values ('email', 'all', 'left', 'revoked', 'sendgrid', 'x', %s)",
        [NOON - HOUR],
    )
    assert confirm_permission(ledger, left, method="email_link", now=NOON) == Confirmation.WITHDRAWN
    assert ledger.execute("select count(*) from ledger.permission_event where state = 'granted'").fetchone() == (0,)


def test_a_proof_in_prose_is_refused_and_not_repeated(ledger: psycopg.Connection[Any]) -> None:
    with pytest.raises(SafarError, match="field form") as caught:
        ask(ledger, form="anna said so on the phone")
    assert "anna" not in str(caught.value)


PROOF = {
    "text_version": "1",
    "form": "f",
    "stated_at": "2026-03-01T12:00:00Z",
    "confirmed_at": "2026-03-01T13:00:00Z",
    "confirmation_method": "email_link",
}


@pytest.mark.parametrize(
    ("proof", "problem"),
    [
        ({**PROOF, "confirms": "nothing"}, "must name a pending permission"),
        ({"confirms": "REQUEST"}, "permission_event_proof_check"),
        ({**PROOF, "confirms": "REQUEST", "stated_at": "yesterday"}, "permission_event_proof_check"),
        ({"text_version": 1}, "permission_event_proof_check"),
        ([1], "permission_event_proof_check"),
    ],
    ids=["confirms nothing", "confirms without proof", "no time", "no text", "no object"],
)
def test_the_database_refuses_a_grant_with_a_wrong_proof(
    ledger: psycopg.Connection[Any], proof: Any, problem: str
) -> None:
    request_id = ask(ledger)
    if isinstance(proof, dict) and proof.get("confirms") == "REQUEST":
        proof = {**proof, "confirms": request_id}
    with pytest.raises(psycopg.errors.CheckViolation, match=problem):
        ledger.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, proof, "
            "occurred_at) values ('email', 'marketing', 'h', 'granted', 'double_opt_in', 'k', %s, %s)",
            [Jsonb(proof), NOON],
        )


def test_a_confirmation_of_somebody_elses_request_is_refused(ledger: psycopg.Connection[Any]) -> None:
    request_id = ask(ledger, "mine")
    with pytest.raises(psycopg.errors.CheckViolation, match="must name a pending permission"):
        ledger.execute(
            "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, proof, "
            "occurred_at) values ('email', 'marketing', 'yours', 'granted', 'double_opt_in', 'k', %s, %s)",
            [Jsonb({**PROOF, "confirms": request_id}), NOON],
        )
