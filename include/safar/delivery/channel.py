"""What delivery asks of a channel, and the answers that it can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CallGroup:
    """What messages must have in common to leave in one call."""

    channel: str
    campaign: str
    step: str
    template: str
    locale: str
    class_: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One claimed message."""

    message_id: UUID
    address: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Accepted:
    """The provider took all messages of the call."""

    provider_message_id: str | None


@dataclass(frozen=True)
class Refused:
    """The provider took none of them, because something in the call is wrong.

    ``culprits`` gives the positions that it names, each with its words; it may name none.
    """

    reason: str
    culprits: Mapping[int, str] = field(default_factory=dict)
    is_certain: bool = False
    """Whether the culprits are beyond doubt even when they are most of the call."""


@dataclass(frozen=True)
class TooLarge:
    """The provider took none of them; fewer in a call may do."""


@dataclass(frozen=True)
class TryLater:
    """The provider surely took none of them: too many calls, or nobody listens."""

    reason: str
    retry_after: float | None = None
    """Seconds of wall time that the provider asks for, when it does."""


@dataclass(frozen=True)
class Misconfigured:
    """The provider surely took none of them, and will not until a person changes something."""

    remedy: str


@dataclass(frozen=True)
class NoAnswer:
    """The provider may have taken them all, or none."""

    reason: str


Answer = Accepted | Refused | TooLarge | TryLater | Misconfigured | NoAnswer


class Channel(Protocol):
    """A way to reach people. An instance is used by several threads at once."""

    name: str
    provider: str
    call_limit: int
    """How many messages one call may carry."""
    is_live: bool
    """Whether real people are reached."""

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        """Makes one call, at once and without repeating it. Never raises for what the provider does."""
        ...
