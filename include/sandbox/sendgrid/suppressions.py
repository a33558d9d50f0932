"""Who is not written to: the vendor's five lists, the global one among them, and the unsubscribe groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.sendgrid.errors import not_found
from sandbox.sendgrid.storage import Row, Storage

LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
# Blocks are temporary: the vendor goes on trying those addresses.
DROP_REASONS = {
    "bounces": "Bounced Address",
    "invalid_emails": "Invalid",
    "spam_reports": "Spam Reporting Address",
    "unsubscribes": "Unsubscribed Address",
}
SPAM_REPORT_IP = "127.0.0.1"


def _group_list(group_id: int) -> str:
    return f"group:{group_id}"


class Suppressions:
    """The account's suppressions; a global unsubscribe is a row of the list `unsubscribes`. Addresses in lower case."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def list_page(
        self, name: str, *, start: int = 0, end: int | None = None, part: str = "", limit: int = 500, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Rows of one list, newest first, created from `start` to `end` (unix seconds, both included)."""
        rows = self._storage.rows(
            "select * from suppression where list = ? and created between ? and ? and (? = '' or instr(address, ?) > 0)"
            " order by created desc, address limit ? offset ?",
            *(name, start, 2**53 if end is None else end, part, part.lower(), limit, offset),
        )
        return [_describe(name, row) for row in rows]

    def read(self, name: str, address: str) -> list[dict[str, Any]]:
        row = self._storage.row("select * from suppression where list = ? and address = ?", name, address.lower())
        return [] if row is None else [_describe(name, row)]

    def add(self, name: str, address: str, created: int, reason: str | None = None, status: str | None = None) -> None:
        """Keeps the first entry: a second bounce does not make the address bounce later."""
        self._storage.execute(
            "insert into suppression values (?, ?, ?, ?, ?) on conflict do nothing",
            *(name, address.lower(), created, reason, status),
        )

    def remove(self, name: str, addresses: Iterable[str]) -> int:
        return sum(
            self._storage.execute("delete from suppression where list = ? and address = ?", name, address.lower())
            for address in addresses
        )

    def clear(self, name: str) -> None:
        self._storage.execute("delete from suppression where list = ?", name)

    def find_drop_reason(self, address: str, group_id: int | None) -> str | None:
        """Why the vendor would drop a mail to the address, or None."""
        listed = {
            row["list"] for row in self._storage.rows("select list from suppression where address = ?", address.lower())
        }
        for name, reason in DROP_REASONS.items():
            if name in listed:
                return reason
        return "Unsubscribed Address" if group_id is not None and _group_list(group_id) in listed else None

    def create_group(self, name: str, description: str, is_default: bool) -> dict[str, Any]:
        group_id = self._storage.insert(
            "insert into unsubscribe_group (name, description, is_default) values (?, ?, ?)",
            name,
            description,
            is_default,
        )
        return self.read_group(group_id)

    def list_groups(self) -> list[dict[str, Any]]:
        rows = self._storage.rows("select * from unsubscribe_group order by group_id")
        return [self._describe_group(row) for row in rows]

    def read_group(self, group_id: int) -> dict[str, Any]:
        row = self._storage.row("select * from unsubscribe_group where group_id = ?", group_id)
        if row is None:
            raise not_found("group not found")
        return self._describe_group(row)

    def delete_group(self, group_id: int) -> None:
        self.read_group(group_id)
        with self._storage.transaction() as storage:
            storage.execute("delete from unsubscribe_group where group_id = ?", group_id)
            storage.execute("delete from suppression where list = ?", _group_list(group_id))

    def list_group(self, group_id: int) -> list[str]:
        self.read_group(group_id)
        rows = self._storage.rows(
            "select address from suppression where list = ? order by address", _group_list(group_id)
        )
        return [row["address"] for row in rows]

    def add_to_group(self, group_id: int, addresses: Iterable[str], created: int) -> None:
        self.read_group(group_id)
        with self._storage.transaction():
            for address in addresses:
                self.add(_group_list(group_id), address, created)

    def remove_from_group(self, group_id: int, address: str) -> None:
        self.read_group(group_id)
        self.remove(_group_list(group_id), [address])

    def _describe_group(self, row: Row) -> dict[str, Any]:
        return {
            "id": row["group_id"],
            "name": row["name"],
            "description": row["description"],
            "is_default": bool(row["is_default"]),
            "unsubscribes": self._storage.value(
                "select count(*) from suppression where list = ?", _group_list(row["group_id"])
            ),
        }


def _describe(name: str, row: Row) -> dict[str, Any]:
    described: dict[str, Any] = {"created": row["created"], "email": row["address"]}
    if name == "spam_reports":
        described["ip"] = SPAM_REPORT_IP
    elif name != "unsubscribes":
        described["reason"] = row["reason"] or ""
        if name != "invalid_emails":
            described["status"] = row["status"] or ""
    return described
