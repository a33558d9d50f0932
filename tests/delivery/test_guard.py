"""Nothing leaves by accident."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests
from tests.delivery.conftest import (
    GROUP,
    NOON,
    Company,
    OpenWorkspace,
    RunningSandbox,
    describe_sendgrid,
    dispatch,
    plan,
    publish_by_hand,
)

from safar.connections import parse_connection
from safar.delivery.channel import Misconfigured, OutgoingMessage
from safar.delivery.guard import allowed_recipients, require_allowed_host
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.errors import ConfigurationError
from safar.settings import Settings
from safar.workspace import Workspace

PRODUCTION = Settings(environment="production")
DEVELOPMENT = Settings(environment="development")


def connect(host: str, **extra: Any) -> Any:
    return parse_connection("sendgrid", __import__("json").dumps({"host": host, "extra": extra}))


@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://LOCALHOST:9",
        "http://[::1]:9",
        "http://127.8.9.1",
        "http://localhost./x",
    ],
)
def test_this_machine_may_always_be_called(host: str) -> None:
    assert require_allowed_host(DEVELOPMENT, connect(host))


@pytest.mark.parametrize(
    "host",
    [
        "https://api.sendgrid.com",
        "HTTPS://API.SENDGRID.COM",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "http://localhost:80@evil.com",
        "http://evil.com\\@127.0.0.1",
        "http://evil.com#@127.0.0.1",
        "http://0.0.0.0",
        "http://2130706433",
        "http://127.1",
        "http://[::ffff:8.8.8.8]",
        "http://loc%61lhost.evil.com",
        "ftp://127.0.0.1",
        "http://127.0.0.1:port",
        "http://",
    ],
)
@pytest.mark.parametrize(
    ("settings", "live"),
    [(DEVELOPMENT, True), (PRODUCTION, False), (PRODUCTION, "true"), (Settings(environment="staging"), True)],
)
def test_anything_else_needs_both_switches(host: str, settings: Settings, live: Any) -> None:
    with pytest.raises(ConfigurationError, match="sendgrid"):
        require_allowed_host(settings, connect(host, live=live))


def test_both_switches_or_the_allow_list_open_it() -> None:
    assert require_allowed_host(PRODUCTION, connect("https://api.sendgrid.com", live=True))
    assert allowed_recipients(PRODUCTION, connect("https://api.sendgrid.com", live=True)) is None
    listed = connect("https://Test.example.com", allow_hosts=["test.example.com"], allow_recipients=["Me@Example.com"])
    assert require_allowed_host(DEVELOPMENT, listed)
    assert allowed_recipients(DEVELOPMENT, listed) == frozenset({"me@example.com"})
    assert (
        allowed_recipients(DEVELOPMENT, connect("https://t.example.com", allow_hosts=["t.example.com"])) == frozenset()
    )
    with pytest.raises(ConfigurationError, match="user name"):
        require_allowed_host(PRODUCTION, connect("https://user@api.sendgrid.com", live=True))


def test_a_real_host_without_the_switch_is_never_called_and_says_what_would_allow_it(
    open_workspace: OpenWorkspace, company: Company, connections: dict[str, Any]
) -> None:
    connections["sendgrid"] = describe_sendgrid("https://api.sendgrid.com", live=True)
    company.add_people(["anna"])
    company.decide(company.add_run(), ["anna"])
    workspace: Workspace = open_workspace(NOON)
    plan(workspace)
    with pytest.raises(ConfigurationError, match=r"api\.sendgrid\.com.*SAFAR_ENVIRONMENT=production"):
        dispatch(workspace)
    assert company.count_states() == {"planned": 1}


def test_over_a_test_host_only_listed_people_are_written_to(
    open_workspace: OpenWorkspace, company: Company, connections: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name test.invalid never resolves; what is refused is refused before anybody is asked."""
    connections["sendgrid"] = describe_sendgrid(
        "http://test.invalid", allow_hosts=["test.invalid"], allow_recipients=["nobody@example.com"]
    )
    company.add_people([f"p{number}" for number in range(10)])
    company.decide(company.add_run(), [f"p{number}" for number in range(10)])
    workspace = open_workspace(NOON)
    plan(workspace)
    company.connection.execute(
        "insert into ledger.published_template_current values ('sendgrid', 'reactivation_reminder', 'en', 'x', 'd-1')"
    )
    assert dispatch(workspace).messages == {"failed": 10}
    assert company.count_states() == {"failed: not in allow_recipients": 10}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_outside_of_the_sandbox_this_machine_is_not_a_provider(environment: str) -> None:
    settings = Settings.model_validate({"environment": environment})
    with pytest.raises(ConfigurationError, match="SAFAR_ENVIRONMENT"):
        require_allowed_host(settings, connect("http://127.0.0.1:9"))
    assert allowed_recipients(settings, connect("http://127.0.0.1:9", allow_hosts=["127.0.0.1"])) == frozenset()


def test_a_live_connection_that_leads_inside_sends_nothing_and_is_ours_to_mend(
    open_workspace: OpenWorkspace, sandbox: RunningSandbox, connections: dict[str, Any]
) -> None:
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid")
    publish_by_hand(open_workspace(NOON))
    connections["sendgrid"] = describe_sendgrid(f"{sandbox.root}/sendgrid", live=True)
    before = requests.get(f"{sandbox.root}/truth/sendgrid/counts", timeout=10).json()
    channel = SendGridChannel.open(open_workspace(NOON, environment="production"), default_locale="en")
    answer = channel.send(GROUP, [OutgoingMessage(uuid.uuid4(), "anna@example.com", {})])
    assert isinstance(answer, Misconfigured)
    assert "on this machine" in answer.remedy
    assert requests.get(f"{sandbox.root}/truth/sendgrid/counts", timeout=10).json() == before
