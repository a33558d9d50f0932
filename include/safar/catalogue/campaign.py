"""A campaign as it is declared in ``config.meta`` of its dbt exposure, and as it is resolved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from safar.catalogue.defaults import FROZEN, Approval, Cadence, CampaignClass, Channel, FrequencyCap
from safar.catalogue.duration import Duration, parse_duration
from safar.catalogue.share import Share

When = Literal["clicked", "not clicked", "opened", "not opened"]
IfNotSent = Literal["leave", "continue"]
Exit = Literal["goal", "segment", "either"]

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _read_name(text: Any) -> str:
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name; use lower-case letters, digits and _, a letter first")
    return text


Name = Annotated[str, BeforeValidator(_read_name)]


class Again(BaseModel):
    """Whether a person who entered may enter once more."""

    model_config = FROZEN

    kind: Literal["never", "each_occurrence", "after"]
    after: timedelta | None = None


def _read_again(text: Any) -> Any:
    if text in ("never", "each_occurrence"):
        return Again(kind=text)
    words = str(text).split(maxsplit=1)
    if len(words) == 2 and words[0] == "after":
        return Again(kind="after", after=parse_duration(words[1]))
    raise ValueError(f"{text!r} is not allowed; write never, each_occurrence or 'after 90 days'")


class Goal(BaseModel):
    """What the campaign wants to happen: a row of ``model``, at the time in its column ``at``."""

    model_config = FROZEN

    model: Name
    at: Name


class Send(BaseModel):
    """A message: which template through which channel."""

    model_config = FROZEN

    channel: Channel
    template: Name


class DeclaredStep(BaseModel):
    """One entry of ``steps``: a wait, or a named action."""

    model_config = FROZEN

    wait: Duration | None = None
    name: Name | None = None
    when: When | None = None
    send: Send | None = None
    if_not_sent: IfNotSent | None = None

    @model_validator(mode="after")
    def _be_one_thing(self) -> Self:
        acts = (self.name, self.when, self.send, self.if_not_sent)
        if self.wait is not None and any(part is not None for part in acts):
            raise ValueError("a wait stands alone: write {wait: 1 hour} and the action as the next entry")
        if self.wait is None and (self.name is None or self.send is None):
            raise ValueError(
                "write either {wait: 1 hour} or {name: reminder, send: {channel: email, template: cart_reminder}}"
            )
        return self


class CampaignCap(BaseModel):
    """A cap that a campaign's own messages meet: at most ``messages`` to one person, of all campaigns."""

    model_config = FROZEN

    channel: Channel
    messages: int = Field(ge=0)
    within: Duration


class DeclaredCampaign(BaseModel):
    """``config.meta`` of a campaign's exposure, key by key."""

    model_config = FROZEN

    enter: Name
    again: Annotated[Again, BeforeValidator(_read_again)]
    goal: Goal | None = None
    exit: Exit | None = None
    class_: CampaignClass = Field(default="marketing", alias="class")
    topic: Name = "marketing"
    priority: int = Field(default=50, ge=0, le=1000)
    holdout: Share | None = None
    max_lag: Duration
    max_source_age: Duration | None = None
    approval: Approval | None = None
    first_live_messages: int | None = Field(default=None, ge=0)
    frequency_caps: tuple[CampaignCap, ...] | None = None
    steps: tuple[DeclaredStep, ...] = Field(min_length=1)
    retired: tuple[Name, ...] = ()


class Step(BaseModel):
    """An acting step. Its wait counts from the step before, or from the entry's ``occurred_at``."""

    model_config = FROZEN

    name: str
    wait_from_previous: timedelta
    when: When | None
    send: Send
    if_not_sent: IfNotSent
    previous: str | None


class Owner(BaseModel):
    """Who answers for a campaign; dbt asks for one of the two."""

    model_config = FROZEN

    name: str | None = None
    email: str | None = None

    def is_one_of(self, identities: Iterable[str | None]) -> bool:
        """Whether one of these names or addresses of a person is the owner's; upper and lower case are the same."""
        email = (self.email or "").strip().casefold()
        own = {(self.name or "").strip().casefold(), email, email.partition("@")[0]} - {""}
        return not own.isdisjoint(identity.strip().casefold() for identity in identities if identity)


class Campaign(BaseModel):
    """A campaign with every default filled in."""

    model_config = FROZEN

    name: str
    label: str
    description: str
    owner: Owner
    cadence: Cadence
    enter: str
    again: Again
    goal: Goal | None
    exit: Exit | None
    class_: CampaignClass
    topic: str
    priority: int
    holdout: Decimal
    max_lag: timedelta
    max_source_age: timedelta
    approval: Approval
    first_live_messages: int
    """How many messages may go to real people before somebody has approved the campaign."""
    frequency_caps: tuple[FrequencyCap, ...]
    """The caps that its messages meet: its own, or the defaults of its class."""
    steps: tuple[Step, ...]
    retired: tuple[str, ...]
    fields: tuple[str, ...]
    """The audience's columns after contact_id, occurrence_key and occurred_at: what templates may use."""
    file: Path


def resolve_steps(declared: tuple[DeclaredStep, ...]) -> tuple[Step, ...]:
    """Folds each wait into the action after it."""
    steps: list[Step] = []
    wait = timedelta(0)
    for entry in declared:
        if entry.wait is not None:
            wait += entry.wait
            continue
        assert entry.name is not None
        assert entry.send is not None
        steps.append(
            Step(
                name=entry.name,
                wait_from_previous=wait,
                when=entry.when,
                send=entry.send,
                if_not_sent=entry.if_not_sent or "leave",
                previous=steps[-1].name if steps else None,
            )
        )
        wait = timedelta(0)
    return tuple(steps)
