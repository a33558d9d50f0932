"""Sends an alert to one target. Whatever goes wrong is raised; the caller keeps the alert for another try."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape

from safar.alerting.alert import Alert
from safar.alerting.settings import AlertSettings
from safar.connections import Connection
from safar.outbound import Reach, open_session
from safar.settings import Settings

logger = logging.getLogger("safar.alerts")

SECONDS = 10.0
"""Patience with a target: an alert must not hold up the task that raises it."""


class NotTaken(Exception):
    """The target did not take the alert. The message holds no secret: a webhook's URL is one."""


@dataclass(frozen=True)
class Post:
    """What every target needs to know."""

    connection: Connection
    settings: AlertSettings
    reach: Reach

    @classmethod
    def of(cls, workspace_settings: Settings, connection: Connection, settings: AlertSettings) -> Post:
        return cls(connection, settings, Reach.of(workspace_settings, connection))


def write_log(post: Post, alert: Alert) -> None:
    """Writes the alert as one line of severity error."""
    logger.error(
        "ALERT %s: %s: %s What to do: %s",
        alert.kind.value,
        alert.title,
        " ".join(alert.text.split()),
        alert.link_runbook(post.settings.runbook_url),
    )


def send_email(post: Post, alert: Alert) -> None:
    """Sends the alert as a plain mail through the connection's mail server."""
    message = EmailMessage()
    message["Subject"] = f"[Safar] {alert.title}"
    message["From"] = post.settings.sender
    message["To"] = ", ".join(post.settings.recipients)
    lines = [alert.text, "", f"What to do: {alert.link_runbook(post.settings.runbook_url)}"]
    lines += [f"The task: {alert.task_url}"] if alert.task_url else []
    message.set_content("\n".join(lines))
    with _open_mail_server(post) as server:
        if post.connection.login:
            server.login(post.connection.login, post.connection.secret)
        server.send_message(message)


def post_webhook(post: Post, alert: Alert) -> None:
    """Posts the alert to a Slack-compatible incoming webhook; a redirect counts as a refusal.

    Raises:
        NotTaken: the answer is not 2xx.
    """
    assert post.settings.webhook_secret_url is not None
    links = [f"<{alert.link_runbook(post.settings.runbook_url)}|What to do>"]
    links += [f"<{alert.task_url}|The task>"] if alert.task_url else []
    body = {"text": f"*{escape(alert.title, quote=False)}*\n{escape(alert.text, quote=False)}\n{' · '.join(links)}"}
    url = post.settings.webhook_secret_url.get_secret_value()
    with open_session(post.reach) as session:
        answer = session.post(url, json=body, timeout=SECONDS, allow_redirects=False)
    if not 200 <= answer.status_code < 300:
        raise NotTaken(f"http {answer.status_code}")


TARGETS: dict[str, Callable[[Post, Alert], None]] = {
    "log": write_log,
    "email": send_email,
    "webhook": post_webhook,
}


def _open_mail_server(post: Post) -> smtplib.SMTP:
    host, port = post.connection.host, post.connection.port
    if post.settings.encryption == "tls":
        return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port or 587, timeout=SECONDS)
    if post.settings.encryption == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server
