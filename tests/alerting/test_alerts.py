"""Somebody is told: once per cause, by every target that is up, and by the others when they are back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from tests.alerting.listeners import Listeners, find_free_port
from tests.conftest import NIGHT

from safar.alerting import Alert, AlertKind, close_alerts, describe_failure, raise_alerts, watch_ledger
from safar.alerting.alert import hide_values
from safar.errors import ConfigurationError, SafarError
from safar.feedback import IdentityBroken, keep_house
from safar.settings import PROJECT_ROOT
from safar.warehouse import Pin, RedModels, announce_blocked
from safar.workspace import Workspace

OpenWorkspace = Callable[..., Workspace]
RUN = "insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version) values (%s, 'nightly', 'build_nightly', %s, now(), '{}', 'x')"
MESSAGE = """
with acted as (
    insert into ledger.action (action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class, entry_occurred_at, due_at, expires_at, planned_at)
    values (gen_random_uuid(), 'night', 'loyalty', 'thanks', %(key)s, %(key)s, 'message', 'marketing', now(), now(), now(), now())
    returning action_id
)
insert into ledger.message (message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, priority, template, locale, address_hash, address_key_id, entry_occurred_at, due_at, expires_at, planned_at)
select gen_random_uuid(), action_id, 'night', 'loyalty', 'thanks', %(key)s, %(key)s, 'email', 'marketing', 1, 't', 'en', %(key)s, 'test', now(), now(), now(), now() from acted
"""
CLAIM = """
insert into ledger.claim (claim_id, lease_until, message_ids)
select occurrence_key, now() + interval '1 hour', array[message_id] from ledger.message where occurrence_key = %(key)s
"""
ALERT = Alert(AlertKind.TASK_FAILED, "task_failed:a", "a failed", "It broke.", "http://airflow.example.com/dags/a")


def change(database: str, *statements: str, **values: object) -> None:
    with psycopg.connect(database) as connection:
        for statement in statements:
            connection.execute(statement, values)  # type: ignore[arg-type]


STEPS = {
    "claimed": "claimed_at = now(), claimed_by = occurrence_key, lease_until = now() + interval '1 hour'",
    "attempting": "attempted_at = now(), attempt_count = attempt_count + 1",
    "unknown": "claimed_by = null, lease_until = null",
    "accepted": "accepted_at = now()",
}


def add_messages(database: str, keys: Sequence[str], *states: str) -> None:
    """Messages that go through these states."""
    with psycopg.connect(database) as connection:
        connection.execute(f"{RUN} on conflict do nothing", ["night", "night"])
        for key in keys:
            connection.execute(MESSAGE, {"key": key})
            connection.execute(CLAIM, {"key": key})
    move_messages(database, keys, *states)


def move_messages(database: str, keys: Sequence[str], *states: str) -> None:
    with psycopg.connect(database) as connection:
        for state in states:
            change = f"update ledger.message set state = %s, {STEPS[state]} where occurrence_key = any(%s)"
            connection.execute(change, [state, list(keys)])  # type: ignore[call-overload]


def test_an_alert_says_what_where_and_what_to_do_to_every_target(
    listeners: Listeners, open_workspace: OpenWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    raise_alerts(open_workspace(), [ALERT])
    [mail], [post] = listeners.mails, listeners.posts
    assert (mail["Subject"], mail["To"]) == ("[Safar] a failed", "oncall@shop.example.com")
    for told in (mail.get_content(), post):
        assert "It broke." in told
        assert "https://wiki.example.com/runbook.md#alert-task-failed" in told
        assert "http://airflow.example.com/dags/a" in told
    assert "ALERT task_failed: a failed: It broke." in caplog.text


def test_the_same_cause_is_told_once_until_it_is_over(listeners: Listeners, open_workspace: OpenWorkspace) -> None:
    workspace = open_workspace()
    for _ in range(3):
        raise_alerts(workspace, [ALERT])
    assert len(listeners.mails) == len(listeners.posts) == 1
    close_alerts(workspace, [AlertKind.TASK_FAILED])
    raise_alerts(workspace, [ALERT])
    assert len(listeners.mails) == len(listeners.posts) == 2


def test_a_target_that_is_down_loses_nothing_and_stops_nobody_else(
    listeners: Listeners, open_workspace: OpenWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    listeners.status = 500
    raise_alerts(open_workspace(), [ALERT])
    assert (len(listeners.mails), len(listeners.posts)) == (1, 0)
    assert "webhook did not take task_failed (NotTaken)" in caplog.text
    assert "s3cr3t" not in caplog.text
    listeners.status = 200
    watch_ledger(open_workspace())
    assert (len(listeners.mails), len(listeners.posts)) == (1, 1)


def test_a_webhook_that_redirects_is_not_followed(listeners: Listeners, open_workspace: OpenWorkspace) -> None:
    listeners.status = 307
    raise_alerts(open_workspace(), [ALERT])
    assert (len(listeners.mails), len(listeners.posts)) == (1, 0)


def test_without_a_ledger_everybody_is_told_all_the_same(
    listeners: Listeners, open_workspace: OpenWorkspace, connections: dict[str, Any]
) -> None:
    connections["safar_ledger"] = {**connections["safar_ledger"], "port": find_free_port()}
    raise_alerts(open_workspace(), [ALERT])
    assert len(listeners.mails) == len(listeners.posts) == 1


def test_a_wrong_connection_is_complained_of_and_the_alert_goes_to_the_log(
    open_workspace: OpenWorkspace, connections: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    connections["safar_alerts"] = {"extra": {"targets": ["email"], "webhook_secret_url": "http://x/s3cr3t"}}
    raise_alerts(open_workspace(), [ALERT])
    assert "target email needs recipients and sender" in caplog.text
    assert "ALERT task_failed" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_in_production_a_webhook_on_this_machine_is_not_called(
    listeners: Listeners, open_workspace: OpenWorkspace, connections: dict[str, Any]
) -> None:
    raise_alerts(open_workspace(environment="production"), [ALERT])
    assert (len(listeners.mails), len(listeners.posts)) == (1, 0)
    connections["safar_alerts"] = listeners.describe_connection(allow_hosts=["127.0.0.1"])
    watch_ledger(open_workspace(environment="production"))
    assert (len(listeners.mails), len(listeners.posts)) == (1, 1)


def test_each_blocked_campaign_of_a_run_is_told_once(
    listeners: Listeners, open_workspace: OpenWorkspace, database: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(RUN, ["night", "night"])
        for campaign, reason in (
            ("loyalty", "The model m is red (division by zero)."),
            ("carts", "stale"),
            ("x", None),
        ):
            connection.execute(
                "insert into ledger.campaign_gate (run_id, campaign, is_blocked, reason) values ('night', %s, %s, %s)",
                [campaign, reason is not None, reason],
            )
    pin = Pin.model_validate(
        {"run_id": "night", "sequence": 1, "cadence": "nightly", "as_of": NIGHT, "known_at": {}, "rules_version": "x"}
    )
    for _ in range(2):
        announce_blocked(open_workspace(), pin, "http://airflow.example.com/dags/build_nightly")
    subjects = ["[Safar] carts is blocked in night", "[Safar] loyalty is blocked in night"]
    assert sorted(listeners.list_subjects()) == subjects
    assert "division by zero" in " ".join(listeners.posts)
    assert "#alert-campaign-blocked" in listeners.posts[0]


def test_an_open_circuit_breaker_is_told_once(
    listeners: Listeners, open_workspace: OpenWorkspace, database: str
) -> None:
    change(
        database,
        "insert into ledger.stop (channel, reason, created_by) values ('email', '30 bounces among 900.', 'circuit breaker'), (null, 'holiday', 'anna')",
    )
    for _ in range(2):
        watch_ledger(open_workspace())
    assert listeners.list_subjects() == ["[Safar] Channel email is stopped by its circuit breaker"]
    assert "30 bounces" in listeners.posts[0]


def test_unknown_messages_above_the_limit_are_told_and_again_when_they_come_back(
    listeners: Listeners, open_workspace: OpenWorkspace, database: str
) -> None:
    add_messages(database, ["a", "b"], "claimed", "attempting", "unknown")
    watch_ledger(open_workspace())
    assert listeners.mails == [], "two are allowed"
    add_messages(database, ["c"], "claimed", "attempting", "unknown")
    for _ in range(2):
        watch_ledger(open_workspace())
    assert listeners.list_subjects() == ["[Safar] 3 messages of unknown fate"]
    move_messages(database, ["c"], "accepted")
    watch_ledger(open_workspace())
    add_messages(database, ["d"], "claimed", "attempting", "unknown")
    watch_ledger(open_workspace())
    assert len(listeners.mails) == len(listeners.posts) == 2


def test_a_webhook_that_is_silent_after_messages_were_accepted_is_told(
    listeners: Listeners, open_workspace: OpenWorkspace, connections: dict[str, Any], database: str
) -> None:
    add_messages(database, ["a"], "claimed", "attempting", "accepted")
    watch_ledger(open_workspace())
    assert listeners.mails == [], "an hour may pass"
    connections["safar_alerts"] = listeners.describe_connection(silent_hours=1e-9)
    for _ in range(2):
        watch_ledger(open_workspace())
    assert listeners.list_subjects() == ["[Safar] The provider's webhook is silent"]
    change(
        database,
        "insert into ledger.provider_event (provider, event_id, event_type, occurred_at) values ('sendgrid', 'e1', 'delivered', now())",
    )
    watch_ledger(open_workspace())
    with psycopg.connect(database) as connection:
        closed = connection.execute("select closed_at is not null from ledger.alert").fetchall()
    assert closed == [(True,)]


def test_a_provider_that_takes_nothing_for_an_hour_is_told_although_no_task_fails(
    listeners: Listeners, open_workspace: OpenWorkspace, database: str
) -> None:
    def call(answer: str, accepted: int, minutes_ago: int) -> None:
        change(
            database,
            "insert into ledger.provider_call (channel, provider, campaign, answer, message_count, accepted_count, "
            f"failed_count, recorded_at) values ('email', 'sendgrid', 'c', '{answer}', 10, {accepted}, 0, "
            f"clock_timestamp() - interval '{minutes_ago} minutes')",
        )

    for minutes_ago in (90, 70, 50):
        call("try_later", 0, minutes_ago)
    call("accepted", 10, 45)
    for minutes_ago in (40, 30, 20, 10, 0):
        call("try_later", 0, minutes_ago)
    watch_ledger(open_workspace())
    assert listeners.mails == [], "a bad half hour passes"
    change(database, "update ledger.provider_call set accepted_count = 0 where answer = 'accepted'")
    for _ in range(2):
        watch_ledger(open_workspace())
    assert listeners.list_subjects() == ["[Safar] sendgrid takes nothing"]
    assert "8 calls since" in listeners.posts[0]
    call("accepted", 10, 0)
    watch_ledger(open_workspace())
    with psycopg.connect(database) as connection:
        assert connection.execute("select closed_at is not null from ledger.alert").fetchall() == [(True,)]


def test_a_book_that_does_not_balance_is_told_as_what_it_is(
    listeners: Listeners, open_workspace: OpenWorkspace, database: str
) -> None:
    change(
        database,
        RUN.replace("%s", "'night'"),
        "insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result) values ('night', 'loyalty', 'thanks', 'c1', 'o1', 'expired')",
    )
    workspace = open_workspace()
    with pytest.raises(IdentityBroken) as broken:
        keep_house(workspace)
    alert = describe_failure(broken.value, where="keep_house.keep_house", key="1")
    assert alert is not None
    raise_alerts(workspace, [alert])
    assert "#alert-identity-broken" in listeners.posts[0]
    assert "0 send decisions, 1 plan results" in listeners.mails[0].get_content()


def test_a_verdict_is_not_told_because_each_of_its_causes_is() -> None:
    assert describe_failure(RedModels("red", []), where="build_nightly.verdict", key="1") is None


def test_an_alert_quotes_no_value_of_a_row() -> None:
    said = hide_values(
        'invalid input syntax for type date: "Anna Nasr" Key (email)=(a.n@x.example) exists; call +49 30 1234567; '
        "value \"0301\" is out of range; column 'hubspot' since 2026-03-02 02:00 UTC"
    )
    assert said == (
        "invalid input syntax for type date: … Key (email)=… exists; call …; "
        "value … is out of range; column 'hubspot' since 2026-03-02 02:00 UTC"
    )
    foreign = describe_failure(ValueError("a.n@x.example"), where="x", key="1")
    ours = describe_failure(SafarError("The vendor refuses 'hubspot'."), where="x", key="1")
    assert foreign is not None
    assert foreign.text == "ValueError. The task's log says more."
    assert ours is not None
    assert ours.text == "The vendor refuses 'hubspot'."


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"targets": ["pager"]}, "extra.targets.0"),
        ({"colour": "red"}, "extra.colour"),
        ({"targets": ["webhook"]}, "needs webhook_secret_url"),
    ],
)
def test_a_wrong_setting_is_named(extra: dict[str, Any], message: str) -> None:
    from safar.alerting import read_alert_settings
    from safar.connections import Connection

    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read_alert_settings(Connection(conn_id="safar_alerts", extra=extra))


@pytest.mark.parametrize("kind", list(AlertKind))
def test_the_runbook_has_a_part_for_each_alert(kind: AlertKind) -> None:
    text = (PROJECT_ROOT / "docs" / "runbook.md").read_text()
    parts = {slug(part.splitlines()[0]): part for part in re.split(r"^#{2,3} ", text, flags=re.MULTILINE)[1:]}
    assert kind.anchor in parts, f"docs/runbook.md has no heading for {kind.anchor}."
    for question in ("What happened", "What is safe to do", "How to see that it worked"):
        assert f"**{question}.**" in parts[kind.anchor], f"{kind.anchor} does not answer: {question}?"


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
