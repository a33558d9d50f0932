"""What the vendor remembers of each mail: where it stands, and its events, as Email Activity tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import write_seconds
from sandbox.sendgrid.acceptance import Letter, open_letters
from sandbox.sendgrid.activity_query import Condition
from sandbox.sendgrid.events import SENDER_IP, name_mail
from sandbox.sendgrid.guards import Json
from sandbox.sendgrid.playing import ACTIONS
from sandbox.sendgrid.storage import Row, Storage

# Newest first. A mail appears when its first event has happened, a moment after it was accepted.
LIST = f"""
select
    mail.mail_id, mail.address, mail.message_id, mail_request.request_id, mail_request.x_message_id,
    content.subject, max(mail_event.due_at) as last_event_at, group_concat(mail_event.kind) as kinds
from mail_event
join mail using (mail_id)
join mail_request on mail_request.request_id = mail.mail_id / 1000
left join content using (content_id)
where mail_event.happened = 1 and mail_event.kind not in ({", ".join(f"'{kind}'" for kind in sorted(ACTIONS))})
  and (?1 is null or mail.mail_id = ?1)
group by mail.mail_id
order by last_event_at desc, mail.mail_id desc
"""  # noqa: S608 - the kinds are ours
NOT_DELIVERED = frozenset(("bounce", "blocked", "dropped"))
EVENT_NAMES = {
    "blocked": "bounced",
    "bounce": "bounced",
    "open": "opened",
    "machine_open": "opened",
    "click": "clicked",
}


@dataclass
class SentMail:
    """One mail; its request is opened only when a query asks for what is written there."""

    row: Row
    storage: Storage
    letters: dict[int, dict[int, Letter]] = field(repr=False)

    @property
    def msg_id(self) -> str:
        return name_mail(self.row["x_message_id"], self.row["mail_id"])

    @property
    def kinds(self) -> list[str]:
        return str(self.row["kinds"]).split(",")

    @property
    def status(self) -> str:
        if NOT_DELIVERED & set(self.kinds):
            return "not_delivered"
        return "delivered" if "delivered" in self.kinds else "processed"

    @property
    def letter(self) -> Letter:
        request_id = self.row["request_id"]
        if request_id not in self.letters:
            stored = self.storage.row("select x_message_id, body from mail_request where request_id = ?", request_id)
            assert stored is not None
            opened = open_letters(request_id, stored["x_message_id"], stored["body"])
            self.letters[request_id] = {letter.mail_id: letter for letter in opened}
        return self.letters[request_id][self.row["mail_id"]]

    def read_field(self, name: str) -> str:
        if name in ("template_id", "asm_group_id"):
            return str(self.letter.body.get("template_id") if name == "template_id" else self.letter.group_id or "")
        return str(self.describe()[name])

    def read_list(self, name: str) -> list[str]:
        return self.letter.categories if name == "categories" else [EVENT_NAMES.get(kind, kind) for kind in self.kinds]

    def read_argument(self, name: str) -> str:
        if name == "message_id":
            return str(self.row["message_id"] or "")
        return str(self.letter.custom_args.get(name, ""))

    def describe(self) -> Json:
        """The mail as the list tells it."""
        return {
            "from_email": self.letter.body["from"]["email"],
            "msg_id": self.msg_id,
            "subject": self.row["subject"] or "",
            "to_email": self.row["address"],
            "status": self.status,
            "opens_count": sum(kind in ("open", "machine_open") for kind in self.kinds),
            "clicks_count": self.kinds.count("click"),
            "last_event_time": write_seconds(int(self.row["last_event_at"])),
        }


def list_mails(storage: Storage, condition: Condition | None, limit: int) -> list[Json]:
    """The newest mails that the condition holds for."""
    found: list[Json] = []
    for mail in _read_mails(storage, None):
        if condition is None or condition(mail):
            found.append(mail.describe())
            if len(found) == limit:
                break
    return found


def read_mail(storage: Storage, msg_id: str) -> Json | None:
    """Everything about one mail, or None when there is none."""
    number = msg_id.rpartition("-")[2].partition(".")[0]
    mail = next(_read_mails(storage, int(number) if number.isdigit() else -1), None)
    if mail is None or mail.msg_id != msg_id:
        return None
    brief = mail.describe()
    told = {name: brief[name] for name in ("from_email", "msg_id", "subject", "to_email", "status")}
    return told | {
        "template_id": mail.letter.body.get("template_id"),
        "asm_group_id": mail.letter.group_id,
        "teammate": "",
        "api_key_id": "sandbox",
        "events": _list_events(storage, mail.row["mail_id"]),
        "originating_ip": "127.0.0.1",
        "categories": mail.letter.categories,
        "unique_args": mail.letter.custom_args,
        "outbound_ip": SENDER_IP,
        "outbound_ip_type": "shared",
    }


def _read_mails(storage: Storage, mail_id: int | None) -> Iterator[SentMail]:
    letters: dict[int, dict[int, Letter]] = {}
    return (SentMail(row, storage, letters) for row in storage.rows(LIST, mail_id))


def _list_events(storage: Storage, mail_id: int) -> list[dict[str, Any]]:
    rows = storage.rows(
        "select kind, due_at from mail_event where mail_id = ? and happened = 1 order by due_at, event_id", mail_id
    )
    return [
        {"event_name": EVENT_NAMES.get(row["kind"], row["kind"]), "processed": write_seconds(int(row["due_at"]))}
        for row in rows
        if row["kind"] not in ACTIONS
    ]
