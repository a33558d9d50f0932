"""A step's name is for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from safar.catalogue import Catalogue, check_catalogue, record_step_names
from safar.errors import ConfigurationError
from safar.settings import Settings

Load = Callable[..., Catalogue]
OFFER = (
    "          - {name: offer, when: not clicked, send: {channel: email, template: cart_offer}, if_not_sent: leave}\n"
)
WITHOUT_OFFER = [("          - {wait: 23 hours}\n", ""), (OFFER, "")]
RETIRED = ("        steps:\n", "        retired: [offer]\n        steps:\n")


@pytest.fixture
def ledger(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        yield connection


def test_a_removed_step_must_be_retired(load: Load, settings: Settings, ledger: psycopg.Connection) -> None:
    record_step_names(load(), ledger, "run")
    load(*WITHOUT_OFFER)
    with pytest.raises(ConfigurationError, match=r"'offer' is gone, but runs have used it. .* `retired: \[offer\]`"):
        check_catalogue(settings, ledger)
    load(RETIRED)
    check_catalogue(settings, ledger)


def test_a_retired_name_never_comes_back(load: Load, settings: Settings, ledger: psycopg.Connection) -> None:
    record_step_names(load(), ledger, "first")
    record_step_names(load(*WITHOUT_OFFER, RETIRED), ledger, "second")
    load(("        retired: [offer]\n", ""), ("name: reminder", "name: offer"))
    with pytest.raises(ConfigurationError, match="'offer' was retired; its name is never used again"):
        check_catalogue(settings, ledger)


def test_a_new_step_is_welcome_and_recording_twice_changes_nothing(load: Load, ledger: psycopg.Connection) -> None:
    catalogue = load()
    record_step_names(catalogue, ledger, "first")
    record_step_names(catalogue, ledger, "second")
    rows = ledger.execute(
        "select step, first_seen_run_id, retired_at from ledger.campaign_step order by step"
    ).fetchall()
    assert rows == [("offer", "first", None), ("reminder", "first", None)]


def test_without_a_ledger_only_the_files_are_checked(settings: Settings) -> None:
    assert "cart_abandonment" in check_catalogue(settings).campaigns
