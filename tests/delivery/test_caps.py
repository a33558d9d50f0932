"""The frequency cap holds on every path to a send, over everything that a person got under any of their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.delivery.conftest import NOON, QUICK, RULES, Company, OpenWorkspace, dispatch, plan
from tests.delivery.test_last_look import Postbox

from safar.delivery.cap_rule import COMPILED, compile_cap_rule
from safar.delivery.channel import Answer, CallGroup, OutgoingMessage, TooLarge, TryLater
from safar.delivery.dispatching import DispatchOptions
from safar.delivery.rules import DeliveryRules, FrequencyCap
from safar.settings import PROJECT_ROOT
from safar.workspace import Workspace

WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
ONE_A_WEEK = DeliveryRules(zone=RULES.zone, caps=(FrequencyCap("email", "marketing", 1, WEEK),))
ALONE = DispatchOptions(workers=1, patience=QUICK)
ANNA = "anna@example.com"


def test_what_the_claim_runs_is_compiled_from_the_macros_as_they_are() -> None:
    assert COMPILED.read_text() == compile_cap_rule(PROJECT_ROOT / "dbt_project"), "Run `make caps`, then commit."


class Meddler(Postbox):
    """Gives other answers to its first calls; meanwhile something else may happen."""

    def __init__(self, *answers: Answer, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._answers = list(answers)
        self._meanwhile = meanwhile

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        if not self._answers:
            return super().send(group, messages)
        self._meanwhile()
        return self._answers.pop(0)


def _send(workspace: Workspace, postbox: Postbox, campaign: str | None = None, class_: str = "") -> None:
    dispatch(workspace, channel=postbox, campaign=campaign, rules=ONE_A_WEEK, options=ALONE)


def _campaign_by_campaign(workspace: Workspace, postbox: Postbox) -> None:
    for name in ("first", "second"):
        _send(workspace, postbox, name)


def _whatever_is_due(workspace: Workspace, postbox: Postbox) -> None:
    _send(workspace, postbox)


def _retried_after_try_later(workspace: Workspace, postbox: Postbox) -> None:
    busy = Meddler(TryLater("busy"), TryLater("busy"), meanwhile=lambda: _send(workspace, postbox, "second"))
    dispatch(workspace, channel=busy, campaign="first", rules=ONE_A_WEEK, options=ALONE)
    postbox.sent += busy.sent


def _halves_of_a_refused_call(workspace: Workspace, postbox: Postbox) -> None:
    narrow = Meddler(TooLarge(), meanwhile=lambda: _send(workspace, postbox, "second"))
    dispatch(workspace, channel=narrow, campaign="first", rules=ONE_A_WEEK, options=ALONE)
    postbox.sent += narrow.sent


def _cleared_tasks(workspace: Workspace, postbox: Postbox) -> None:
    for _ in range(3):
        for name in ("second", "first"):
            plan(workspace, name, rules=ONE_A_WEEK)
            _send(workspace, postbox, name)


def _two_dispatchers(workspace: Workspace, postbox: Postbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: _send(workspace, postbox, name), ["first", "second"]))


PATHS = [
    _campaign_by_campaign,
    _whatever_is_due,
    _retried_after_try_later,
    _halves_of_a_refused_call,
    _cleared_tasks,
    _two_dispatchers,
]


def _plan_two(workspace: Workspace, company: Company, names: Sequence[str] = ("anna", "anna"), **values: str) -> None:
    run_id = company.add_run()
    for campaign, name in zip(("first", "second"), names, strict=True):
        company.decide(run_id, [name, "bert"] if campaign == "first" else [name], campaign=campaign, **values)
        plan(workspace, campaign, rules=ONE_A_WEEK)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__.strip("_").replace("_", " "))
def test_a_cap_holds_on_this_path(open_workspace: OpenWorkspace, company: Company, path: Callable[..., None]) -> None:
    noon, postbox = open_workspace(NOON), Postbox()
    company.add_people(["anna", "bert"])
    _plan_two(noon, company)
    path(noon, postbox)
    _send(noon, postbox)
    assert postbox.sent.count(ANNA) == 1
    assert postbox.sent.count("bert@example.com") == 1
    assert company.count_states() == {"accepted": 2, "cancelled: capped": 1}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__.strip("_").replace("_", " "))
def test_a_transactional_message_meets_no_cap_on_this_path(
    open_workspace: OpenWorkspace, company: Company, path: Callable[..., None]
) -> None:
    noon, postbox = open_workspace(NOON), Postbox()
    company.add_people(["anna", "bert"])
    _plan_two(noon, company, **{"class": "transactional"})
    path(noon, postbox)
    _send(noon, postbox)
    assert postbox.sent.count(ANNA) == 2
    assert company.count_states() == {"accepted": 3}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__.strip("_").replace("_", " "))
def test_a_cap_counts_both_names_of_a_merged_person_on_this_path(
    open_workspace: OpenWorkspace, company: Company, path: Callable[..., None]
) -> None:
    noon, postbox = open_workspace(NOON), Postbox()
    company.add_people(["anna", "bert", "former"])
    _plan_two(noon, company, ("anna", "former"))
    company.merge("former", "anna")
    path(noon, postbox)
    _send(noon, postbox)
    assert len({*postbox.sent} & {ANNA, "former@example.com"}) == 1
    assert company.count_states() == {"accepted": 2, "cancelled: capped": 1}


def test_what_a_person_got_under_a_former_name_counts_until_its_window_is_over(
    open_workspace: OpenWorkspace, company: Company
) -> None:
    company.add_people(["former", "anna", "other"])
    run_id = company.add_run()
    company.decide(run_id, ["former"], campaign="before")
    plan(open_workspace(NOON), "before", rules=ONE_A_WEEK)
    _send(open_workspace(NOON), Postbox())
    company.merge("former", "anna")
    company.merge("other", "somebody else")
    for number, at in enumerate((NOON + WEEK - SECOND, NOON + WEEK)):
        later = {"due_at": at, "expires_at": at + WEEK}
        company.decide(run_id, ["anna", "other"] if number else ["anna"], campaign=f"c{number}", **later)
        plan(open_workspace(at), f"c{number}", rules=ONE_A_WEEK)
        _send(open_workspace(at), Postbox())
    rows = company.connection.execute(
        "select campaign, contact_id, coalesce(reason, state) from ledger.message order by 1, 2"
    ).fetchall()
    assert rows == [
        ("before", "former", "accepted"),
        ("c0", "anna", "capped"),
        ("c1", "anna", "accepted"),
        ("c1", "other", "accepted"),
    ]


def test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults(
    open_workspace: OpenWorkspace, company: Company
) -> None:
    noon = open_workspace(NOON)
    rules = DeliveryRules(
        zone=RULES.zone,
        caps=(FrequencyCap("email", "marketing", 2, WEEK),),
        campaign_caps={
            "looser": (FrequencyCap("email", "marketing", 4, WEEK),),
            "tighter": (FrequencyCap("email", "marketing", 2, 4 * WEEK),),
            "free": (),
        },
    )
    company.add_people(["anna"])
    run_id = company.add_run()
    outcomes = []
    for number, campaign in enumerate(
        ["default", "default", "default", "looser", "looser", "looser", "free", "tighter"]
    ):
        company.decide(run_id, ["anna"], campaign=campaign, occurrence_key=str(number))
        company.connection.execute("update decisions.fct_decisions set run_id = %s", [run_id])
        plan(noon, campaign, rules=rules)
        dispatch(noon, channel=Postbox(), rules=rules)
        outcomes.append(
            company.scalar("select coalesce(reason, state) from ledger.message where occurrence_key = %s", str(number))
        )
        run_id = company.add_run(f"night/after-{number}")
        company.connection.execute("delete from decisions.fct_decisions")
    assert outcomes == ["accepted", "accepted", "capped", "accepted", "accepted", "capped", "accepted", "capped"]
    # Three weeks later the defaults have forgotten, the tighter cap has not.
    later = NOON + 3 * WEEK
    for number, campaign in enumerate(["tighter", "default"]):
        run_id = company.add_run(f"later/{number}")
        times = {"due_at": later, "expires_at": later + WEEK, "occurrence_key": f"later {number}"}
        company.decide(run_id, ["anna"], campaign=campaign, **times)
        plan(open_workspace(later), campaign, rules=rules)
        dispatch(open_workspace(later), channel=Postbox(), rules=rules)
    rows = company.connection.execute(
        "select campaign, coalesce(reason, state) from ledger.message where occurrence_key like 'later%' order by 1"
    ).fetchall()
    assert rows == [("default", "accepted"), ("tighter", "capped")]
