"""One person is erased: killed half way, beside a dispatcher, with a vendor down, and again after a restore."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.erasure.people import (
    ALIAS,
    CONTACT,
    EMAIL,
    HASH,
    NOW,
    PHONE,
    SHARED_PHONE,
    WORDS,
    Company,
    Vendors,
)

from safar.delivery.addresses import hash_address
from safar.erasure import (
    erase_address,
    erase_contact,
    list_open,
    places,
    reapply_erasures,
    resume_erasures,
)
from safar.erasure.places import NotYet
from safar.errors import SafarError
from safar.feedback.housekeeping import ErasureOverdue, keep_house
from safar.ledger.tombstones import Hasher, read_tombstones
from safar.workspace import Workspace


def erase(workspace: Workspace, company: Company) -> Any:
    return erase_contact(workspace, company.catalogue, CONTACT)


def test_every_version_is_emptied_and_amounts_stay_under_a_surrogate(workspace: Workspace, company: Company) -> None:
    company.add_message("accepted")
    assert not erase(workspace, company).waiting
    assert company.list_mentions(WORDS) == []
    assert company.execute("select sum(total_price_set__shop_money__amount::numeric) from raw_shopify.orders") == [
        (25,)
    ]
    assert company.execute("select sum(total) from nightly_marts.dim_contacts") == [(25,)]
    contacts = company.execute("select distinct contact_id from ledger.message")
    assert contacts == company.execute("select distinct contact_id from decisions.fct_entries")
    assert contacts == company.execute("select contact_id from nightly_marts.dim_contacts where first_name is null")
    assert company.execute("select fields from decisions.fct_decisions")[0][0]["amount"] == 12.5


def test_a_neighbour_with_a_longer_id_and_another_address_is_left_alone(workspace: Workspace, company: Company) -> None:
    erase(workspace, company)
    assert company.execute("select properties__firstname from raw_hubspot.contacts where id = '10010'") == [("Anna",)]
    assert company.execute("select email from raw_shopify.orders where id = 'o2'") == [("neighbour@example.com",)]
    assert company.execute(
        "select first_name, hubspot_id from nightly_marts.dim_contacts where contact_id = 'neighbour'"
    ) == [("Anna", "10010")]


def test_identity_holds_without_the_address(workspace: Workspace, company: Company) -> None:
    """The CRM's and the shop's record still share one address, which is nobody's."""
    erase(workspace, company)
    crm = company.execute("select distinct properties__email from raw_hubspot.contacts where _deleted")
    shop = company.execute("select distinct email from raw_shopify.customers where _deleted")
    assert crm == shop == company.execute("select email from raw_shopify.orders where id = 'o1'")
    assert crm[0][0].endswith("@erased.invalid")


def test_the_address_is_suppressed_by_its_hash_and_the_use_is_logged(workspace: Workspace, company: Company) -> None:
    erase(workspace, company)
    assert company.execute("select channel, address_hash, reason from ledger.suppression where origin = 'erasure'") == [
        ("email", HASH, "erased")
    ]
    ((verb, subject),) = company.execute("select verb, subject_id from ledger.access_log")
    assert verb == "erase"
    assert subject not in (CONTACT, ALIAS)


def test_erasing_again_changes_nothing(workspace: Workspace, company: Company, vendors: Vendors) -> None:
    erase(workspace, company)
    calls = len(vendors.calls)
    erase(workspace, company)
    assert len(vendors.calls) == calls
    assert company.execute("select count(*) from ledger.erasure") == [(1,)]


def test_an_unknown_contact_and_an_address_on_the_command_line_are_refused(
    workspace: Workspace, company: Company
) -> None:
    with pytest.raises(SafarError, match="Nobody is known"):
        erase_contact(workspace, company.catalogue, "0" * 32)
    with pytest.raises(SafarError, match="standard input"):
        erase_contact(workspace, company.catalogue, EMAIL)


def test_a_number_that_is_nobody_elses_gets_a_tombstone_and_a_shared_one_does_not(
    workspace: Workspace, company: Company
) -> None:
    erase(workspace, company)
    with workspace.open_ledger() as ledger:
        tombstones = read_tombstones(ledger, Hasher.open(workspace))
    assert tombstones.find("phone", PHONE) is not None
    assert tombstones.find("phone", SHARED_PHONE) is None
    assert company.execute("select distinct phone from raw_shopify.customers") == [(None,)]
    assert company.execute("select properties__phone from raw_hubspot.contacts where id = '10010'") == [(SHARED_PHONE,)]


