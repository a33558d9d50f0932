"""What may be said afterwards about a message: the permission as it was, and as it was known, at its claim."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.delivery.conftest import KEY, NOON, Company, OpenWorkspace, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.delivery.addresses import hash_address

HOUR = timedelta(hours=1)


def tell(company: Company, columns: str) -> Any:
    return company.connection.execute(f"select {columns} from ledger.message_permission").fetchone()


def send_to_anna(company: Company, open_workspace: OpenWorkspace) -> list[str]:
    company.decide(company.add_run(), ["anna"])
    plan(open_workspace(NOON))
    postbox = Postbox()
    dispatch(open_workspace(NOON), channel=postbox)
    return postbox.sent


def test_a_late_opt_out_shows_what_was_known_and_what_was_true(company: Company, open_workspace: OpenWorkspace) -> None:
    company.add_people(["anna"])
    assert send_to_anna(company, open_workspace) == ["anna@example.com"]
    company.permit("anna", "revoked", NOON - HOUR)
    company.permit("anna", "granted", NOON + HOUR)
    told = tell(company, "state_then, source_then, verdict_then, state_as_known_today, occurred_at_as_known_today")
    assert told == ("granted", "test", "allowed: granted by test", "revoked", NOON - HOUR)
    assert tell(company, "learned_at_as_known_today > claim_known_at, learned_at_then < claim_known_at") == (True, True)


def test_a_late_grant_changes_nothing_of_what_was_known(company: Company, open_workspace: OpenWorkspace) -> None:
    company.add_people(["anna"], state=None)
    assert send_to_anna(company, open_workspace) == []
    assert company.scalar("select count(*) from ledger.message_permission") == 0, "it was never claimed"


@pytest.mark.parametrize(
    ("words", "is_sent"),
    [
        ([("granted", "marketing", 0), ("revoked", "marketing", 0)], False),
        ([("revoked", "marketing", 0), ("granted", "marketing", 0)], False),
        ([("revoked", "all", 0), ("granted", "marketing", 0)], False),
        ([("revoked", "marketing", 0), ("granted", "all", 0)], False),
        ([("revoked", "all", 0), ("granted", "marketing", 1)], True),
        ([("revoked", "marketing", 0), ("granted", "all", 1)], True),
        ([("granted", "marketing", 0), ("revoked", "service", 1)], True),
        ([("granted", "service", 0)], False),
    ],
)
def test_of_words_in_one_second_the_no_counts_and_all_speaks_about_each_topic(
    company: Company, open_workspace: OpenWorkspace, words: list[tuple[str, str, int]], is_sent: bool
) -> None:
    company.add_people(["anna"], state=None)
    for state, topic, seconds in words:
        company.permit("anna", state, NOON - HOUR + timedelta(seconds=seconds), topic=topic)
    assert send_to_anna(company, open_workspace) == (["anna@example.com"] if is_sent else [])
    if is_sent:
        assert tell(company, "state_then, state_as_known_today") == ("granted", "granted")


def test_a_suppression_learned_of_later_is_not_laid_to_the_claim(
    company: Company, open_workspace: OpenWorkspace
) -> None:
    company.add_people(["anna"])
    hashed = hash_address(KEY, "email", "anna@example.com")
    suppress = (
        "insert into ledger.suppression (channel, address_hash, reason, origin, origin_key, occurred_at) "
        "values ('email', %s, 'hard_bounce', 'sendgrid', %s, %s) returning suppression_id"
    )
    lifted = company.scalar(suppress, hashed, "early", NOON - HOUR)
    company.connection.execute(
        "insert into ledger.suppression_lift (suppression_id, reason, lifted_by, occurred_at) values (%s, 'x', 'y', %s)",
        [lifted, NOON - HOUR],
    )
    assert send_to_anna(company, open_workspace) == ["anna@example.com"]
    company.scalar(suppress, hashed, "late", NOON - HOUR)
    assert tell(company, "suppression_reason_then, verdict_then") == (None, "allowed: granted by test")


def test_a_transactional_message_says_that_it_needed_none(company: Company, open_workspace: OpenWorkspace) -> None:
    company.add_people(["anna"], state=None)
    company.decide(company.add_run(), ["anna"], **{"class": "transactional"})
    plan(open_workspace(NOON))
    dispatch(open_workspace(NOON), channel=Postbox())
    told = tell(company, "state_then, verdict_then")
    assert told == ("never_asked", "allowed: transactional messages need no permission")
