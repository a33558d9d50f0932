"""The stop switch: for everything, one channel or one campaign. The next claim reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from psycopg.rows import class_row

from safar.catalogue.defaults import Channel
from safar.errors import ConfigurationError
from safar.ledger.epochs import GUARD
from safar.workspace import Workspace

CHANNELS = get_args(Channel)
CONFIRMATIONS = "permission_confirmation"
"""The mails that ask whether somebody wants our mail: no catalogue declares them, and they can be paused too."""

# Stops that name a person or an occurrence end entries; they are no switches.
LIST = """
select stop_id, campaign, step, channel, reason, created_by, recorded_at
from ledger.stop
where lifted_at is null and contact_id is null and occurrence_key is null
order by stop_id
"""
INSERT = """
insert into ledger.stop (campaign, channel, reason, created_by, request_id)
values (%(campaign)s, %(channel)s, %(reason)s, %(created_by)s, %(request_id)s)
on conflict (request_id) do nothing
"""
LIFT = """
update ledger.stop
set lifted_at = now(), lifted_by = %(lifted_by)s
where
    lifted_at is null
    and contact_id is null
    and occurrence_key is null
    and step is null
    and created_by <> %(restore_guard)s
    and campaign is not distinct from %(campaign)s
    and channel is not distinct from %(channel)s
    and recorded_at < coalesce(%(before)s, now())
returning stop_id, campaign, step, channel, reason, created_by, recorded_at
"""


@dataclass(frozen=True)
class Pause:
    """One order to stop that stands. ``recorded_at`` is wall time; a scope that is None means any."""

    stop_id: int
    campaign: str | None
    step: str | None
    channel: str | None
    reason: str
    created_by: str
    recorded_at: datetime

    def describe(self) -> str:
        scope = describe_scope(self.campaign, self.channel)
        step = f", step {self.step}" if self.step else ""
        return f"{scope}{step}: {self.reason} ({self.created_by}, {self.recorded_at:%Y-%m-%d %H:%M} UTC)"


def list_pauses(workspace: Workspace) -> list[Pause]:
    """Every switch that stands, the oldest first."""
    with workspace.open_ledger() as ledger:
        return ledger.cursor(row_factory=class_row(Pause)).execute(LIST).fetchall()


def pause_sending(
    workspace: Workspace,
    *,
    reason: str,
    created_by: str,
    campaign: str | None = None,
    channel: str | None = None,
    request_id: str | None = None,
) -> None:
    """Holds what is planned from the next claim on; nothing is lost, it waits until it is resumed or too old.

    Reads the ledger only, so that it works also when a file of the catalogue is broken.

    Args:
        request_id: the same order given again does nothing, also when it was lifted meanwhile.

    Raises:
        ConfigurationError: no reason, or a campaign or channel that does not exist.
    """
    if not reason.strip():
        raise ConfigurationError("Say why: `--reason` is what the next person on call reads.")
    values = {"campaign": campaign, "channel": channel, "reason": reason, "created_by": created_by}
    _require_known(workspace, campaign, channel)
    with workspace.open_ledger() as ledger:
        ledger.execute(INSERT, {**values, "request_id": request_id})


def resume_sending(
    workspace: Workspace,
    *,
    lifted_by: str,
    campaign: str | None = None,
    channel: str | None = None,
    before: datetime | None = None,
) -> list[Pause]:
    """Lifts the switches of exactly this scope, the circuit breaker's included; returns what it lifted.

    What holds a restored ledger is lifted by `safar reconcile` alone.

    Args:
        before: wall time; only switches set earlier. Whoever repeats an old order lifts nothing newer.

    Raises:
        ConfigurationError: a campaign or channel that does not exist.
    """
    _require_known(workspace, campaign, channel)
    values: dict[str, Any] = {
        "campaign": campaign,
        "channel": channel,
        "lifted_by": lifted_by,
        "before": before,
        "restore_guard": GUARD,
    }
    with workspace.open_ledger() as ledger:
        return ledger.cursor(row_factory=class_row(Pause)).execute(LIFT, values).fetchall()


def describe_scope(campaign: str | None, channel: str | None) -> str:
    """What a switch holds, in words."""
    if campaign is None and channel is None:
        return "everything"
    parts = [f"campaign {campaign}" if campaign else "", f"channel {channel}" if channel else ""]
    return " on ".join(part for part in parts if part)


def _require_known(workspace: Workspace, campaign: str | None, channel: str | None) -> None:
    if channel is not None and channel not in CHANNELS:
        raise ConfigurationError(f"There is no channel {channel!r}. Channels: {', '.join(CHANNELS)}.")
    if campaign is None or campaign == CONFIRMATIONS:
        return
    with workspace.open_ledger() as ledger:
        rows = ledger.execute(
            "select campaign from ledger.campaign_step union select campaign from ledger.plan_result order by 1"
        ).fetchall()
    known = [row[0] for row in rows]
    if campaign not in known:
        raise ConfigurationError(
            f"No build has pinned a campaign {campaign!r}. Campaigns: {', '.join(known) or 'none yet'}."
        )
