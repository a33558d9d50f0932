"""The event webhook's settings, and the posts that wait for its listeners."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from sandbox.sendgrid.errors import FieldError, SendGridError, bad_request, not_found
from sandbox.sendgrid.reach import Caller
from sandbox.sendgrid.signing import Signer
from sandbox.sendgrid.storage import Row, Storage

MAX_WEBHOOKS = 5
MAX_EVENTS_PER_POST = 1000
FIRST_RETRY_SECONDS = 60.0
GIVE_UP_SECONDS = 24 * 3600.0
SWITCHES = (
    "group_resubscribe",
    "delivered",
    "group_unsubscribe",
    "spam_report",
    "bounce",
    "deferred",
    "unsubscribe",
    "processed",
    "open",
    "click",
    "dropped",
)
_SWITCH_OF_EVENT = {"spamreport": "spam_report"}
_NAMESPACE = uuid.UUID("8f7f4f0a-6a5c-4f0e-9d55-0d9f1f5d8a11")

Event = dict[str, Any]


@dataclass(frozen=True)
class PostReport:
    """What came of a round of posting."""

    delivered_count: int = 0
    failed_count: int = 0


class Webhooks:
    """The account's event webhooks."""

    def __init__(self, storage: Storage, signer: Signer, caller: Caller) -> None:
        self._storage = storage
        self._signer = signer
        self._forger = Signer.invent()
        self._caller = caller

    def create(self, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Adds a webhook; every switch that the body does not name is off, as at the vendor."""
        settings = _read_settings(body, {"enabled": False, "friendly_name": None} | dict.fromkeys(SWITCHES, False))
        with self._storage.transaction() as storage:
            self._require_new_url(settings["url"], None)
            if int(storage.value("select count(*) from webhook")) >= MAX_WEBHOOKS:
                raise bad_request(f"You have reached the maximum of {MAX_WEBHOOKS} Event Webhooks.")
            position = storage.count_up("webhook")
            webhook_id = str(uuid.uuid5(_NAMESPACE, str(position)))
            storage.execute(
                "insert into webhook values (?, ?, ?, 0, ?, ?, ?)",
                *(webhook_id, position, settings["url"], orjson.dumps(settings).decode(), _write(now), _write(now)),
            )
            return self.read(webhook_id)

    def read(self, webhook_id: str) -> dict[str, Any]:
        return self._describe(self._find(webhook_id))

    def list_all(self) -> list[dict[str, Any]]:
        return [self._describe(row) for row in self._storage.rows("select * from webhook order by position")]

    def first_id(self) -> str | None:
        """The oldest webhook, on which the vendor's older single-webhook endpoints act."""
        found = self._storage.value("select webhook_id from webhook order by position limit 1")
        return None if found is None else str(found)

    def update(self, webhook_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        row = self._find(webhook_id)
        settings = _read_settings(body, orjson.loads(row["settings"]))
        self._require_new_url(settings["url"], webhook_id)
        self._storage.execute(
            "update webhook set url = ?, settings = ?, updated_date = ? where webhook_id = ?",
            *(settings["url"], orjson.dumps(settings).decode(), _write(now), webhook_id),
        )
        return self.read(webhook_id)

    def delete(self, webhook_id: str) -> None:
        """Removes a webhook and what still waits for it."""
        self._find(webhook_id)
        with self._storage.transaction() as storage:
            storage.execute("delete from webhook where webhook_id = ?", webhook_id)
            storage.execute(
                "update webhook_post set next_at = null, outcome = 'given_up'"
                " where webhook_id = ? and outcome = 'waiting'",
                webhook_id,
            )

    def read_key(self, webhook_id: str) -> dict[str, str]:
        """The public key in base64 of DER; empty while the webhook is not signed."""
        row = self._find(webhook_id)
        return {"id": webhook_id, "public_key": self._signer.public_key if row["is_signed"] else ""}

    def set_signed(self, webhook_id: str, is_signed: bool) -> dict[str, str]:
        self._find(webhook_id)
        self._storage.execute("update webhook set is_signed = ? where webhook_id = ?", is_signed, webhook_id)
        return self.read_key(webhook_id)

    def enqueue(self, events: Iterable[Event], at: float, *, is_forged: bool = False) -> None:
        """Lets each enabled webhook post those of the events that it wants, in batches, from `at` (unix seconds) on."""
        listed = list(events)
        for row in self._storage.rows("select * from webhook order by position"):
            settings = orjson.loads(row["settings"])
            if not settings["enabled"]:
                continue
            wanted = [event for event in listed if settings.get(_SWITCH_OF_EVENT.get(event["event"], event["event"]))]
            for start in range(0, len(wanted), MAX_EVENTS_PER_POST):
                self._storage.execute(
                    "insert into webhook_post (webhook_id, first_at, next_at, is_forged, body) values (?, ?, ?, ?, ?)",
                    *(row["webhook_id"], at, at, is_forged, _write_body(wanted[start : start + MAX_EVENTS_PER_POST])),
                )

    def post_due(self, until: float) -> PostReport:
        """Posts everything due up to `until` (unix seconds of the company's clock), oldest first, retries among it."""
        delivered = failed = 0
        while (row := self._next_post(until)) is not None:
            if self._post(row, until):
                delivered += 1
            else:
                failed += 1
        return PostReport(delivered, failed)

    def post_test(self, url: str, now: float) -> None:
        """The vendor's test notification: one event of each kind, signed."""
        kinds = [{"spam_report": "spamreport"}.get(switch, switch) for switch in SWITCHES]
        events = [
            {
                "email": "example@test.com",
                "timestamp": int(now),
                "event": kind,
                "category": ["cat facts"],
                "sg_event_id": uuid.uuid5(_NAMESPACE, kind).hex,
                "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
            }
            for kind in kinds
        ]
        body = _write_body(events)
        self._caller.post(url, body, _CONTENT_TYPE | self._signer.make_headers(body, int(now)))

    def _next_post(self, until: float) -> Row | None:
        return self._storage.row(
            "select * from webhook_post join webhook using (webhook_id) where next_at <= ? order by next_at, "
            "post_id limit 1",
            until,
        )

    def _post(self, row: Row, now: float) -> bool:
        headers = dict(_CONTENT_TYPE)
        if row["is_signed"] or row["is_forged"]:
            signer = self._forger if row["is_forged"] else self._signer
            headers |= signer.make_headers(row["body"], int(now))
        status = self._caller.post(row["url"], row["body"], headers)
        attempts = row["attempt_count"] + 1
        is_taken = status is not None and 200 <= status < 300
        next_at = row["next_at"] + FIRST_RETRY_SECONDS * 2 ** (attempts - 1)
        is_over = is_taken or row["is_forged"] or next_at > row["first_at"] + GIVE_UP_SECONDS
        outcome = "delivered" if is_taken else "given_up" if is_over else "waiting"
        self._storage.execute(
            "update webhook_post set attempt_count = ?, outcome = ?, next_at = ? where post_id = ?",
            *(attempts, outcome, None if is_over else next_at, row["post_id"]),
        )
        return is_taken

    def _find(self, webhook_id: str) -> Row:
        row = self._storage.row("select * from webhook where webhook_id = ?", webhook_id)
        if row is None:
            raise not_found("Webhook not found.")
        return row

    def _require_new_url(self, url: str, own_id: str | None) -> None:
        other = self._storage.value("select webhook_id from webhook where url = ? and webhook_id is not ?", url, own_id)
        if other is not None:
            raise SendGridError(400, FieldError(f"The url {url} is already configured as webhook {other}.", "url"))

    def _describe(self, row: Row) -> dict[str, Any]:
        return {
            "id": row["webhook_id"],
            **orjson.loads(row["settings"]),
            "account_status_change": False,
            "created_date": row["created_date"],
            "updated_date": row["updated_date"],
            "oauth_client_id": "",
            "oauth_token_url": "",
            "public_key": self._signer.public_key if row["is_signed"] else "",
        }


_CONTENT_TYPE = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "SendGrid Event API"}


def _read_settings(body: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    settings = dict(current)
    for name in ("enabled", *SWITCHES):
        settings[name] = body.get(name, current.get(name, False))
        if not isinstance(settings[name], bool):
            raise bad_request(f"{name} must be true or false.", name)
    settings["friendly_name"] = body.get("friendly_name", current.get("friendly_name"))
    settings["url"] = body.get("url", current.get("url"))
    if not isinstance(settings["url"], str) or not settings["url"].startswith(("http://", "https://")):
        raise bad_request("The url must be an http or https URL.", "url")
    return settings


def _write_body(events: list[Event]) -> bytes:
    """The vendor's array ends with CR LF, and the signature covers them."""
    return b"[" + b",\r\n".join(orjson.dumps(event) for event in events) + b"]\r\n"


def _write(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
