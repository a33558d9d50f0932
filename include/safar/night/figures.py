"""The figures of a night, read back from the warehouse and the ledger: what `.safar/night.json` holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from safar.extraction.loads import NOT_CONNECTED
from safar.workspace import Workspace


class SourceFigures(BaseModel):
    """What one source brought since ``since``, over all its checked loads."""

    model_config = ConfigDict(frozen=True)

    loads: int
    new: int
    changed: int
    deleted: int
    quarantined: int
    undeclared: list[str] = Field(default_factory=list)
    """Columns that came without being declared, as ``table.column``; they landed as text."""
    is_connected: bool = True
    put_off_until: datetime | None = None
    """The vendor takes no more calls before this; what it had until its last load is here."""


class CampaignFigures(BaseModel):
    """What became of a campaign's candidates and messages."""

    model_config = ConfigDict(frozen=True)

    candidates: int = 0
    outcomes: dict[str, int] = Field(default_factory=dict)
    messages: dict[str, int] = Field(default_factory=dict)
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    orders: int = 0
    """People who were written to and have ordered since; what that proves is fct_campaign_lift's to say."""


class NightFigures(BaseModel):
    """One night, from the first row pulled to the last answer."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    until: datetime
    sources: dict[str, SourceFigures]
    stages: dict[str, dict[str, int]]
    campaigns: dict[str, CampaignFigures]
    app_events: dict[str, int] = Field(default_factory=dict)
    """What each app or site told of, bots left out."""
    app_bot_events: int = 0
    sessions: int = 0
    """Visits that the last nightly build knew of."""
    messages_accepted: int
    deliveries_accepted: int
    accepted_since_build: int = 0
    """Accepted after the last build was pinned: they stand in fct_deliveries from the next one on."""
    mails_at_provider: int | None = None
    duplicates_at_provider: int | None = None
    failed_runs: list[str] = Field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_in_agreement(self) -> bool:
        """Whether the provider, the ledger and fct_deliveries count the same mails, none of them twice."""
        same = self.messages_accepted == self.deliveries_accepted + self.accepted_since_build
        at_provider = self.mails_at_provider in (None, self.messages_accepted)
        return same and at_provider and not self.duplicates_at_provider

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n")


SOURCES = """
select
    source,
    count(*) filter (where status = 'checked') as loads,
    coalesce(sum(counted.new), 0)::int as new,
    coalesce(sum(counted.changed), 0)::int as changed,
    coalesce(sum(counted.deleted), 0)::int as deleted,
    coalesce(sum(quarantined_count), 0)::int as quarantined,
    bool_or(message is distinct from %(not_connected)s) as is_connected,
    max(resumes_at) filter (where landed_at >= all (
        select checked.landed_at from ledger.source_load as checked
        where checked.source = source_load.source and checked.status = 'checked'
    )) as put_off_until
from ledger.source_load as source_load
cross join lateral (
    select
        sum((value ->> 'new')::int) as new,
        sum((value ->> 'changed')::int) as changed,
        sum((value ->> 'deleted')::int) as deleted
    from jsonb_each(source_load.rows)
) as counted
where status in ('checked', 'put_off') and landed_at >= %(since)s and landed_at < %(until)s
group by source
order by source
"""

UNDECLARED = """
select
    source,
    array_agg(
        distinct differing.key || '.' || undeclared.value order by differing.key || '.' || undeclared.value
    ) as undeclared
from ledger.source_load
cross join lateral jsonb_each(drift) as differing
cross join lateral jsonb_array_elements_text(differing.value -> 'undeclared') as undeclared
where status = 'checked' and landed_at >= %(since)s and landed_at < %(until)s
group by source
"""

STAGES = """
select axis, stage, count(*) as people
from nightly_marts.fct_lifecycle_stages
where left_at is null
group by axis, stage
order by axis, stage
"""

OUTCOMES = """
select campaign, outcome, count(*) as candidates
from decisions.fct_decisions
where decided_at >= %(since)s and decided_at < %(until)s
group by campaign, outcome
order by campaign, outcome
"""

MESSAGES = """
select campaign, state, count(*) as messages
from ledger.message
where planned_at >= %(since)s and planned_at < %(until)s
group by campaign, state
order by campaign, state
"""

ANSWERS = """
select
    campaign,
    count(delivered_at) as delivered,
    count(opened_at) as opened,
    count(clicked_at) as clicked
