"""Which campaigns may decide in this run: those whose every ancestor is green and fresh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from textwrap import shorten

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
set
    is_blocked = excluded.is_blocked,
    reason = excluded.reason,
    recorded_at = excluded.recorded_at,
    announced_at = case when excluded.is_blocked then campaign_gate.announced_at end
"""

# The loads that came before the pin; one that came later is the next run's business.
NEWEST_LOADS = """
select distinct on (source) source, status, message
from ledger.source_load
where recorded_at < %s and repull is null and status <> 'put_off'
order by source, landed_at desc
"""

# Where the newest load only asked again for what was asked before: it says nothing about how far a source is read.
LAST_READ = """
select source, max(landed_at) filter (where repull is null)
from ledger.source_load
where recorded_at < %s and status = 'checked'
group by source
having max(landed_at) filter (where repull is null) < max(landed_at)
"""

# Blocked, and nobody has been told since the campaign last had a green light.
NEWLY_BLOCKED = """
select gate.campaign, gate.reason
from ledger.campaign_gate as gate
join ledger.run using (run_id)
where
    gate.run_id = %s
    and gate.is_blocked
    and not exists (
        select from ledger.campaign_gate as told
        join ledger.run as told_run using (run_id)
        where
            told.campaign = gate.campaign
            and told.announced_at is not null
            and told_run.sequence <= run.sequence
            and not exists (
                select from ledger.campaign_gate as free
                join ledger.run as free_run using (run_id)
                where
                    free.campaign = gate.campaign
                    and not free.is_blocked
                    and free_run.sequence between told_run.sequence and run.sequence
            )
    )
order by gate.campaign
"""

# What `publish` copies for the last look, whoever is written to. When such a model is not green it is left out, and the
# ledger would go on with yesterday's word: no audience has these among its ancestors, so they are named here.
PUBLISHED = ("int_contact_addresses", "int_contact_records", "int_suppression_changes")
PERMISSIONS = "int_permission_changes"
"""The same for class marketing; a transactional message asks for no permission."""

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
    rolled_back = read_rolled_back(workspace, pin)
    read = pin.model_copy(update={"known_at": pin.known_at | read_last_read(workspace, pin)})
    reasons: dict[str, str | None] = {}
    for name in catalogue.name_campaigns(pin.target):
        campaign = catalogue.campaigns[name]
        problems = [
            *explain_nodes(manifest, results, pin, campaign),
            *explain_sources(manifest, read, campaign, catalogue, rolled_back),
        ]
        reasons[name] = " ".join(problems) or None
    with workspace.open_ledger() as ledger, ledger.cursor() as cursor:
        cursor.executemany(UPSERT, [(pin.run_id, name, reason is not None, reason) for name, reason in reasons.items()])
    return reasons


def list_newly_blocked(workspace: Workspace, pin: Pin) -> dict[str, str]:
    """The campaigns that this run blocks and of which nobody was told yet, with the reason.

    A campaign that stays blocked for several runs is told of once; see `mark_announced`.
    """
    with workspace.open_ledger() as ledger:
        return dict(ledger.execute(NEWLY_BLOCKED, [pin.run_id]).fetchall())


def mark_announced(workspace: Workspace, pin: Pin, campaigns: Iterable[str]) -> None:
    """Writes down that somebody has been told; call it when the alert is out, so that none is lost."""
    with workspace.open_ledger() as ledger:
        ledger.execute(
            "update ledger.campaign_gate set announced_at = clock_timestamp() where run_id = %s and campaign = any(%s)",
            [pin.run_id, list(campaigns)],
        )


def explain_nodes(manifest: Manifest, results: dict[str, NodeResult], pin: Pin, campaign: Campaign) -> Iterator[str]:
    """What is wrong with the tables and tests that the campaign stands on, a sentence each."""
    exposure = manifest.find_exposure(campaign.name)
    if exposure is None:
        yield f"The manifest has no exposure {campaign.name!r}."
        return
    built = manifest.list_built(pin.target)
    tables = manifest.list_ancestors(exposure) & manifest.tables | list_published(manifest, campaign) & built
    tests = manifest.list_tests(tables, built=built | tables)
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


def list_published(manifest: Manifest, campaign: Campaign) -> set[str]:
    """The models by which the ledger knows whether somebody may be written to at all."""
    names = [*PUBLISHED, *([PERMISSIONS] if campaign.class_ == "marketing" else [])]
    return {node for name in names if (node := manifest.find_model(name)) is not None}


def read_rolled_back(workspace: Workspace, pin: Pin) -> dict[str, str]:
    """The sources whose newest load before the pin broke its suite, with what the suite said."""
    with workspace.open_ledger() as ledger:
        rows = ledger.execute(NEWEST_LOADS, [pin.ledger_known_at]).fetchall()
    return {source: message or "no message" for source, status, message in rows if status == "rolled_back"}


def read_last_read(workspace: Workspace, pin: Pin) -> dict[str, datetime]:
    """Source -> when it was last read up to then; those alone that somebody has asked again for something since."""
    with workspace.open_ledger() as ledger:
        return dict(ledger.execute(LAST_READ, [pin.ledger_known_at]).fetchall())


def explain_sources(
    manifest: Manifest, pin: Pin, campaign: Campaign, catalogue: Catalogue, rolled_back: Mapping[str, str]
) -> Iterator[str]:
    """Which sources are red, or too old by what the run knows of them; the wall clock has no say."""
    exposure = manifest.find_exposure(campaign.name)
    ancestors = manifest.list_ancestors(exposure) if exposure else set()
    for source in sorted(manifest.list_sources(ancestors) & catalogue.sources.keys()):
        known_at = pin.known_at.get(source)
        if known_at is None:
            yield f"The source {source} has never had a checked load."
        elif source in rolled_back:
            yield f"The newest load of the source {source} was red ({shorten(rolled_back[source], 200)})."
        elif pin.as_of - known_at > campaign.max_source_age:
            yield (
                f"The source {source} was last checked at {known_at:%Y-%m-%d %H:%M} UTC, "
                f"more than {describe_duration(campaign.max_source_age)} before {pin.as_of:%Y-%m-%d %H:%M} UTC."
            )
