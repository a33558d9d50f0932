"""One call and its bookkeeping: attempting is committed, the call is made, its answer is recorded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from safar.clock import Clock
from safar.delivery.channel import (
    Accepted,
    Answer,
    Channel,
    Misconfigured,
    NoAnswer,
    OutgoingMessage,
    Refused,
    TooLarge,
    TryLater,
)
from safar.delivery.claiming import Checkpoint, Claim, Claimant
from safar.delivery.reports import DispatchReport

# How long the parts of a refused call are kept from other dispatchers while we try them one by one.
KEEP = timedelta(minutes=2)
# Marking a batch takes milliseconds; with a last look older than this, no call is made.
LONGEST_MARKING_SECONDS = 10.0

ANSWER_NAMES: dict[type, str] = {
    Accepted: "accepted",
    Refused: "refused",
    TooLarge: "too_large",
    TryLater: "try_later",
    Misconfigured: "misconfigured",
    NoAnswer: "no_answer",
}


class Caller:
    """Makes the calls of one worker."""

    def __init__(
        self, claimant: Claimant, channel: Channel, clock: Clock, *, lease: timedelta, checkpoint: Checkpoint
    ) -> None:
        self._claimant = claimant
        self._channel = channel
        self._clock = clock
        self._lease = lease
        self._checkpoint = checkpoint

    def call(self, claim: Claim) -> tuple[Sequence[OutgoingMessage], Answer | None]:
        """Marks the messages attempting, commits, and makes the call.

        Returns:
            The messages that were in the call, and the answer; no answer when the claim was no longer ours.
        """
        began = time.monotonic()
        messages = self._mark_attempting(claim)
        if not messages:
            return [], None
        self._checkpoint("before the call")
        woke = time.monotonic()
        if woke - began > self._lease.total_seconds() / 2 or woke - claim.looked_at > LONGEST_MARKING_SECONDS:
            # This process was asleep. Whoever recovers leases may be about to account for the batch, and whoever opted
            # out meanwhile is still in it.
            return messages, TryLater("this dispatcher was suspended")
        answer = self._channel.send(claim.group, messages)
        self._checkpoint("after the call")
        return messages, answer

    def record(self, claim: Claim, messages: Sequence[OutgoingMessage], answer: Answer) -> DispatchReport:
        """Writes what the answer means for each message and commits. What was refused is kept for a smaller call."""
        ids = [message.message_id for message in messages]
        counts = self._write(claim, ids, answer)
        self._record_call(claim, answer, counts, len(ids))
        self._claimant.execute("close_claim", {"claim_id": claim.claim_id})
        self._checkpoint("before the record is committed")
        self._claimant.connection.commit()
        self._checkpoint("after the record is committed")
        return DispatchReport(messages=counts, calls=Counter([ANSWER_NAMES[type(answer)]]))

    def return_claim(self, claim: Claim) -> DispatchReport:
        """Gives a batch back that was never tried."""
        self._claimant.put_back(claim, claim.message_ids, None, None)
        self._claimant.execute("close_claim", {"claim_id": claim.claim_id})
        self._claimant.connection.commit()
        return DispatchReport(messages=Counter({"put_back": len(claim.messages)}))

    def release_kept(self, message_ids: Sequence[UUID], kept_by: str) -> None:
        """Lets others have what was kept for a smaller call."""
        self._claimant.execute("release_kept", {"message_ids": list(message_ids), "claim_id": kept_by})
        self._claimant.connection.commit()

    def _record_call(self, claim: Claim, answer: Answer, counts: Counter[str], message_count: int) -> None:
        self._claimant.execute(
            "record_call",
            {
                "channel": self._channel.name,
                "provider": self._channel.provider,
                "campaign": claim.group.campaign,
                "answer": ANSWER_NAMES[type(answer)],
                "message_count": message_count,
                "accepted_count": counts["accepted"],
                "failed_count": counts["failed"],
            },
        )

    def _mark_attempting(self, claim: Claim) -> Sequence[OutgoingMessage]:
        """Nothing may leave before this commit is on disk, whatever the server's default is."""
        self._claimant.connection.execute("set local synchronous_commit = on")
        ours = self._claimant.execute("renew_claim", {"claim_id": claim.claim_id, "lease": self._lease}).fetchone()
        if ours is None:
            self._claimant.connection.rollback()
            return []
        marked = self._claimant.execute(
            "mark_attempting",
            {"claim_id": claim.claim_id, "now": self._clock.now()},
        ).fetchall()
        self._checkpoint("before the attempt is committed")
        self._claimant.connection.commit()
        if len(marked) == len(claim.messages):
            return claim.messages
        still_ours = {row[0] for row in marked}
        return [message for message in claim.messages if message.message_id in still_ours]

    def _write(self, claim: Claim, ids: list[UUID], answer: Answer) -> Counter[str]:
        if isinstance(answer, Accepted):
            return self._write_accepted(claim, ids, answer)
        if isinstance(answer, NoAnswer):
            return self._write_state(claim, ids, "unknown", answer.reason)
        if isinstance(answer, TryLater):
            hold = None if answer.retry_after is None else timedelta(seconds=answer.retry_after)
            self._claimant.put_back(claim, ids, answer.reason, hold)
            return Counter({"put_back": len(ids)})
        if isinstance(answer, Misconfigured):
            self._claimant.put_back(claim, ids, "the provider refuses us", None)
            return Counter({"put_back": len(ids)})
        return self._write_refused(claim, ids, answer)

    def _write_accepted(self, claim: Claim, ids: list[UUID], answer: Accepted) -> Counter[str]:
        cursor = self._claimant.execute(
            "record_accepted",
            {
                "message_ids": ids,
                "claim_id": claim.claim_id,
                "now": self._clock.now(),
                "provider": self._channel.provider,
                "provider_message_id": answer.provider_message_id,
            },
        )
        return Counter({"accepted": cursor.rowcount})

    def _write_refused(self, claim: Claim, ids: list[UUID], answer: Refused | TooLarge) -> Counter[str]:
        culprits = dict(answer.culprits) if isinstance(answer, Refused) else {}
        if len(ids) == 1:
            culprits = {0: answer.reason if isinstance(answer, Refused) else "too large for a call of its own"}
        counts: Counter[str] = Counter()
        for position, reason in culprits.items():
            counts += self._write_state(claim, [ids[position]], "failed", reason)
        rest = [message_id for position, message_id in enumerate(ids) if position not in culprits]
        if rest:
            self._claimant.put_back(claim, rest, None, KEEP)
        return counts

    def _write_state(self, claim: Claim, ids: list[UUID], state: str, reason: str) -> Counter[str]:
        self._claimant.execute(
            "record_state",
            {
                "message_ids": ids,
                "claim_id": claim.claim_id,
                "state": state,
                "reason": reason,
                "provider": self._channel.provider,
            },
        )
        return Counter({state: len(ids)})
