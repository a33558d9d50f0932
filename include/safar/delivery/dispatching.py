"""Sends what is due, each message at most once, whatever dies on the way."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from safar.delivery.calling import Caller
from safar.delivery.channel import Accepted, Answer, CallGroup, Channel, Misconfigured, NoAnswer, Refused, TryLater
from safar.delivery.circuit_breaker import ChannelWatch
from safar.delivery.claiming import (
    Checkpoint,
    Claim,
    Claimant,
    count_left,
    list_groups,
    open_dispatch_connection,
    recover_leases,
)
from safar.delivery.pacing import Pace, Patience
from safar.delivery.reports import DispatchReport
from safar.delivery.rules import DeliveryRules
from safar.errors import ConfigurationError
from safar.ledger.epochs import begin_epoch, require_known_epoch
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Catalogue

logger = logging.getLogger(__name__)

# A claim whose last look is older than this when its turn comes is given back, to have it again: it waited for another
# call, or this process was suspended.
FRESH_SECONDS = 2.0
# So many single messages refused, and none accepted, mean that the fault is in the call and not in an address.
HOPELESS = 3


@dataclass(frozen=True)
class DispatchOptions:
    """How a dispatch works; the defaults suit one provider account on one machine."""

    workers: int = 2
    """Threads that claim and record. Only one call is under way at a time: a kill puts one call in doubt."""
    batch_size: int = 150
    """Messages of one claim and one call. A claim of more holds its locks too long in a ledger of millions, and leaves
    more in doubt at a kill; docs/benchmarks.md has the figures of several sizes."""
    lease: timedelta = timedelta(minutes=5)
    """Wall time after which a batch is taken from its dispatcher."""
    watch_every: timedelta = timedelta(seconds=10)
    """Wall time between two looks at the channel's bounces, refusals and complaints."""
    patience: Patience = field(default_factory=Patience)


def dispatch_messages(
    workspace: Workspace,
    catalogue: Catalogue,
    *,
    channel: str = "email",
    campaign: str | None = None,
    run_id: str | None = None,
    options: DispatchOptions | None = None,
) -> DispatchReport:
    """Publishes templates whose content changed, then sends every message of the channel that is due.

    Args:
        campaign: only messages of this campaign.
        run_id: only messages that this run planned.

    Raises:
        LedgerRestored: the ledger has forgotten calls that were made; see `safar.ledger.epochs`.
        ConfigurationError: the provider refuses our credentials or every call; all messages are planned again.
    """
    from safar.delivery.publishing import publish_templates
    from safar.delivery.sendgrid_channel import SendGridChannel

    if channel != "email":
        raise ConfigurationError(f"There is no channel {channel!r} yet. Dispatch 'email'.")
    rules = DeliveryRules.from_catalogue(catalogue)
    published = publish_templates(workspace, catalogue)
    logger.info("%s", published.describe())
    return send_due(
        workspace,
        SendGridChannel.open(workspace, default_locale=rules.default_locale),
        rules,
        campaign=campaign,
        run_id=run_id,
        options=options or DispatchOptions(),
    )


def send_due(
    workspace: Workspace,
    channel: Channel,
    rules: DeliveryRules,
    *,
    campaign: str | None = None,
    run_id: str | None = None,
    options: DispatchOptions,
    checkpoint: Checkpoint = lambda _: None,
) -> DispatchReport:
    """Sends what is due through a channel that is open.

    Args:
        checkpoint: called at each point of `safar.delivery.claiming.CHECKPOINTS`.

    Raises:
        LedgerRestored: the ledger has forgotten calls that were made.
        ConfigurationError: see `dispatch_messages`.
    """
    began = time.monotonic()
    with open_dispatch_connection(workspace) as connection:
        require_known_epoch(workspace, connection)
        report = DispatchReport(recovered=recover_leases(connection))
        watch = ChannelWatch(channel.name, channel.provider, rules.breaker, options.watch_every)
        watch.look(connection)
        state = _Shared(Pace(options.patience), options.batch_size, watch)
        worker_count = options.workers
        while state.is_going():
            state.groups = list_groups(connection, channel.name, workspace.clock.now(), campaign, run_id)
            if not state.groups:
                break
            if not report.calls:
                begin_epoch(workspace, connection, "dispatch")
            round_report = _work_through(workspace, channel, rules, run_id, options, checkpoint, state, worker_count)
            report += round_report
            if round_report.messages:
                continue
            if worker_count == 1:
                break  # What is still due is held, paused or in another dispatcher's hands.
            # Two workers may have kept each other from a contact. One alone finds whatever can be had.
            worker_count = 1
        left = count_left(
            connection,
            channel,
            workspace.clock.now(),
            campaign=campaign,
            run_id=run_id,
            is_stopped=state.stopped_because is not None,
        )
    report += DispatchReport(stopped_because=state.stopped_because, left=left)
    logger.info("%s Took %.1f s.", report.describe(), time.monotonic() - began)
    if state.error is not None:
        raise state.error
    return report


