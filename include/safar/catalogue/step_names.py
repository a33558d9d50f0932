"""Step names are for ever: part of what makes a message unique, so the ledger remembers each one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from safar.catalogue.loading import Catalogue, load_catalogue
from safar.catalogue.permission_rules import read_permission_rules
from safar.errors import ConfigurationError
from safar.settings import Settings

if TYPE_CHECKING:  # importing psycopg costs more than reading the catalogue, which every DAG file does
    import psycopg


def check_catalogue(settings: Settings, ledger: psycopg.Connection | None = None) -> Catalogue:
    """Reads the catalogue and the rules of permission; holds step names, given the ledger, against what was pinned.

    Raises:
        ConfigurationError: something is wrong; the message lists each problem with its remedy.
    """
    read_permission_rules(settings.dbt_project)
    catalogue = load_catalogue(settings)
    if ledger is not None:
        check_step_names(catalogue, ledger)
    return catalogue


def check_step_names(catalogue: Catalogue, ledger: psycopg.Connection) -> None:
    """Compares names with the ledger.

    Raises:
        ConfigurationError: a name vanished without being retired, or a retired one is back.
    """
    remembered: dict[str, dict[str, bool]] = {}
    rows = ledger.execute("select campaign, step, retired_at is not null from ledger.campaign_step")
    for campaign, step, is_retired in rows:
        remembered.setdefault(campaign, {})[step] = is_retired
    problems = [
        f"{catalogue.campaigns[name].file}: {problem}"
        for name in catalogue.campaigns
        for problem in _compare(catalogue, name, remembered.get(name, {}))
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))


def record_step_names(catalogue: Catalogue, ledger: psycopg.Connection, run_id: str) -> None:
    """Remembers every step of every campaign, and which are retired; recording again changes nothing."""
    active = [(name, step.name) for name, campaign in catalogue.campaigns.items() for step in campaign.steps]
    retired = [(name, step) for name, campaign in catalogue.campaigns.items() for step in campaign.retired]
    with ledger.cursor() as cursor:
        cursor.executemany(
            "insert into ledger.campaign_step (campaign, step, kind, first_seen_run_id) "
            "values (%s, %s, 'message', %s) on conflict do nothing",
            [(*entry, run_id) for entry in active],
        )
        cursor.executemany(
            "insert into ledger.campaign_step as known (campaign, step, kind, first_seen_run_id, retired_at) "
            "values (%s, %s, 'message', %s, now()) "
            "on conflict (campaign, step) do update set retired_at = excluded.retired_at "
            "where known.retired_at is null",
            [(*entry, run_id) for entry in retired],
        )


def _compare(catalogue: Catalogue, name: str, remembered: dict[str, bool]) -> Iterator[str]:
    campaign = catalogue.campaigns[name]
    steps = {step.name for step in campaign.steps}
    for step, is_retired in sorted(remembered.items()):
        if is_retired and step in steps:
            yield f"steps: {step!r} was retired; its name is never used again. Give the step another name."
        elif step not in steps and step not in campaign.retired:
            yield f"steps: {step!r} is gone, but runs have used it. Put its name back, or write `retired: [{step}]`."
