"""Which campaigns may decide in this run: those whose every ancestor is green and fresh."""

from __future__ import annotations

from collections.abc import Iterator

from safar.catalogue import Campaign, Catalogue
from safar.catalogue.duration import describe_duration
from safar.warehouse.build import run_missing_tests
from safar.warehouse.manifest import Manifest, read_manifest
from safar.warehouse.pin import Pin, read_pin
from safar.warehouse.results import NodeResult, read_recorded
from safar.workspace import Workspace

UPSERT = """
insert into ledger.campaign_gate (run_id, campaign, is_blocked, reason)
values (%s, %s, %s, %s)
on conflict (run_id, campaign) do update
set is_blocked = excluded.is_blocked, reason = excluded.reason, recorded_at = excluded.recorded_at
"""

NAMED_AT_MOST = 5
"""A reason is read by a person: further nodes are counted, not named."""


def gate_campaigns(workspace: Workspace, pin: Pin, catalogue: Catalogue) -> dict[str, str | None]:
    """Says for each campaign of the run's cadence why it is blocked, or None, and writes it down.

    Tests that no model's task could run are run first.

    Raises:
        NotPinned: ledger.run does not know the run.
        Superseded: such tests are left, and a newer run of the cadence is pinned.
        ConfigurationError: the manifest is missing or stale.
    """
    read_pin(workspace, pin.run_id)
    manifest = read_manifest(workspace.settings)
    run_missing_tests(workspace, pin, manifest)
    results = read_recorded(workspace, pin)
    reasons: dict[str, str | None] = {}
    for name in catalogue.name_campaigns(pin.target):
        campaign = catalogue.campaigns[name]
        problems = [
            *explain_nodes(manifest, results, pin, campaign),
            *explain_sources(manifest, pin, campaign, catalogue),
        ]
        reasons[name] = " ".join(problems) or None
    with workspace.open_ledger() as ledger, ledger.cursor() as cursor:
        cursor.executemany(UPSERT, [(pin.run_id, name, reason is not None, reason) for name, reason in reasons.items()])
    return reasons


def explain_nodes(manifest: Manifest, results: dict[str, NodeResult], pin: Pin, campaign: Campaign) -> Iterator[str]:
    """What is wrong with the tables and tests that the campaign stands on, a sentence each."""
    exposure = manifest.find_exposure(campaign.name)
    if exposure is None:
        yield f"The manifest has no exposure {campaign.name!r}."
        return
    tables = manifest.list_ancestors(exposure) & manifest.tables
    tests = manifest.list_tests(tables, built=manifest.list_built(pin.target) | tables)
    red, waiting = [], []
    for node in sorted(tables) + sorted(tests):
        result = results.get(node)
        if result is None or result.is_skipped:
            waiting.append(node)
        elif not result.is_green:
            red.append(f"The {manifest.describe(node)} is red ({result.message}).")
    yield from red[:NAMED_AT_MOST]
    if len(red) > NAMED_AT_MOST:
        yield f"{len(red) - NAMED_AT_MOST} more are red."
    if waiting and red:
        yield f"{len(waiting)} more were not reached in this run."
    elif waiting:
        names = ", ".join(manifest.describe(node) for node in waiting[:NAMED_AT_MOST])
        yield f"Not built in this run: {names}{' and others' if len(waiting) > NAMED_AT_MOST else ''}."


def explain_sources(manifest: Manifest, pin: Pin, campaign: Campaign, catalogue: Catalogue) -> Iterator[str]:
    """Which sources are too old for the campaign, by what the run knows of them; the wall clock has no say."""
    exposure = manifest.find_exposure(campaign.name)
    ancestors = manifest.list_ancestors(exposure) if exposure else set()
    for source in sorted(manifest.list_sources(ancestors) & catalogue.sources.keys()):
        known_at = pin.known_at.get(source)
        if known_at is None:
            yield f"The source {source} has never had a checked load."
        elif pin.as_of - known_at > campaign.max_source_age:
            yield (
                f"The source {source} was last checked at {known_at:%Y-%m-%d %H:%M} UTC, "
                f"more than {describe_duration(campaign.max_source_age)} before {pin.as_of:%Y-%m-%d %H:%M} UTC."
            )