def _work_through(
    workspace: Workspace,
    channel: Channel,
    rules: DeliveryRules,
    run_id: str | None,
    options: DispatchOptions,
    checkpoint: Checkpoint,
    state: _Shared,
    worker_count: int,
) -> DispatchReport:
    workers = [_Worker(workspace, channel, rules, run_id, options, checkpoint, state) for _ in range(worker_count)]
    with ThreadPoolExecutor(len(workers), thread_name_prefix="dispatch") as pool:
        futures = [pool.submit(worker.work) for worker in workers]
        try:
            wait(futures)
        except BaseException:  # An interrupt reaches only this thread; the workers end after their call.
            state.stop("interrupted")
            raise
    return sum((future.result() for future in futures), DispatchReport())


class _Shared:
    """What the workers of one dispatch have in common."""

    def __init__(self, pace: Pace, batch_size: int, watch: ChannelWatch) -> None:
        self.pace = pace
        self.watch = watch
        self.batch_size = batch_size
        self.groups: list[CallGroup] = []
        self.call_slot = threading.Lock()
        self.stopped_because: str | None = None
        self.error: ConfigurationError | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def is_going(self) -> bool:
        return not self._stop.is_set()

    def next_group(self) -> CallGroup | None:
        with self._lock:
            return self.groups[0] if self.groups else None

    def drop_group(self, group: CallGroup) -> None:
        with self._lock:
            if group in self.groups:
                self.groups.remove(group)

    def stop(self, reason: str, error: ConfigurationError | None = None) -> None:
        with self._lock:
            self.stopped_because = self.stopped_because or reason
            self.error = self.error or error
            self._stop.set()

    def pause(self, seconds: float | None, reason: str) -> None:
        """Waits, or stops the dispatch when the pace says that it is enough."""
        if seconds is None:
            self.stop(reason)
            return
        logger.info("Waiting %.1f s: %s.", seconds, reason)
        self._stop.wait(seconds)


