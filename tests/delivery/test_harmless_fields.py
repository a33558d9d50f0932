"""What people call themselves cannot become a link, a header, HTML or Handlebars in somebody's mail."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import pytest
import requests
from tests.delivery.conftest import GROUP, NOON, OpenWorkspace, RunningSandbox, publish_by_hand

from safar.delivery.channel import Accepted, OutgoingMessage
from safar.delivery.harmless_fields import neutralise_fields, neutralise_link, neutralise_text
from safar.delivery.sendgrid_channel import SendGridChannel
from safar.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Anna", "Anna"),
        ("نیلوفر کریمی‌نژاد", "نیلوفر کریمی‌نژاد"),
        ("O'Brien-Łukasz & Söhne 3.0", "O'Brien-Łukasz & Söhne 3.0"),
        ("Win at https://evil.example/x?y=1", "Win at evil. example/x?y=1"),
        ("www.evil.com", "www. evil. com"),
        ("evil。com", "evil. com"),
        ("HTTP:\\\\evil.com", "evil. com"),
        ("mail a@evil.com now", "mail a@evil. com now"),
        ("Anna\r\nBcc: all@shop.example.com", "Anna Bcc: all@shop. example. com"),
        ("Anna\u2028\tNasr\x00\x1b[31m", "Anna Nasr [31m"),
        ("{{company.name}} {{{x}}}", "{company. name} {x}"),
        ("\u202eannA\u2066", "annA"),
        ("<b>Anna</b><script>", "‹b›Anna‹/b›‹script›"),
    ],
)
def test_a_text_stays_readable_and_does_nothing(written: str, left: str) -> None:
    assert neutralise_text(written) == left


@pytest.mark.parametrize("link", ["https://shop.example.com/cart/1?a=1&b=2#x", "http://127.0.0.1:8/c"])
def test_a_link_stays(link: str) -> None:
    assert neutralise_link(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "//evil.com",
        "https://",
        "https://a@evil.com",
        'https://x.com/"onclick=',
        "https://x.com/\n",
        "data:text/html,x",
        "https://[::1",
    ],
)
def test_what_is_no_link_becomes_none(link: str) -> None:
    assert neutralise_link(link) == ""


def test_fields_are_harmless_in_any_depth_and_numbers_stay() -> None:
    fields = {
        "items": [{"title": "evil.com", "image_url": "javascript:x", "count": 2}],
        "recovery_url": "https://s.example",
        "amount": 1.5,
    }
    assert neutralise_fields(fields) == {
        "items": [{"title": "evil. com", "image_url": "", "count": 2}],
        "recovery_url": "https://s.example",
        "amount": 1.5,
    }


def test_a_hostile_name_arrives_as_a_name(sandbox: RunningSandbox, open_workspace: OpenWorkspace) -> None:
    name = "Anna\r\nhttps://evil.example/win {{unsubscribe_url}} <img src=x onerror=alert(1)>\u202e"
    mail = send(sandbox, open_workspace, name)
    for part in (mail["subject"], mail["html"], mail["plain"]):
        assert "Anna evil. example/win {unsubscribe_url}" in part
        assert "<img src=x" not in part
        assert "evil.example" not in part
        assert "\u202e" not in part
    assert "\n" not in mail["subject"]
    assert "\r" not in mail["subject"]


def test_the_unsubscribe_link_arrives_whole_in_every_part(
    sandbox: RunningSandbox, open_workspace: OpenWorkspace, connections: dict[str, Any]
) -> None:
    connections["safar_intake"]["host"] = "https://mail.example.com/i'n\"take>?a=1&b=2"
    mail = send(sandbox, open_workspace, "Anna")
    [link] = re.findall(r'href="([^"]*unsubscribe/[^"]*)"', mail["html"])
    assert unescape(link).startswith("https://mail.example.com/i%27n%22take%3E?a=1&b=2/unsubscribe/")
    assert unescape(link) in mail["plain"]


def test_an_intake_without_a_sound_host_sends_nothing(
    sandbox: RunningSandbox, open_workspace: OpenWorkspace, connections: dict[str, Any]
) -> None:
    connections["safar_intake"]["host"] = "https://mail.example.com\r\nBcc: x"
    with pytest.raises(ConfigurationError, match="safar_intake"):
        send(sandbox, open_workspace, "Anna")


def send(sandbox: RunningSandbox, open_workspace: OpenWorkspace, first_name: str) -> dict[str, Any]:
    """Sends one mail and returns it as its recipient gets it."""
    workspace = open_workspace(NOON)
    publish_by_hand(workspace)
    channel = SendGridChannel.open(workspace, default_locale="en")
    message_id = uuid.uuid4()
    message = OutgoingMessage(message_id, f"{message_id.hex}@example.com", {"first_name": first_name})
    assert isinstance(channel.send(GROUP, [message]), Accepted)
    return read_mail(sandbox, message_id.hex)


def read_mail(sandbox: RunningSandbox, address: str) -> dict[str, str]:
    """Subject, HTML and plain text as the mailbox shows them."""
    listed = requests.get(f"{sandbox.root}/mailbox", params={"search": address}, timeout=10).text
    path = re.search(r'href="(/mailbox/\d+)"', listed)
    assert path is not None, listed
    page = requests.get(sandbox.root + path[1], timeout=10).text
    shown = {"subject": r"<h1><bdi>(.*?)</bdi>", "html": r'srcdoc="(.*?)"', "plain": r'<pre dir="auto">(.*?)</pre>'}
    found = {name: re.search(pattern, page, re.DOTALL) for name, pattern in shown.items()}
    return {name: unescape(match[1]) for name, match in found.items() if match}
