"""Transactional templates and their versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.sendgrid.errors import bad_request, not_found
from sandbox.sendgrid.handlebars import TemplateBroken, check_template
from sandbox.sendgrid.plain_text import read_html
from sandbox.sendgrid.storage import Row, Storage

MAX_CONTENT_BYTES = 1_048_576
GENERATIONS = ("legacy", "dynamic")


@dataclass(frozen=True)
class TemplatePage:
    """One page of the list and where the next and the previous begin."""

    templates: list[dict[str, Any]]
    count: int
    next_offset: int | None
    previous_offset: int | None


class Templates:
    """The account's templates."""

    def __init__(self, storage: Storage, seed: int) -> None:
        self._storage = storage
        self._seed = seed

    def create(self, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        name = _require_name(body, 100)
        generation = body.get("generation", "legacy")
        if generation not in GENERATIONS:
            raise bad_request("The generation must be legacy or dynamic.", "generation")
        with self._storage.transaction() as storage:
            position = storage.count_up("template")
            prefix = "d-" if generation == "dynamic" else ""
            template_id = prefix + self._make_id("template", position)
            storage.execute(
                "insert into template values (?, ?, ?, ?, ?)", template_id, position, name, generation, _write_time(now)
            )
            return self.read(template_id)

    def read(self, template_id: str) -> dict[str, Any]:
        """The template with all its versions.

        Raises:
            SendGridError: 404, no such template.
        """
        row = self._storage.row("select * from template where template_id = ?", template_id)
        if row is None:
            raise not_found("template not found")
        return self._describe(row)

    def list_page(self, generations: set[str], page_size: int, offset: int) -> TemplatePage:
        marks = ", ".join("?" for _ in generations)
        chosen = f"from template where generation in ({marks})"
        kinds = sorted(generations)
        count = int(self._storage.value(f"select count(*) {chosen}", *kinds))
        rows = self._storage.rows(f"select * {chosen} order by position limit ? offset ?", *kinds, page_size, offset)
        return TemplatePage(
            [self._describe(row) for row in rows],
            count,
            offset + page_size if offset + page_size < count else None,
            max(0, offset - page_size) if offset else None,
        )

    def rename(self, template_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        self.read(template_id)
        self._storage.execute(
            "update template set name = ?, updated_at = ? where template_id = ?",
            _require_name(body, 100),
            _write_time(now),
            template_id,
        )
        return self.read(template_id)

    def duplicate(self, template_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        original = self.read(template_id)
        with self._storage.transaction():
            copy = self.create(
                {"name": body.get("name") or f"Duplicate: {original['name']}", "generation": original["generation"]},
                now,
            )
            for version in original["versions"]:
                self.create_version(copy["id"], version, now)
            return self.read(copy["id"])

    def delete(self, template_id: str) -> None:
        self.read(template_id)
        self._storage.execute("delete from template where template_id = ?", template_id)

    def create_version(self, template_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Adds a version; a template's first one is active by itself."""
        template = self.read(template_id)
        fields = _read_version({"editor": "code", "generate_plain_content": True, **body})
        with self._storage.transaction() as storage:
            position = storage.count_up("template_version")
            version_id = self._make_id("version", position)
            storage.execute(
                "insert into template_version values (?, ?, ?, 0, ?, ?, ?, ?, ?, ?)",
                version_id,
                template_id,
                position,
                fields["name"],
                self._keep_content(fields),
                fields["generate_plain_content"],
                fields["editor"],
                fields.get("test_data"),
                _write_time(now),
            )
            if fields.get("active", 0) == 1 or not template["versions"]:
                self._set_active(template_id, version_id)
            return self.read_version(template_id, version_id)

    def read_version(self, template_id: str, version_id: str) -> dict[str, Any]:
        row = self._storage.row(
            "select * from template_version join content using (content_id) where template_id = ? and version_id = ?",
            template_id,
            version_id,
        )
        if row is None:
            raise not_found("template version not found")
        return _describe_version(row)

    def update_version(self, template_id: str, version_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        current = self.read_version(template_id, version_id)
        if "html_content" in body and "plain_content" not in body and current["generate_plain_content"]:
            current.pop("plain_content")
        fields = _read_version({**current, **body})
        with self._storage.transaction() as storage:
            storage.execute(
                "update template_version set name = ?, content_id = ?, generate_plain_content = ?, editor = ?, "
                "test_data = ?,"
                " updated_at = ? where version_id = ?",
                fields["name"],
                self._keep_content(fields),
                fields["generate_plain_content"],
                fields["editor"],
                fields.get("test_data"),
                _write_time(now),
                version_id,
            )
            if body.get("active") == 1:
                self._set_active(template_id, version_id)
            elif body.get("active") == 0:
                storage.execute("update template_version set is_active = 0 where version_id = ?", version_id)
            return self.read_version(template_id, version_id)

    def delete_version(self, template_id: str, version_id: str) -> None:
        self.read_version(template_id, version_id)
        self._storage.execute("delete from template_version where version_id = ?", version_id)

    def activate(self, template_id: str, version_id: str) -> dict[str, Any]:
        self.read_version(template_id, version_id)
        with self._storage.transaction():
            self._set_active(template_id, version_id)
            return self.read_version(template_id, version_id)

    def find_content(self, template_id: str) -> int | None:
        """The content that is active now, or None when the account has no such template or no active version of it."""
        found = self._storage.value(
            "select content_id from template_version where template_id = ? and is_active = 1", template_id
        )
        return None if found is None else int(found)

    def _set_active(self, template_id: str, version_id: str) -> None:
        self._storage.execute(
            "update template_version set is_active = (version_id = ?) where template_id = ?", version_id, template_id
        )

    def _keep_content(self, fields: dict[str, Any]) -> int:
        return keep_content(self._storage, fields["subject"], fields["html_content"], fields["plain_content"])

    def _describe(self, row: Row) -> dict[str, Any]:
        versions = self._storage.rows(
            "select * from template_version join content using (content_id) where template_id = ? order by position",
            row["template_id"],
        )
        return {
            "id": row["template_id"],
            "name": row["name"],
            "generation": row["generation"],
            "updated_at": row["updated_at"],
            "versions": [_describe_version(version) for version in versions],
        }

    def _make_id(self, kind: str, position: int) -> str:
        return hashlib.sha256(f"{self._seed}:{kind}:{position}".encode()).hexdigest()[:32]


def keep_content(storage: Storage, subject: str, html: str, plain: str) -> int:
    """Stores what mails are made from, once, and tells its key."""
    found = storage.value(
        "select content_id from content where subject = ? and html = ? and plain = ?", subject, html, plain
    )
    if found is not None:
        return int(found)
    return storage.insert("insert into content (subject, html, plain) values (?, ?, ?)", subject, html, plain)


def _require_name(body: dict[str, Any], limit: int) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name or len(name) > limit:
        raise bad_request(f"The name must be a string of 1 to {limit} characters.", "name")
    return name


def _read_version(body: dict[str, Any]) -> dict[str, Any]:
    fields = {**body, "name": _require_name(body, 100)}
    subject = body.get("subject")
    if not isinstance(subject, str) or len(subject) > 255:
        raise bad_request("The subject must be a string of at most 255 characters.", "subject")
    for name in ("html_content", "plain_content"):
        fields[name] = body.get(name) or ""
        if not isinstance(fields[name], str) or len(fields[name].encode()) > MAX_CONTENT_BYTES:
            raise bad_request(f"The {name} must be a string of at most 1048576 bytes.", name)
    if body.get("active", 0) not in (0, 1):
        raise bad_request("active must be 0 or 1.", "active")
    if not fields["plain_content"] and body.get("generate_plain_content"):
        fields["plain_content"] = read_html(fields["html_content"]).text
    fields["generate_plain_content"] = bool(body.get("generate_plain_content"))
    for name in ("subject", "html_content", "plain_content"):
        _require_handlebars(fields[name], name)
    return fields


def _require_handlebars(text: str, name: str) -> None:
    try:
        check_template(text)
    except TemplateBroken as error:
        raise bad_request(f"{name}: {str(error).splitlines()[0]}", name) from error


def _describe_version(row: Row) -> dict[str, Any]:
    return {
        "id": row["version_id"],
        "template_id": row["template_id"],
        "active": row["is_active"],
        "name": row["name"],
        "html_content": row["html"],
        "plain_content": row["plain"],
        "generate_plain_content": bool(row["generate_plain_content"]),
        "subject": row["subject"],
        "editor": row["editor"],
        "test_data": row["test_data"],
        "updated_at": row["updated_at"],
    }


def _write_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
