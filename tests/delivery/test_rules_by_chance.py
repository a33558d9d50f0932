"""Whatever the order of plans, dispatches, refusals, mergers and opt-outs: the rules hold, over every window."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.delivery.conftest import NOON, QUICK, RULES, Company, OpenWorkspace, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.delivery.channel import Answer, CallGroup, NoAnswer, OutgoingMessage, Refused, TooLarge, TryLater
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.rules import DeliveryRules, FrequencyCap
from safar.feedback import check_identities
from safar.workspace import Workspace

SECOND = timedelta(seconds=1)
WINDOW = timedelta(days=2)
LONG_WINDOW = timedelta(days=5)
CAPS = DeliveryRules(
    zone=RULES.zone,
    caps=(FrequencyCap("email", "marketing", 2, WINDOW),),
    campaign_caps={"tight": (FrequencyCap("email", "marketing", 1, LONG_WINDOW),), "free": ()},
)
LIMITS = {"one": (2, WINDOW), "two": (2, WINDOW), "tight": (1, LONG_WINDOW)}
CAMPAIGNS = ["one", "two", "tight", "free", "receipt"]
MOVES = [SECOND, timedelta(hours=5), WINDOW - SECOND, WINDOW, WINDOW + SECOND, LONG_WINDOW]
PEOPLE = 4

# How full a cap's window was when each message was claimed, itself included; of one instant, in the order of claims.
FULLEST_WINDOW = """
with claims as (
    select message_id, max(transition_id) as claim_order
    from ledger.message_transition where to_state = 'claimed' group by message_id
),
taken as (
    select message.*, claims.claim_order, coalesce(alias.contact_id, message.contact_id) as person_id
    from ledger.message as message
    join claims using (message_id)
    left join ledger.contact_alias as alias on alias.alias_id = message.contact_id
    where class = 'marketing' and state in ('claimed', 'attempting', 'accepted', 'unknown', 'presumed_lost')
)
select coalesce(max((
    select count(*) from taken as earlier
    where
        earlier.person_id = taken.person_id
        and earlier.claimed_at > taken.claimed_at - %s
        and earlier.claim_order <= taken.claim_order
        -- Before the two turned out to be one, nobody could know.
        and (earlier.contact_id = taken.contact_id or taken.claimed_at >= coalesce(%s::jsonb ->> taken.person_id, '-infinity')::timestamptz)
)), 0)
from taken
where campaign = %s
"""


class MoodyProvider(Postbox):
    """Takes calls, refuses them, splits them, or keeps silent."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        mood = self._chance.random()
        if mood < 0.6:
            return super().send(group, messages)
        if mood < 0.7 and len(messages) > 1:
            return TooLarge()
        if mood < 0.8:
            return Refused("bad address", {0: "bad address"})
        if mood < 0.9:
            return TryLater("busy")
        self.sent += [message.address for message in messages]
        return NoAnswer("time-out")