class _Worker:
    """Claims, calls and records until nothing is due."""

    def __init__(
        self,
        workspace: Workspace,
        channel: Channel,
        rules: DeliveryRules,
        run_id: str | None,
        options: DispatchOptions,
        checkpoint: Checkpoint,
        state: _Shared,
    ) -> None:
        self._claimant = Claimant(
            workspace, rules, lease=options.lease, run_id=run_id, is_live=channel.is_live, checkpoint=checkpoint
        )
        self._caller = Caller(self._claimant, channel, workspace.clock, lease=options.lease, checkpoint=checkpoint)
        self._call_limit = min(options.batch_size, channel.call_limit)
        self._state = state
        self._report = DispatchReport()

    def work(self) -> DispatchReport:
        try:
            while self._state.is_going() and (group := self._state.next_group()):
                self._state.watch.look_when_due(self._claimant.connection)
                claim = self._claimant.claim_due(group, self._state.pace.limit(self._call_limit))
                if claim is None or not claim.verdicts:
                    self._state.drop_group(group)
                else:
                    self._carry_out(claim, _Split())
        except BaseException:
            self._state.stop("a worker failed")
            raise
        finally:
            self._claimant.close()
        return self._report

    def _carry_out(self, claim: Claim, split: _Split) -> None:
        """Brings one claim to its end: the call, its record, and smaller calls when it was refused."""
        self._report += DispatchReport(messages=_without_claimed(claim.verdicts))
        if not claim.messages:
            return
        with self._state.call_slot:
            if not self._state.is_going() or time.monotonic() - claim.looked_at > FRESH_SECONDS:
                self._report += self._caller.return_claim(claim)
                return
            messages, answer = self._caller.call(claim)
            answer = _doubt_majority(answer, len(messages))
            if answer is not None and not isinstance(answer, Accepted):
                self._report += self._caller.record(claim, messages, answer)
                self._react(answer)
        if isinstance(answer, Accepted):
            self._state.pace.note_success()
            split.accepted_count += len(messages)
            self._report += self._caller.record(claim, messages, answer)
            _log_progress(claim, len(messages))
        elif answer is not None:
            self._try_smaller(claim, [message.message_id for message in messages], answer, split)

    def _react(self, answer: Answer) -> None:
        pace = self._state.pace
        if isinstance(answer, Misconfigured):
            self._state.stop("the provider refuses us", ConfigurationError(answer.remedy))
        elif isinstance(answer, TryLater):
            self._state.pause(pace.note_failure(retry_after=answer.retry_after), answer.reason)
        elif isinstance(answer, NoAnswer):
            self._state.pause(pace.note_failure(is_doubtful=True), f"a call got no answer ({answer.reason})")

    def _try_smaller(self, claim: Claim, ids: list[UUID], answer: Answer, split: _Split) -> None:
        if isinstance(answer, TryLater | Misconfigured | NoAnswer):
            return
        culprits = answer.culprits if isinstance(answer, Refused) else {}
        rest = [message_id for position, message_id in enumerate(ids) if position not in culprits]
        if len(ids) == 1:
            split.failed_count += 1
            rest = []
        if isinstance(answer, Refused) and split.is_hopeless:
            self._give_up(claim, rest, answer.reason)
            return
        halves = [rest] if culprits else [rest[: (len(rest) + 1) // 2], rest[(len(rest) + 1) // 2 :]]
        for half in halves:
            self._try_half(claim, half, split)

    def _try_half(self, claim: Claim, half: Sequence[UUID], split: _Split) -> None:
        if not half:
            return
        part = self._claimant.claim_kept(claim.group, half, claim.claim_id) if self._state.is_going() else None
        if part is not None:
            self._carry_out(part, split)
        else:
            self._caller.release_kept(half, claim.claim_id)

    def _give_up(self, claim: Claim, rest: Sequence[UUID], reason: str) -> None:
        self._caller.release_kept(rest, claim.claim_id)
        group = claim.group
        error = ConfigurationError(
            f"The provider refuses every message of campaign {group.campaign!r}, step {group.step!r} "
            f"(template {group.template!r}, {group.locale}): {reason}. Mend what it names; the messages stay planned."
        )
        self._state.stop("the provider refuses every message", error)


@dataclass
class _Split:
    """What came of the parts of one refused call."""

    accepted_count: int = 0
    failed_count: int = 0

    @property
    def is_hopeless(self) -> bool:
        return self.failed_count >= HOPELESS and self.accepted_count == 0


def _doubt_majority(answer: Answer | None, call_size: int) -> Answer | None:
    """When the provider names most messages of a call as wrong, something that they share is."""
    if not isinstance(answer, Refused) or answer.is_certain or not HOPELESS < len(answer.culprits) > call_size / 2:
        return answer
    return Misconfigured(
        f"The provider finds fault with {len(answer.culprits)} of {call_size} messages of one call: {answer.reason}. "
        "Mend what it names (often a template or a field that they share); the messages stay planned."
    )


def _without_claimed(verdicts: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in verdicts.items() if name != "claimed"})


def _log_progress(claim: Claim, count: int) -> None:
    group = claim.group
    logger.debug("%d messages of %s/%s (%s) accepted.", count, group.campaign, group.step, group.locale)
