"""Reading stored mails for people who look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.clock import write_moment
from sandbox.sendgrid.acceptance import RECIPIENTS_PER_REQUEST, Letter, open_letters
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.rendering import RenderedMail, render_letter
from sandbox.sendgrid.storage import Row

PAGE_SIZE = 50
_EVENT_LABELS = {
    "machine_open": "opened by a mail program",
    "one_click": "one-click unsubscribe",
    "preference_page": "opted out on the preference page",
    "group_unsubscribe": "unsubscribed from the group",
    "spamreport": "reported as spam",
    "order": "ordered",
    "open": "opened",
    "click": "clicked",
    "unsubscribe": "unsubscribed",
}


@dataclass(frozen=True)
class MailLine:
    """One line of the list."""

    mail_id: int
    accepted_at: str
    address: str
    subject: str
    preheader: str
    campaign: str
    step: str
    state: str


@dataclass(frozen=True)
class MailPage:
    """One page of the list, newest first."""

    lines: list[MailLine]
    count: int
    page: int
    pages_count: int


@dataclass(frozen=True)
class MailView:
    """One mail with everything that is known of it."""

    line: MailLine
    sender: str
    recipient: str
    x_message_id: str
    message_id: str
    headers: dict[str, str]
    rendered: RenderedMail
    events: list[tuple[str, str, str]]
    """When, what, and a detail."""


class Mailbox:
    """All mails that the vendor has accepted."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._storage = account.storage

    def list_page(self, search: str, page: int) -> MailPage:
        """One page of the mails whose address contains the text; beyond the last page, the last one."""
        part = search.strip().lower()
        count = int(self._storage.value("select count(*) from mail where instr(address, ?) > 0 or ? = ''", part, part))
        pages_count = max(1, -(-count // PAGE_SIZE))
        page = min(max(1, page), pages_count)
        rows = self._storage.rows(
            "select * from mail where instr(address, ?) > 0 or ? = '' order by mail_id desc limit ? offset ?",
            *(part, part, PAGE_SIZE, (page - 1) * PAGE_SIZE),
        )
        opened: dict[int, tuple[Row, list[Letter]]] = {}
        lines = [self._read_line(row, *self._open(row["mail_id"], opened))[0] for row in rows]
        return MailPage(lines, count, page, pages_count)

    def read(self, mail_id: int) -> MailView | None:
        """One mail, or None when there is none with this number."""
        row = self._storage.row("select * from mail where mail_id = ?", mail_id)
        if row is None:
            return None
        request, letters = self._open(mail_id, {})
        letter = letters[mail_id % RECIPIENTS_PER_REQUEST]
        line, rendered = self._read_line(row, request, letters)
        return MailView(
            line=line,
            sender=_write_name(letter.body["from"]),
            recipient=_find_recipient(letter),
            x_message_id=letter.x_message_id,
            message_id=row["message_id"] or "",
            headers=letter.headers,
            rendered=rendered,
            events=self._read_events(mail_id),
        )

    def _open(self, mail_id: int, opened: dict[int, tuple[Row, list[Letter]]]) -> tuple[Row, list[Letter]]:
        """The mail's request with all its letters; each request is opened once."""
        request_id = mail_id // RECIPIENTS_PER_REQUEST
        if request_id not in opened:
            request = self._storage.row("select * from mail_request where request_id = ?", request_id)
            if request is None:
                raise LookupError(f"request {request_id} of mail {mail_id} is gone")
            opened[request_id] = request, open_letters(request_id, request["x_message_id"], request["body"])
        return opened[request_id]

    def _read_line(self, row: Row, request: Row, letters: list[Letter]) -> tuple[MailLine, RenderedMail]:
        letter = letters[row["mail_id"] % RECIPIENTS_PER_REQUEST]
        rendered = render_letter(self._storage, letter, request["content_id"])
        last = self._storage.value(
            "select kind from mail_event where mail_id = ? and happened = 1 order by due_at desc limit 1",
            row["mail_id"],
        )
        line = MailLine(
            mail_id=row["mail_id"],
            accepted_at=_write_time(request["accepted_at"]),
            address=row["address"],
            subject=rendered.subject or ("(cannot be rendered)" if rendered.problem else "(no subject)"),
            preheader=rendered.read.preheader,
            campaign=row["campaign"] or "",
            step=row["step"] or "",
            state=_EVENT_LABELS.get(last, last) if last else "accepted",
        )
        return line, rendered

    def _read_events(self, mail_id: int) -> list[tuple[str, str, str]]:
        rows = self._storage.rows(
            "select * from mail_event where mail_id = ? and happened = 1 order by due_at, event_id", mail_id
        )
        return [
            (_write_time(row["due_at"]), _EVENT_LABELS.get(row["kind"], row["kind"]), _read_detail(row)) for row in rows
        ]


def _read_detail(row: Row) -> str:
    details: dict[str, Any] = orjson.loads(row["details"])
    return str(details.get("url") or details.get("reason") or details.get("response") or "")


def _find_recipient(letter: Letter) -> str:
    block = letter.personalization
    for recipient in (*block["to"], *(block.get("cc") or ()), *(block.get("bcc") or ())):
        if recipient["email"] == letter.address:
            return _write_name(recipient)
    return letter.address


def _write_name(recipient: dict[str, Any]) -> str:
    name = recipient.get("name")
    return f"{name} <{recipient['email']}>" if name else str(recipient["email"])


def _write_time(seconds: float) -> str:
    return write_moment(datetime.fromtimestamp(int(seconds), UTC)).replace("T", " ").removesuffix("Z") + " UTC"
