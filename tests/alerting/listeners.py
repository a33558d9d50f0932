"""A mail server and a chat's webhook, both real, that remember what they were told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Listeners:
    """What came in so far."""

    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    smtp_port: int = 0
    http_port: int = 0
    status: int = 200

    def describe_connection(self, **extra: object) -> dict[str, Any]:
        """The connection safar_alerts that leads here."""
        return {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": self.smtp_port,
            "extra": {
                "targets": ["log", "email", "webhook"],
                "recipients": ["oncall@shop.example.com"],
                "sender": "safar@shop.example.com",
                "encryption": "none",
                "webhook_secret_url": f"http://127.0.0.1:{self.http_port}/hook-s3cr3t-path",
                "runbook_url": "https://wiki.example.com/runbook.md",
                **extra,
            },
        }

    def list_subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


class _MailBox:
    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self._listeners.mails.append(mail)
        return "250 OK"


@contextmanager
def open_listeners() -> Iterator[Listeners]:
    listeners = Listeners()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if listeners.status == 200:
                listeners.posts.append(json.loads(body)["text"])
            self.send_response(listeners.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """The test's output stays its own."""

    hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    listeners.http_port = hook.server_port
    listeners.smtp_port = find_free_port()
    mail_server = Controller(_MailBox(listeners), hostname="127.0.0.1", port=listeners.smtp_port)
    mail_server.start()
    try:
        yield listeners
    finally:
        mail_server.stop()
        hook.shutdown()
        hook.server_close()


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
