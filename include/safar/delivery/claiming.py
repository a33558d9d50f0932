"""Takes due messages into one dispatcher's hands, with the last look, and gives them back."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import set_json_loads

from safar.delivery.channel import CallGroup, Channel, OutgoingMessage
from safar.delivery.opening_hours import OpeningHours
from safar.delivery.rules import DeliveryRules
from safar.delivery.sql import read_statement
from safar.workspace import Workspace

Checkpoint = Callable[[str], None]
"""Called with the name of each point at which a dispatcher may die; see `CHECKPOINTS`."""

CHECKPOINTS = (
    "before the claim is committed",
    "after the claim is committed",
    "before the attempt is committed",
    "before the call",
    "after the call",
    "before the record is committed",
    "after the record is committed",
)

# How verdicts of the last look are called in reports; any other verdict is a reason to cancel.
VERDICT_NAMES = {"clear": "claimed", "quiet": "delayed", "expired": "expired"}


@dataclass(frozen=True)
class Claim:
    """A batch in this dispatcher's hands. ``verdicts`` counts every one, also those that forbid."""

    claim_id: str
    group: CallGroup
    messages: Sequence[OutgoingMessage]
    verdicts: Counter[str]
    looked_at: float
    """When the last look was taken, by this process's monotonic clock: what was said since, it does not know."""

    @property
    def message_ids(self) -> list[UUID]:
        return [message.message_id for message in self.messages]


class Claimant:
    """One dispatcher's connection to the ledger, on which it claims and gives back."""

    def __init__(
        self,
        workspace: Workspace,
        rules: DeliveryRules,
        *,
        lease: timedelta,
        run_id: str | None = None,
        is_live: bool,
        checkpoint: Checkpoint,
    ) -> None:
        self.connection = open_dispatch_connection(workspace)
        self._clock = workspace.clock
        self._rules = rules
        self._opening_hours = OpeningHours(rules.quiet_hours)
        self._lease = lease
        self._run_id = run_id
        self._is_live = is_live
        self._approved: set[str] = set()
        self._checkpoint = checkpoint

    def claim_due(self, group: CallGroup, limit: int) -> Claim | None:
        """Claims up to ``limit`` due messages; None when none of them could be picked."""
        return self._claim("pick_due", group, {"run_id": self._run_id, "limit": limit})

    def claim_kept(self, group: CallGroup, message_ids: Sequence[UUID], kept_by: str) -> Claim | None:
        """Claims those of the messages that are still kept from an earlier claim of this dispatcher."""
        return self._claim("pick_named", group, {"message_ids": list(message_ids), "kept_by": kept_by})

    def put_back(self, claim: Claim, message_ids: Iterable[UUID], reason: str | None, hold: timedelta | None) -> None:
        """Makes messages that surely did not leave planned again, in the transaction that is open."""
        self.execute(
            "put_back",
            {"message_ids": list(message_ids), "claim_id": claim.claim_id, "reason": reason, "hold": hold},
        )

    def execute(self, statement: str, parameters: dict[str, Any]) -> psycopg.Cursor[Any]:
        return self.connection.execute(read_statement(statement), parameters, prepare=True)

    def close(self) -> None:
        self.connection.close()

    def _claim(self, picking: str, group: CallGroup, parameters: dict[str, Any]) -> Claim | None:
        claim_id, now = str(uuid4()), self._clock.now()
        shared = {**_name_group(group), "claim_id": claim_id, "now": now}
        if self.execute(picking, {**shared, "lease": self._lease, **parameters}).fetchone() is None:
            self.connection.rollback()
            return None
        self._open_first_live(group, shared)
        messages, verdicts = self._take_last_look(group, shared, now)
        looked_at = time.monotonic()
        if not messages:
            self.execute("close_claim", shared)
        self._checkpoint("before the claim is committed")
        self.connection.commit()
        self._checkpoint("after the claim is committed")
        return Claim(claim_id, group, messages, verdicts, looked_at)

    def _open_first_live(self, group: CallGroup, shared: dict[str, Any]) -> None:
        """Has the campaign's first live messages to itself until the commit; an approval is never taken back."""
        if not self._is_live or group.campaign in self._approved:
            return
        row = self.execute("open_first_live", shared).fetchone()
        if row is not None and row[0]:
            self._approved.add(group.campaign)

    def _take_last_look(
        self, group: CallGroup, shared: dict[str, Any], now: datetime
    ) -> tuple[list[OutgoingMessage], Counter[str]]:
        caps = self._rules.list_caps(group.campaign, group.channel, group.class_)
        rows = self.execute(
            "take_last_look",
            {
                **shared,
                "opening": self._opening_hours.describe(now) if group.class_ == "marketing" else "{}",
                "time_zone": self._rules.zone.key,
                "cap_messages": [cap.messages for cap in caps],
                "cap_since": [now - cap.within for cap in caps],
                "is_live": self._is_live,
                "first_live_messages": self._rules.first_live_messages.get(group.campaign, 0),
            },
        ).fetchall()
        messages = [OutgoingMessage(row[0], row[2], row[3]) for row in rows if row[1] == "clear"]
        return messages, Counter(VERDICT_NAMES.get(row[1], f"cancelled: {row[1]}") for row in rows)


def open_dispatch_connection(workspace: Workspace) -> psycopg.Connection[Any]:
    """A connection whose plans stay by the indexes, whatever the tables' statistics said at its first claim."""
    connection: psycopg.Connection[Any] = psycopg.connect(
        workspace.ledger.dsn,
        options="-c timezone=UTC -c enable_seqscan=off",
        application_name="safar dispatch",
        row_factory=tuple_row,
    )
    set_json_loads(read_fields, connection)
    return connection


def list_groups(
    connection: psycopg.Connection[Any], channel: str, now: datetime, campaign: str | None, run_id: str | None
) -> list[CallGroup]:
    """What is due, by what can share a call, the most urgent first."""
    parameters = {"channel": channel, "now": now, "campaign": campaign, "run_id": run_id}
    rows = connection.execute(read_statement("list_groups"), parameters).fetchall()
    connection.rollback()
    return [CallGroup(channel, *row[:5]) for row in rows]


def count_left(
    connection: psycopg.Connection[Any],
    channel: Channel,
    now: datetime,
    *,
    campaign: str | None,
    run_id: str | None,
    is_stopped: bool,
) -> Counter[str]:
    """What is due and has not left, by why: see `DispatchReport.left`."""
    parameters = {
        "channel": channel.name,
        "is_live": channel.is_live,
        "now": now,
        "campaign": campaign,
        "run_id": run_id,
        "is_stopped": is_stopped,
    }
    rows = connection.execute(read_statement("count_left"), parameters).fetchall()
    connection.rollback()
    return Counter({why: count for why, count in rows})


def recover_leases(connection: psycopg.Connection[Any]) -> Counter[str]:
    """Accounts for the batches of dispatchers that died: released ones are planned again, the others unknown."""
    row = connection.execute(read_statement("recover_leases")).fetchone()
    connection.commit()
    assert row is not None
    return +Counter({"released": row[0], "unknown": row[1]})


def _name_group(group: CallGroup) -> dict[str, Any]:
    return {
        "channel": group.channel,
        "campaign": group.campaign,
        "step": group.step,
        "template": group.template,
        "locale": group.locale,
        "class": group.class_,
    }


def read_fields(text: str | bytes) -> Any:
    """Reads a template's fields; an amount keeps the digits that it was written with: 19.80, not 19.8."""
    return json.loads(text, parse_float=str)