STRANGER = "stranger@example.com"
STRANGER_HASH = hash_address("test-address-key", "email", STRANGER)


def ask_by_form(company: Company) -> None:
    """Somebody whom no source knows asks for mail by a form, and chooses a language in the mail that asks back."""
    company.execute(
        "insert into ledger.permission_event (channel, topic, address_hash, state, source, source_key, occurred_at) "
        "values ('email', 'marketing', %s, 'pending', 'double_opt_in', 'request-1', %s)",
        *(STRANGER_HASH, NOW),
    )
    plan = (
        "select ledger.plan_confirmation('request-1', %s, 'test', 'fa', '{}', %s, %s::timestamptz + interval '2 days')"
    )
    ((message_id,),) = company.execute(plan, STRANGER, NOW, NOW)
    company.execute(
        "insert into ledger.language_choice (channel, address_hash, locale, message_id, occurred_at) "
        "values ('email', %s, 'fa', %s, %s)",
        *(STRANGER_HASH, message_id, NOW),
    )


@pytest.mark.parametrize("is_by_address", [True, False], ids=["by the address", "by the id"])
def test_whoever_is_known_by_an_address_alone_is_erased_with_the_language_that_they_chose(
    workspace: Workspace, company: Company, is_by_address: bool
) -> None:
    ask_by_form(company)
    if is_by_address:
        report = erase_address(workspace, company.catalogue, STRANGER.upper())
    else:
        report = erase_contact(workspace, company.catalogue, f"address:{STRANGER_HASH}")
    assert not report.waiting, report.describe()
    assert company.list_mentions([STRANGER, f"address:{STRANGER_HASH}"]) == []
    assert company.execute("select state, reason, address from ledger.message") == [("cancelled", "erased", None)]
    assert company.execute("select count(*) from ledger.language_choice") == [(0,)]
    again = erase_address(workspace, company.catalogue, STRANGER)
    assert not again.waiting
    assert company.execute("select count(*) from ledger.erasure") == [(1,)]


def test_erasing_whoever_is_known_by_an_address_alone_reaches_their_record_too(
    workspace: Workspace, company: Company
) -> None:
    ask_by_form(company)
    company.execute("update raw_hubspot.contacts set properties__email = %s where id = '10010'", f" {STRANGER.title()}")
    assert not erase_contact(workspace, company.catalogue, f"address:{STRANGER_HASH}").waiting
    assert company.list_mentions([STRANGER, "hubspot:10010"]) == []
    assert company.execute("select properties__firstname from raw_hubspot.contacts where id like 'erased-%%'") == [
        (None,)
    ]


def test_an_address_that_nobody_has_is_kept_out_too(workspace: Workspace, company: Company) -> None:
    erase_address(workspace, company.catalogue, "Stranger@Example.com")
    assert company.execute("select kind from ledger.tombstone") == [("email",)]
    assert company.execute("select count(*) from ledger.suppression where origin = 'erasure'") == [(1,)]


def test_a_planned_and_a_claimed_message_are_cancelled_before_the_call(workspace: Workspace, company: Company) -> None:
    messages = [company.add_message(), company.add_message("claimed")]
    erase(workspace, company)
    rows = company.execute("select state, reason from ledger.message where message_id = any(%s)", messages)
    assert rows == [("cancelled", "erased")] * 2


def test_a_message_in_the_providers_hands_is_waited_for(workspace: Workspace, company: Company) -> None:
    message = company.add_message("attempting")
    report = erase(workspace, company)
    assert "in the provider's hands" in report.describe()
    assert company.execute("select address from ledger.message") == [(EMAIL,)]
    company.move(message, "accepted")
    assert not resume_erasures(workspace, company.catalogue).waiting
    assert company.list_mentions(WORDS) == []


def test_a_vendor_that_is_down_leaves_the_erasure_open_until_keep_house_comes_through(
    workspace: Workspace, company: Company, vendors: Vendors
) -> None:
    vendors.statuses = {"gdpr-delete": 503, "erasejob": 500}
    report = erase(workspace, company)
    assert {one.split(":")[0] for one in report.waiting[0].open_places} == {
        "vendor hubspot",
        "vendor sendgrid",
        "second_look",
    }
    assert EMAIL not in report.describe()
    assert company.list_mentions(WORDS) == []
    vendors.statuses = {}
    keep_house(workspace)
    assert [path for path, _ in vendors.calls if "erasejob" in path]
    with workspace.open_ledger() as ledger:
        assert [one.waits_only_for_second_look for one in list_open(ledger)] == [True]


