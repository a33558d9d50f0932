"""After an older ledger was restored: accounts for what the provider took since, then lets things go on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg

from safar.catalogue import Catalogue
from safar.delivery import hash_address, normalise_email
from safar.delivery.claiming import recover_leases
from safar.errors import SafarError
from safar.feedback.activity import KEPT, ActivityReader, hash_mails
from safar.feedback.settings import SENDGRID
from safar.ledger.epochs import GUARD, begin_epoch, find_problem, hold_everything, lift_guard
from safar.workspace import ADDRESS_KEY, Workspace

CHANNEL = "email"
SLACK = timedelta(hours=1)
"""How far before the ledger's last known moment the provider is asked."""

FIND_SINCE = """
select coalesce(
    (select business_at from ledger.epoch where business_at is not null order by sequence desc limit 1),
    (select min(planned_at) from ledger.message)
)
"""
IS_HELD = "select exists (select from ledger.stop where created_by = %s and lifted_at is null)"
LIST_STEPS = (
    "select distinct campaign, step from ledger.campaign_step union select distinct campaign, step from ledger.message"
)
CREATE_FORGOTTEN = """
create temporary table forgotten (
    provider_message_id text primary key, call_id text, campaign text, step text, address_hash text, seen_at timestamptz
) on commit drop
"""
ADD_FORGOTTEN = """
insert into forgotten
select provider_message_id, call_id, %(campaign)s, %(step)s, address_hash, seen_at
from unnest(%(ids)s::text[], %(calls)s::text[], %(hashes)s::text[], %(moments)s::timestamptz[])
    as mail (provider_message_id, call_id, address_hash, seen_at)
where not exists (
    select from ledger.message as known
    where
        known.campaign = %(campaign)s
        and known.step = %(step)s
        and known.channel = %(channel)s
        and known.address_hash = mail.address_hash
        and known.provider_message_id = mail.call_id
)
on conflict do nothing
"""
REMEMBER = """
insert into ledger.sent_elsewhere
    (provider, provider_message_id, channel, campaign, step, address_hash, seen_at, reconciled_at)
select %(provider)s, provider_message_id, %(channel)s, campaign, step, address_hash, seen_at, %(now)s from forgotten
on conflict do nothing
"""
# A message that the ledger holds and that began before the mail's last event is taken for that mail: somebody may get
# one mail less by it, and nobody one more.
ACCOUNT = """
with sent as (
    select campaign, step, address_hash, max(seen_at) as seen_at, min(call_id) as call_id
    from forgotten
    group by campaign, step, address_hash
)

update ledger.message as message
set
    state = case message.state when 'planned' then 'cancelled' else 'accepted' end,
    reason = case
        when message.state = 'planned' then 'sent before the restore'
        else 'proven by the provider''s activity'
    end,
    accepted_at = case when message.state <> 'planned' then greatest(message.attempted_at, sent.seen_at) end,
    provider = %(provider)s,
    provider_message_id = sent.call_id,
    state_at = clock_timestamp()
from sent
where
    message.campaign = sent.campaign
    and message.step = sent.step
    and message.channel = %(channel)s
    and message.address_hash = sent.address_hash
    and message.entry_occurred_at <= sent.seen_at
    and message.state in ('planned', 'unknown', 'presumed_lost')
returning message.state
"""


@dataclass(frozen=True)
class ReconcileReport:
    """What the provider took and this ledger had forgotten. ``since`` is business time."""

    since: datetime | None = None
    forgotten_count: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    """Messages of the ledger that were among them, by what they are now: cancelled, accepted."""

    def describe(self) -> str:
        if self.since is None:
            return "Nothing to reconcile: the ledger knows its newest epoch."
        return (
            f"Since {self.since:%Y-%m-%d %H:%M} UTC the provider took {self.forgotten_count} mails that this ledger "
            f"had forgotten. {self.messages['cancelled']} planned messages are cancelled, "
            f"{self.messages['accepted']} of unknown fate are accepted, none will be planned again. Sending goes on."
        )


def reconcile_ledger(
    workspace: Workspace, catalogue: Catalogue, *, since: datetime | None = None, reader: ActivityReader | None = None
) -> ReconcileReport:
    """Accounts for every mail that the provider took since the backup, begins a new epoch and lifts the guard's stop.

    Run again after a failure it begins anew; until it is through, everything stays paused.

    Args:
        since: business time to ask from; the newest that the ledger knows when left out. Given, the ledger is
            reconciled even if nothing is wrong with its epoch.

    Raises:
        SafarError: the provider does not tell.
    """
    with workspace.open_ledger() as ledger:
        ledger.execute("select pg_advisory_lock(hashtext('safar.reconcile'))")
        problem = find_problem(workspace, ledger)
        if problem is None and since is None and not _is_held(ledger):
            return ReconcileReport()
        hold_everything(ledger, problem or "reconciled by hand")
        since = _require_kept(workspace, since or _find_since(workspace, ledger))
        recover_leases(ledger)
        report = _account(workspace, ledger, catalogue, since, reader or ActivityReader(workspace))
        lift_guard(ledger)
        begin_epoch(workspace, ledger, "reconciled")
    return report


def _account(
    workspace: Workspace,
    ledger: psycopg.Connection[Any],
    catalogue: Catalogue,
    since: datetime,
    reader: ActivityReader,
) -> ReconcileReport:
    hash_email = partial(_hash, workspace.connections.get(ADDRESS_KEY).secret)
    steps = set(ledger.execute(LIST_STEPS).fetchall())
    steps |= {(name, step.name) for name, campaign in catalogue.campaigns.items() for step in campaign.steps}
    now = workspace.clock.now()
    shared = {"channel": CHANNEL, "provider": SENDGRID, "now": now}
    ledger.execute(CREATE_FORGOTTEN)
    for campaign, step in sorted(steps):
        for mails in reader.read(campaign, step, since - SLACK, now + SLACK):
            columns = list(zip(*hash_mails(mails, hash_email), strict=True)) or [()] * 4
            names = ("ids", "calls", "hashes", "moments")
            values = {name: list(column) for name, column in zip(names, columns, strict=True)}
            ledger.execute(ADD_FORGOTTEN, {**shared, **values, "campaign": campaign, "step": step})
    ledger.execute(REMEMBER, shared)
    states = Counter(row[0] for row in ledger.execute(ACCOUNT, shared))
    row = ledger.execute("select count(*) from forgotten").fetchone()
    return ReconcileReport(since, row[0] if row else 0, states)


def _find_since(workspace: Workspace, ledger: psycopg.Connection[Any]) -> datetime:
    row = ledger.execute(FIND_SINCE).fetchone()
    known: datetime | None = row[0] if row else None
    return known or workspace.clock.now() - KEPT + 2 * SLACK


def _require_kept(workspace: Workspace, since: datetime) -> datetime:
    if workspace.clock.now() - since > KEPT:
        raise SafarError(
            f"The backup is of {since:%Y-%m-%d}, and the provider remembers {KEPT.days} days. What it sent before is "
            "not known to anybody. Restore a newer backup, or stop the campaigns whose mails may have left and give "
            "the moment from which on nothing is unknown: `safar reconcile --since`."
        )
    return since


def _is_held(ledger: psycopg.Connection[Any]) -> bool:
    row = ledger.execute(IS_HELD, [GUARD]).fetchone()
    return bool(row and row[0])


def _hash(key: str, email: str) -> str | None:
    address = normalise_email(email)
    return hash_address(key, CHANNEL, address) if address else None
