"""A night in which somebody has died and two ask to be forgotten, from where it is said to a claim that refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from tests.erasure.conftest import Played, start_company

from safar.delivery.addresses import hash_address
from safar.night.timetable import Moment, draw_day
from safar.services.company import START
from safar.workspace import ADDRESS_KEY

PEOPLE = 600
pytestmark = pytest.mark.timeout(900)

# Whoever has a mail that waits for the morning, and one living record in the CRM with the address to which it goes.
WAITING = """
select distinct on (message.address) message.message_id::text, message.contact_id, message.address, contacts.id
from ledger.message as message
join raw_hubspot.contacts as contacts on lower(btrim(contacts.properties__email)) = message.address
where
    message.state = 'planned' and message.due_at <= %s
    and contacts._dlt_valid_to is null
    and not coalesce(contacts._deleted, false)
    and coalesce(contacts.archived, false) is false
    and (
        select count(*) from raw_hubspot.contacts as other
        where lower(btrim(other.properties__email)) = message.address and other._dlt_valid_to is null
    ) = 1
order by message.address
"""


@dataclass
class Waiting:
    """A person and the message that was planned for them in the night."""

    message_id: str
    contact_id: str
    address: str
    hubspot_id: str


@dataclass
class Morning:
    """The company after the first morning's dispatch."""

    played: Played
    dead: Waiting
    by_address: Waiting
    by_id: Waiting
    others: list[Waiting]

    def read_end(self, waiting: Waiting) -> tuple[Any, ...]:
        """How the message ended, told by its id: an erased person has no other name."""
        statement = "select state, reason from ledger.message where message_id = %s"
        return tuple(self.played.query(statement, waiting.message_id)[0])

    def list_arrived(self) -> tuple[set[str], set[str]]:
        """By the provider's truth: the ids of messages that it took, and the addresses they went to."""
        answer = requests.get(f"{self.played.stack.company.base_url}/truth/sendgrid/mails", timeout=60)
        mails = answer.json()["mails"]
        return {mail["message_id"] for mail in mails}, {mail["email"].lower() for mail in mails}

    def hash(self, waiting: Waiting) -> str:
        return hash_address(self.played.workspace.connections.get(ADDRESS_KEY).secret, "email", waiting.address)


def erase(played: Played, *arguments: str, typed: str = "") -> str:
    """`safar erase` as a person types it."""
    command = [sys.executable, "-m", "safar", "erase", *arguments]
    done = subprocess.run(command, env=played.stack.environment, input=typed, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def mark_deceased(played: Played, waiting: Waiting) -> None:
    """As somebody of the company does it in the CRM."""
    hubspot = played.workspace.connections.get("hubspot")
    answer = requests.patch(
        f"{hubspot.base_url}/crm/v3/objects/contacts/{waiting.hubspot_id}",
        json={"properties": {"deceased": "true"}},
        headers={"Authorization": f"Bearer {hubspot.secret}"},
        timeout=60,
    )
    answer.raise_for_status()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with start_company(tmp_path_factory.mktemp("company"), PEOPLE) as company:
        yield company


@pytest.fixture(scope="module")
def morning(played: Played) -> Morning:
    night, dispatch = draw_morning(played, 0)
    play(played, night)
    waiting = [Waiting(*row) for row in played.query(WAITING, dispatch.at)]
    assert len(waiting) > 3, "the night has planned too few mails"
    dead, by_address, by_id, *others = waiting
    mark_deceased(played, dead)
    told = erase(played, "--address-from-stdin", typed=f" {by_address.address.upper()}\n")
    told += erase(played, "--contact", by_id.contact_id)
    assert by_address.address not in told
    # The CRM's next load and the build after it come before the morning's dispatch.
    intraday = (("extract_hubspot",), ("build_intraday",))
    play(played, Moment(night.at + timedelta(minutes=30), "what the CRM has learned", intraday))
    play(played, dispatch)
    return Morning(played, dead, by_address, by_id, others)


def draw_morning(played: Played, number: int) -> tuple[Moment, Moment]:
    """The night's build of a day, and a dispatch when it is morning in all of Europe."""
    night, dispatch = draw_day(played.catalogue, (START + timedelta(days=number)).date())[:2]
    return night, replace(dispatch, at=dispatch.at + timedelta(hours=3))


def play(played: Played, moment: Moment) -> None:
    played.stack.company.move_clock(moment.at)
    played.player.play_moment(moment)
    assert not [line for line in played.lines if "FAILED" in line], played.lines


def test_the_crm_s_word_that_somebody_has_died_reaches_the_claim(morning: Morning) -> None:
    assert morning.read_end(morning.dead) == ("cancelled", "suppressed")
    origins = "select origin, reason from ledger.suppression_in_force where address_hash = %s"
    assert ("hubspot", "deceased") in morning.played.query(origins, morning.hash(morning.dead))
    # The run that knew it has not tried to write to them.
    outcomes = "select outcome from decisions.fct_decisions where contact_id = %s and run_id like 'build_intraday/%%'"
    assert {row[0] for row in morning.played.query(outcomes, morning.dead.contact_id)} <= {"suppressed"}


@pytest.mark.parametrize("who", ["by_address", "by_id"])
def test_an_erasure_takes_back_what_was_planned_before(morning: Morning, who: str) -> None:
    erased = getattr(morning, who)
    assert morning.read_end(erased) == ("cancelled", "erased")
    origins = "select origin, reason from ledger.suppression_in_force where address_hash = %s"
    assert ("erasure", "erased") in morning.played.query(origins, morning.hash(erased))


def test_none_of_them_got_a_mail_and_somebody_else_did(morning: Morning) -> None:
    messages, addresses = morning.list_arrived()
    for nobody in (morning.dead, morning.by_address, morning.by_id):
        assert nobody.message_id not in messages
        assert nobody.address not in addresses
    assert {one.message_id for one in morning.others} & messages


@pytest.fixture(scope="module")
def returned(morning: Morning) -> Morning:
    """The next morning: everything was asked for anew, and an erased person has typed their address into a form."""
    played = morning.played
    for schema in ("raw_hubspot", "raw_shopify"):
        played.query(f"delete from {schema}._dlt_pipeline_state")
    night, dispatch = draw_morning(played, 1)
    play(played, night)
    form = {"topic": "marketing", "channel": "email", "form": "footer", "text_version": "footer/1"}
    intake = f"http://127.0.0.1:{played.stack.ports['intake']}/subscribe"
    for somebody in (morning.by_address.address, "new.here@example.com"):
        answer = requests.post(intake, data={**form, "email": somebody}, timeout=60)
        assert answer.status_code == 200, answer.text
    play(played, dispatch)
    return morning


def test_who_comes_back_with_a_load_is_kept_out(returned: Morning) -> None:
    assert any("(erased)" in line for line in returned.played.lines), "no vendor has told of them again"
    words = [returned.by_address.address, returned.by_id.address]
    raw = [
        place for place in returned.played.list_mentions(words) if place.startswith(("raw_", "nightly_", "decisions."))
    ]
    assert raw == []


def test_a_message_that_an_erased_person_asks_for_afterwards_is_refused_by_the_claim(returned: Morning) -> None:
    asked = "select state, reason from ledger.message where campaign = 'permission_confirmation' and address_hash = %s"
    assert returned.played.query(asked, returned.hash(returned.by_address)) == [("cancelled", "suppressed")]
    _, addresses = returned.list_arrived()
    assert returned.by_address.address not in addresses
    assert "new.here@example.com" in addresses
