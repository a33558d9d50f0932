"""How people answer a mail: the same person, campaign, step and day always answer alike.

The effect on ordering is known here and nowhere else: `true_uplift` is the chance that a delivered mail makes an order
that would not have been. `GET /truth/sendgrid/effects` shows the table to tests; Safar never reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from sandbox.company import Person


@dataclass(frozen=True)
class Appeal:
    """What one campaign's mails do to people."""

    open_factor: float
    """Multiplies the person's own open rate."""
    click_factor: float
    """Multiplies the person's own click rate."""
    uplift: float
    """Chance of one more order for a wholly persuadable, rested person."""
    leave: float
    """Chance that a delivered mail ends in an unsubscribe, by whichever way."""
    complain: float
    """Chance that a delivered mail is reported as spam."""


APPEALS: Mapping[str, Appeal] = MappingProxyType(
    {
        "cart_abandonment": Appeal(1.3, 1.6, 0.30, 0.004, 0.0005),
        "reactivation": Appeal(0.7, 0.6, 0.05, 0.020, 0.0020),
        "loyalty": Appeal(1.1, 0.7, 0.0, 0.003, 0.0005),
    }
)
OTHER_APPEAL = Appeal(1.0, 1.0, 0.02, 0.010, 0.0010)

TIRED_WITHIN_DAYS = 3.0
TIRED_FACTOR = 0.5
"""Openness and uplift of a person whose last mail is younger than that."""
GONE_FACTOR = 0.3
"""The same for a person who has silently gone."""
DEFERRED = 0.02
BLOCKED = 0.002
READS_BY_MACHINE = 0.15
"""Share of people whose mail program fetches images by itself (sg_machine_open)."""
WAYS_TO_LEAVE = (("one_click", 0.60), ("unsubscribe", 0.25), ("preference_page", 0.15))


@dataclass(frozen=True)
class Circumstances:
    """What of a mail, besides its reader, decides the answer."""

    campaign: str
    step: str
    day: date
    """The day, in UTC, on which it is sent."""
    days_since_last_mail: float | None
    """Since any earlier mail to the same address; None when there was none."""
    is_reader_active: bool


@dataclass(frozen=True)
class Reaction:
    """One thing that happens to a mail or because of it."""

    kind: str
    """deferred, delivered, bounce, blocked, machine_open, open, click, order, spamreport or a way to leave."""
    after: float
    """Seconds after the mail was processed."""


class Dice:
    """Throws that depend on nothing but their names."""

    def __init__(self, *names: object) -> None:
        self._names = ":".join(str(name) for name in names)

    def throw(self, name: str) -> float:
        """A number from 0 (included) to 1."""
        digest = hashlib.blake2b(f"{self._names}:{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.throw(name)


def find_appeal(campaign: str) -> Appeal:
    return APPEALS.get(campaign, OTHER_APPEAL)


def true_uplift(person: Person, circumstances: Circumstances) -> float:
    """The chance that a delivered mail makes the person order once more, 0 to 1."""
    return find_appeal(circumstances.campaign).uplift * person.persuadability * _measure_interest(circumstances)


def react(person: Person | None, seed: int, circumstances: Circumstances) -> list[Reaction]:
    """What a processed mail leads to, in order of time; `person` is None when nobody has the address."""
    if person is None or not person.has_mailbox:
        return [Reaction("bounce", 20.0)]
    dice = Dice(seed, person.person_id, circumstances.campaign, circumstances.step, circumstances.day.isoformat())
    if dice.throw("block") < BLOCKED:
        return [Reaction("blocked", 30.0)]
    reactions = _deliver(dice)
    arrived = reactions[-1].after
    if Dice(seed, person.person_id).throw("machine") < READS_BY_MACHINE:
        reactions.append(Reaction("machine_open", arrived + dice.between("machine delay", 20, 120)))
    reactions += _read(person, dice, circumstances, arrived)
    return sorted(reactions, key=lambda reaction: reaction.after)


def _deliver(dice: Dice) -> list[Reaction]:
    first_try = dice.between("delivery", 3, 60)
    if dice.throw("defer") < DEFERRED:
        return [Reaction("deferred", first_try), Reaction("delivered", first_try + dice.between("deferral", 300, 3600))]
    return [Reaction("delivered", first_try)]


def _read(person: Person, dice: Dice, circumstances: Circumstances, arrived: float) -> list[Reaction]:
    appeal = find_appeal(circumstances.campaign)
    orders = dice.throw("order") < true_uplift(person, circumstances)
    leaves = dice.throw("leave") < appeal.leave
    complains = dice.throw("complain") < appeal.complain
    interest = _measure_interest(circumstances)
    opens = dice.throw("open") < min(0.95, person.open_rate * appeal.open_factor * interest)
    if not (opens or orders or leaves or complains):
        return []
    # Squared: most open within a few hours, some the next morning.
    opened = arrived + 60 + 18 * 3600 * dice.throw("open delay") ** 2
    reactions = [Reaction("open", opened)]
    if orders or dice.throw("click") < min(0.95, person.click_rate * appeal.click_factor):
        clicked = opened + dice.between("click delay", 10, 240)
        reactions.append(Reaction("click", clicked))
        if orders:
            reactions.append(Reaction("order", clicked + dice.between("order delay", 120, 5400)))
    if complains:
        reactions.append(Reaction("spamreport", opened + dice.between("complaint delay", 20, 600)))
    elif leaves:
        reactions.append(Reaction(_choose_way(dice.throw("way")), opened + dice.between("leaving delay", 15, 900)))
    return reactions


def _measure_interest(circumstances: Circumstances) -> float:
    since = circumstances.days_since_last_mail
    interest = TIRED_FACTOR if since is not None and since < TIRED_WITHIN_DAYS else 1.0
    return interest if circumstances.is_reader_active else interest * GONE_FACTOR


def _choose_way(thrown: float) -> str:
    for way, share in WAYS_TO_LEAVE:
        if thrown < share:
            return way
        thrown -= share
    return WAYS_TO_LEAVE[-1][0]