class Life(RuleBasedStateMachine):
    """A few people and campaigns; time goes forward by steps that meet the windows' edges."""

    company: Company
    open_workspace: OpenWorkspace
    number = 0
    mergers: ClassVar[dict[str, str]] = {}

    @initialize()
    def begin(self) -> None:
        Life.number += 1
        self.now = NOON + Life.number * timedelta(days=100)
        self.people = [f"p{Life.number}-{number}" for number in range(PEOPLE)]
        self.company.add_people(self.people)
        self.permitted = {f"{name}@example.com" for name in self.people}
        self.merged_at: dict[str, str] = {}
        self.sent: list[str] = []
        self.count = 0

    @property
    def workspace(self) -> Workspace:
        return self.open_workspace(self.now)

    @rule(
        campaigns=st.lists(st.sampled_from(CAMPAIGNS), min_size=2, max_size=4),
        chosen=st.sets(st.integers(0, PEOPLE - 1), min_size=2),
        by=st.sampled_from(MOVES),
        seeds=st.lists(st.integers(0, 10_000), min_size=1, max_size=2),
        leaver=st.integers(0, 2 * PEOPLE),
    )
    def live_on(self, campaigns: list[str], chosen: set[int], by: timedelta, seeds: list[int], leaver: int) -> None:
        for campaign in campaigns:
            self._decide_and_plan(campaign, chosen)
        if leaver < PEOPLE:
            self.answer(leaver, "revoked")
        self._send_what_is_due(seeds)
        self.now += by
        self._send_what_is_due(seeds[:1])

    def _decide_and_plan(self, campaign: str, chosen: set[int]) -> None:
        self.count += 1
        run_id = self.company.add_run(f"life{Life.number}/{self.count}")
        values = {"due_at": self.now, "entry_occurred_at": self.now, "expires_at": self.now + timedelta(days=3)}
        values |= {"occurrence_key": run_id, "class": "transactional" if campaign == "receipt" else "marketing"}
        self.company.decide(run_id, [self.people[number] for number in sorted(chosen)], campaign=campaign, **values)
        for _ in range(2):
            plan(self.workspace, campaign, rules=CAPS)

    def _send_what_is_due(self, seeds: list[int]) -> None:
        """One dispatcher, or two at once, each with a provider of its own temper."""
        providers = [MoodyProvider(seed) for seed in seeds]
        options = DispatchOptions(workers=1, batch_size=3, patience=QUICK)
        with ThreadPoolExecutor(len(providers)) as pool:
            list(pool.map(lambda one: dispatch(self.workspace, channel=one, rules=CAPS, options=options), providers))
        news = [address for provider in providers for address in provider.sent]
        self.sent += news
        marketing = self.company.connection.execute(
            "select address from ledger.message where class = 'marketing' and claimed_at = %s"
            " and state in ('accepted', 'unknown')",
            [self.now],
        ).fetchall()
        assert {row[0] for row in marketing} <= self.permitted, "written to after an opt-out"

    @rule(number=st.integers(0, PEOPLE - 1))
    def grant(self, number: int) -> None:
        self.answer(number, "granted")

    def answer(self, number: int, state: str) -> None:
        self.now += SECOND
        name = self.people[number]
        self.company.permit(name, state, self.now)
        change = self.permitted.add if state == "granted" else self.permitted.discard
        change(f"{name}@example.com")

    @rule(number=st.integers(1, PEOPLE - 1))
    def merge_with_the_first(self, number: int) -> None:
        former, person = self.people[number], self.people[0]
        if not self.company.scalar("select 1 from ledger.contact_alias where alias_id = %s", former):
            self.now += SECOND
            self.company.merge(former, person)
            self.merged_at[person] = self.now.isoformat()

    @rule()
    def pause_and_go_on(self) -> None:
        self.company.connection.execute("insert into ledger.stop (reason, created_by) values ('pause', 'test')")
        assert dispatch(self.workspace, channel=Postbox(), rules=CAPS).messages.keys() <= {"expired"}
        self.company.connection.execute("update ledger.stop set lifted_at = now()")

    @invariant()
    def the_caps_hold_in_every_window(self) -> None:
        for campaign, (limit, window) in LIMITS.items():
            merged = self._write_mergers()
            assert self.company.scalar(FULLEST_WINDOW, window, merged, campaign) <= limit, campaign

    @invariant()
    def nobody_has_two_of_one(self) -> None:
        twice = self.company.scalar(
            "select count(*) from (select from ledger.message group by campaign, step, occurrence_key, address_hash"
            " having count(*) > 1) as twice"
        )
        assert twice == 0
        assert len(self.sent) == self.company.scalar(
            "select count(*) from ledger.message where contact_id = any(%s) and state in ('accepted', 'unknown')",
            self.people,
        )

    def teardown(self) -> None:
        if hasattr(self, "people"):
            check_identities(self.workspace)

    def _write_mergers(self) -> str:
        Life.mergers |= self.merged_at
        return json.dumps(Life.mergers)


def test_caps_opt_outs_and_accounts_hold_whatever_happens(company: Company, open_workspace: OpenWorkspace) -> None:
    Life.company, Life.open_workspace, Life.number, Life.mergers = company, staticmethod(open_workspace), 0, {}
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=6,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    reasons = company.count_states()
    assert {"accepted", "cancelled: capped", "cancelled: opted_out"} <= reasons.keys(), reasons