from intraday_marts.fct_deliveries
where planned_at >= %(since)s and planned_at < %(until)s
group by campaign
"""

ORDERS = """
select campaign, count(ordered_at) as orders
from intraday_marts.fct_campaign_responses
where entered_at >= %(since)s and entered_at < %(until)s and sent_count > 0
group by campaign
"""

APP_EVENTS = """
select key_name as app, count(*) filter (where not is_bot) as events, count(*) filter (where is_bot) as bots
from ledger.app_event
where received_at >= %(since)s and received_at < %(until)s
group by key_name
order by key_name
"""

SESSIONS = "select count(*) as sessions from nightly_marts.fct_sessions where ended_at >= %(since)s"

ACCEPTED = "select count(*) as messages from ledger.message where state = 'accepted'"
ACCEPTED_SINCE_BUILD = """
select count(distinct message_id) as messages
from ledger.message_transition
where
    to_state = 'accepted'
    and recorded_at >= (
        select (run.known_at ->> 'ledger')::timestamptz
        from ledger.run
        where run.cadence = 'intraday'
        order by run.sequence desc
        limit 1
    )
"""
DELIVERIES = "select count(*) as messages from intraday_marts.fct_deliveries where accepted_at is not null"


def read_figures(workspace: Workspace, since: datetime, until: datetime) -> NightFigures:
    """Reads the figures of what happened from ``since`` up to ``until`` (exclusive), both business time.

    The counts of accepted mails are over the whole life of the ledger, so that they can be held
    against the provider's own.
    """
    moments = {"since": since, "until": until, "not_connected": NOT_CONNECTED}
    with (
        psycopg.connect(workspace.warehouse.dsn, row_factory=dict_row) as warehouse,
        psycopg.connect(workspace.ledger.dsn, row_factory=dict_row) as ledger,
    ):
        campaigns: dict[str, dict[str, Any]] = {}
        for row in warehouse.execute(OUTCOMES, moments):
            campaign = campaigns.setdefault(row["campaign"], {"candidates": 0, "outcomes": {}})
            campaign["outcomes"][row["outcome"]] = row["candidates"]
            campaign["candidates"] += row["candidates"]
        for row in ledger.execute(MESSAGES, moments):
            campaigns.setdefault(row["campaign"], {}).setdefault("messages", {})[row["state"]] = row["messages"]
        for query in (ANSWERS, ORDERS):
            for row in warehouse.execute(query, moments):
                campaigns.setdefault(row.pop("campaign"), {}).update(row)
        sources = {row.pop("source"): row for row in ledger.execute(SOURCES, moments)}
        for row in ledger.execute(UNDECLARED, moments):
            sources[row["source"]]["undeclared"] = row["undeclared"]
        stages: dict[str, dict[str, int]] = {}
        for row in warehouse.execute(STAGES):
            stages.setdefault(row["axis"], {})[row["stage"]] = row["people"]
        apps = ledger.execute(APP_EVENTS, moments).fetchall()
        return NightFigures(
            since=since,
            until=until,
            sources={name: SourceFigures(**counts) for name, counts in sources.items()},
            stages=stages,
            app_events={row["app"]: row["events"] for row in apps},
            app_bot_events=sum(row["bots"] for row in apps),
            sessions=_count(warehouse, SESSIONS, moments),
            campaigns={name: CampaignFigures(**values) for name, values in sorted(campaigns.items())},
            messages_accepted=_count(ledger, ACCEPTED),
            deliveries_accepted=_count(warehouse, DELIVERIES),
            accepted_since_build=_count(ledger, ACCEPTED_SINCE_BUILD),
        )


def _count(
    connection: psycopg.Connection[dict[str, Any]], query: LiteralString, values: Mapping[str, Any] | None = None
) -> int:
    row = connection.execute(query, values).fetchone()
    return int(next(iter(row.values()))) if row else 0
