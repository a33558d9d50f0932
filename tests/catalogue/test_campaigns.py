"""What is declared arrives in the plan, setting by setting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from safar.catalogue import Catalogue, campaign_plan, load_catalogue, plan_decisions
from safar.errors import ConfigurationError
from safar.settings import Settings

Load = Callable[..., Catalogue]


def test_the_example_resolves(load: Load) -> None:
    campaign = load().campaigns["cart_abandonment"]
    assert (campaign.cadence, campaign.class_, campaign.topic) == ("intraday", "marketing", "marketing")
    assert campaign.holdout == Decimal("0.1")
    assert campaign.max_source_age == timedelta(hours=26)
    assert (campaign.approval.people, campaign.approval.growth) == (50000, Decimal("0.5"))
    assert campaign.fields == ("first_name", "recovery_url")
    reminder, offer = campaign.steps
    assert (reminder.wait_from_previous, reminder.previous, reminder.when) == (timedelta(hours=1), None, None)
    assert (offer.wait_from_previous, offer.previous, offer.when) == (timedelta(hours=23), "reminder", "not clicked")


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        ("intraday]", "nightly]\n      # ", "cadence", "nightly"),
        ("again: each_occurrence", "again: never", "again", "never"),
        ("again: each_occurrence", "again: after 90 days", "again", "after"),
        ("again: each_occurrence", "again: after 90 days", "again_after_seconds", 90 * 86400),
        (
            "goal: {model: fct_orders",
            "goal: {model: audience_cart_abandonment",
            "goal_model",
            "audience_cart_abandonment",
        ),
        ("at: ordered_at", "at: order_id", "goal_at", "order_id"),
        ("exit: goal", "exit: either", "exit", "either"),
        ("priority: 80", "priority: 7", "priority", 7),
        ("holdout: 10 %", "holdout: 2.5 %", "holdout", 0.025),
        ("class: marketing", "class: marketing\n        topic: offers", "topic", "offers"),
        ("max_lag: 24 hours", "max_lag: 30 hours", "max_lag_seconds", 30 * 3600),
        ("max_lag: 24 hours", "max_lag: 24 hours\n        max_source_age: 3 hours", "max_source_age_seconds", 3 * 3600),
    ],
)
def test_a_setting_arrives_in_the_plan(load: Load, old: str, new: str, key: str, value: Any) -> None:
    before = campaign_plan(load().campaigns["cart_abandonment"])
    changes = [(old, new)]
    if "nightly" in new:
        changes.append(("max_lag: 24 hours", "max_lag: 37 hours"))
    if key == "goal_model":
        changes.append(("at: ordered_at", "at: occurred_at"))
    after = campaign_plan(load(*changes).campaigns["cart_abandonment"])
    assert before[key] != value
    assert after[key] == value


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        ("{wait: 23 hours}", "{wait: 2 days}", "wait_seconds", 2 * 86400),
        ("when: not clicked", "when: opened", "when", "opened"),
        ("template: cart_offer", "template: cart_reminder", "template", "cart_reminder"),
        ("channel: email, template: cart_offer", "channel: push, template: cart_offer", "channel", "push"),
        ("if_not_sent: leave", "if_not_sent: continue", "if_not_sent", "continue"),
        ("name: reminder", "name: nudge", "previous", "nudge"),
        ("name: offer", "name: gift", "name", "gift"),
    ],
)
def test_a_step_s_setting_arrives_in_the_plan(load: Load, old: str, new: str, key: str, value: Any) -> None:
    before = campaign_plan(load().campaigns["cart_abandonment"])
    after = campaign_plan(load((old, new)).campaigns["cart_abandonment"])
    assert before["steps"][1][key] != value
    assert after["steps"][1][key] == value
    assert before["journey_version"] != after["journey_version"]


def test_transactional_needs_no_holdout_and_no_quiet_lag(load: Load) -> None:
    changes = [("class: marketing", "class: transactional"), ("        holdout: 10 %\n", ""), ("24 hours", "2 hours")]
    plan = campaign_plan(load(*changes).campaigns["cart_abandonment"])
    assert (plan["class"], plan["holdout"]) == ("transactional", 0)


def test_a_campaign_s_own_guard_rails_win(load: Load) -> None:
    own = (
        "holdout: 10 %\n        approval: {people: 10, growth: 200 %}\n        max_source_age: 2 days\n"
        "        first_live_messages: 0"
    )
    campaign = load(("holdout: 10 %", own)).campaigns["cart_abandonment"]
    assert (campaign.approval.people, campaign.approval.growth) == (10, 2)
    assert campaign.max_source_age == timedelta(days=2)
    assert campaign.first_live_messages == 0


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [
        (
            "max_source_age: 26 hours",
            "max_source_age: 5 hours",
            lambda c: c.campaigns["cart_abandonment"].max_source_age,
        ),
        ("people: 50000", "people: 3", lambda c: c.campaigns["cart_abandonment"].approval.people),
        ("growth: 50 %", "growth: 75 %", lambda c: c.campaigns["cart_abandonment"].approval.growth),
        (
            "first_live_messages: 50",
            "first_live_messages: 5",
            lambda c: c.campaigns["cart_abandonment"].first_live_messages,
        ),
        ("last_messages: 10000", "last_messages: 5000", lambda c: c.defaults.circuit_breaker.last_messages),
        ("min_messages: 2000", "min_messages: 100", lambda c: c.defaults.circuit_breaker.min_messages),
        ("refusals: 5 %", "refusals: 6 %", lambda c: c.defaults.circuit_breaker.refusals),
        ("bounces: 2 %", "bounces: 1 %", lambda c: c.defaults.circuit_breaker.bounces),
        ("complaints_warn: 0.1 %", "complaints_warn: 0.2 %", lambda c: c.defaults.circuit_breaker.complaints_warn),
        ("complaints: 0.3 %", "complaints: 0.2 %", lambda c: c.defaults.circuit_breaker.complaints),
        ('from: "21:00"', 'from: "22:30"', lambda c: c.defaults.quiet_hours.longest),
        ("messages: 3", "messages: 9", lambda c: c.defaults.frequency_caps[0].messages),
        ("Europe/Berlin", "Europe/Madrid", lambda c: c.defaults.zone),
        ("universal_control: 0.02", "universal_control: 4 %", lambda c: c.defaults.universal_control),
    ],
)
def test_a_default_has_effect(load: Load, old: str, new: str, read: Callable[[Catalogue], Any]) -> None:
    assert read(load()) != read(load(vars_=((old, new),)))


def test_the_rules_for_all_campaigns_reach_the_decisions(load: Load) -> None:
    own = (
        ("messages: 3, within: 7 days", "messages: 2, within: 36 hours"),
        ("holdout_salt: safar", "holdout_salt: sel"),
    )
    plan = plan_decisions(load(vars_=own))
    assert [campaign["name"] for campaign in plan["campaigns"]] == ["cart_abandonment"]
    assert plan["campaigns"][0]["caps"] == [
        {"channel": "email", "class": "marketing", "limit": 2, "window_seconds": 36 * 3600}
    ]
    assert plan["rules"] == {"universal_control": 0.02, "holdout_salt": "sel"}


@pytest.mark.parametrize(
    ("own", "caps"),
    [
        ("[]", []),
        (
            "[{channel: push, messages: 1, within: 1 day}]",
            [{"channel": "push", "class": "marketing", "limit": 1, "window_seconds": 86400}],
        ),
        (
            "[{channel: email, messages: 9, within: 1 hour}, {channel: email, messages: 20, within: 4 weeks}]",
            [
                {"channel": "email", "class": "marketing", "limit": 9, "window_seconds": 3600},
                {"channel": "email", "class": "marketing", "limit": 20, "window_seconds": 28 * 86400},
            ],
        ),
    ],
    ids=["none", "of another channel", "two"],
)
def test_a_campaign_s_own_caps_replace_all_the_defaults(load: Load, own: str, caps: list[dict[str, Any]]) -> None:
    plan = campaign_plan(
        load(("holdout: 10 %", f"holdout: 10 %\n        frequency_caps: {own}")).campaigns["cart_abandonment"]
    )
    assert plan["caps"] == caps


def test_a_cap_of_transactional_messages_is_refused(load: Load) -> None:
    cap = ("class: marketing, messages: 3", "class: transactional, messages: 3")
    with pytest.raises(ConfigurationError, match=r"frequency_caps.*a transactional message is never held back"):
        load(vars_=(cap,))


def test_a_longer_interval_between_builds_asks_for_more_lag(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"Allow at least 25 hours"):
        load(vars_=(("intraday: 1 hour", "intraday: 12 hours"),))


def test_the_default_locale_is_the_one_that_every_template_must_have(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"is not written in 'de', which whoever has no better locale gets"):
        load(vars_=(("default_locale: en", "default_locale: de"),))


def test_the_quiet_night_lasts_an_hour_longer_when_clocks_are_put_back(load: Load) -> None:
    assert load().defaults.quiet_hours.longest == timedelta(hours=13)


def test_all_problems_of_a_file_come_at_once(load: Load) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(("holdout: 10 %", "holdout: lots"), ("priority: 80", "priorty: 80"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "priority" in lines[1] or "priority" in lines[0]


def test_an_unknown_default_time_zone_is_refused(load: Load) -> None:
    with pytest.raises(
        ConfigurationError, match=r"dbt_project.yml:\d+: time_zone: 'Mars/Olympus' is no IANA time zone"
    ):
        load(vars_=(("Europe/Berlin", "Mars/Olympus"),))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("min_messages: 2000", "min_messages: 20000", "min_messages is above last_messages"),
        ("complaints_warn: 0.1 %", "complaints_warn: 1 %", "complaints_warn is above complaints"),
    ],
)
def test_a_circuit_breaker_that_could_never_open_is_refused(load: Load, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(vars_=((old, new),))


def test_a_folder_without_its_file_is_refused(settings: Settings) -> None:
    (settings.dbt_project / "models" / "campaigns" / "birthday").mkdir()
    with pytest.raises(ConfigurationError, match=r"birthday: the campaign has no birthday.yml. Add it"):
        load_catalogue(settings)


def test_reading_is_cheap(settings: Settings) -> None:
    load_catalogue(settings)
    started = time.perf_counter()
    load_catalogue(settings)
    assert time.perf_counter() - started < 0.1