def test_an_erasure_that_is_open_for_days_makes_keep_house_red(
    workspace: Workspace, company: Company, vendors: Vendors
) -> None:
    vendors.statuses = {"gdpr-delete": 503}
    erase(workspace, company)
    company.execute("update ledger.erasure set requested_at = now() - interval '4 days'")
    with pytest.raises(ErasureOverdue, match="vendor hubspot"):
        keep_house(workspace)


def test_a_missing_connection_for_writing_is_named(
    company: Company, open_workspace: Callable[..., Workspace], connections: dict[str, dict[str, object]]
) -> None:
    del connections["hubspot_write"]
    report = erase(open_workspace(NOW), company)
    assert "connection 'hubspot_write'" in report.describe()


def test_a_vendor_that_no_longer_knows_the_person_is_content(
    workspace: Workspace, company: Company, vendors: Vendors
) -> None:
    vendors.statuses = {"gdpr-delete": 404}
    assert not erase(workspace, company).waiting


@pytest.mark.parametrize("place", ["messages", "raw", "tables", "ledger", "files"])
def test_killed_before_or_after_any_place_it_goes_on_to_the_end(
    place: str, workspace: Workspace, company: Company, connections: dict[str, dict[str, object]]
) -> None:
    """The process dies by SIGKILL, once before the place and once when it is done but not yet written down."""
    environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
    for moment in ("before", "after"):
        dying = [sys.executable, str(Path(__file__).with_name("erase_and_die.py")), CONTACT, place, moment]
        home = {"SAFAR_HOME": str(workspace.settings.home), "SAFAR_ENVIRONMENT": "sandbox"}
        died = subprocess.run(dying, env={**os.environ, **environment, **home}, capture_output=True, timeout=300)
        assert died.returncode == -9, died.stderr.decode()
    assert not resume_erasures(workspace, company.catalogue).waiting
    assert company.list_mentions(WORDS) == []
    assert company.execute("select sum(total_price_set__shop_money__amount::numeric) from raw_shopify.orders") == [
        (25,)
    ]


def test_after_a_restore_the_tombstone_file_erases_whom_the_backup_brought_back(
    workspace: Workspace, company: Company, database: str
) -> None:
    erase(workspace, company)
    names = company.execute("select distinct contact_id from decisions.fct_entries")
    # The backup is from before: everything about the person is there, and no word of an erasure.
    with psycopg.connect(database, autocommit=True) as restored:
        restored.execute("set session_replication_role = replica")
        for table in (
            "ledger.tombstone",
            "ledger.erasure_place",
            "ledger.erasure",
            "ledger.suppression",
            "ledger.stop",
            "ledger.address",
            "ledger.contact_alias",
            "ledger.permission_event",
            "raw_hubspot.contacts",
            "raw_hubspot.subscription_statuses",
            "raw_hubspot.form_submissions",
            "raw_hubspot.list_contacts",
            "raw_shopify.customers",
            "raw_shopify.orders",
            "raw_shopify.abandoned_checkouts",
            "nightly_intermediate.int_contact_records",
            "nightly_marts.dim_contacts",
            "decisions.fct_entries",
            "decisions.fct_decisions",
            "ledger.access_log",
        ):
            restored.execute(f"truncate {table} cascade")
    company.add_people()
    assert company.list_mentions(WORDS)
    assert not reapply_erasures(workspace, company.catalogue).waiting
    assert company.list_mentions(WORDS) == []
    assert company.execute("select distinct contact_id from decisions.fct_entries") == names


def test_the_tombstone_file_names_nobody_and_is_its_owners_alone(workspace: Workspace, company: Company) -> None:
    erase(workspace, company)
    path = workspace.settings.home / "tombstones.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [word for word in WORDS if word.lower() in path.read_text().lower()]


def test_a_place_that_cannot_be_done_stays_open_with_its_reason_and_the_others_are_done(
    workspace: Workspace, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(work: object) -> int:
        raise NotYet("the disk is full")

    monkeypatch.setitem(places.PLACES, "files", refuse)
    report = erase(workspace, company)
    assert report.waiting[0].open_places[0] == "files: the disk is full"
    assert company.list_mentions(WORDS) == []
