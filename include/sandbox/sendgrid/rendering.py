"""A stored mail as its recipient sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.sendgrid.acceptance import Letter
from sandbox.sendgrid.handlebars import TemplateBroken, render_template
from sandbox.sendgrid.plain_text import ReadMail, read_html
from sandbox.sendgrid.storage import Row, Storage


@dataclass(frozen=True)
class RenderedMail:
    """What arrives. `problem` says why a template could not be filled; then the rest is empty."""

    subject: str
    html: str
    plain: str
    problem: str | None = None

    @cached_property
    def read(self) -> ReadMail:
        return read_html(self.html)


def render_letter(storage: Storage, letter: Letter, content_id: int) -> RenderedMail:
    """Renders one mail from the content that was active when it was accepted."""
    content = storage.row("select * from content where content_id = ?", content_id)
    if content is None:
        return RenderedMail("", "", "", "its content is gone")
    return _fill(content, letter)


def _fill(content: Row, letter: Letter) -> RenderedMail:
    own_subject = letter.personalization.get("subject") or letter.body.get("subject")
    if not str(letter.body.get("template_id") or "").startswith("d-"):
        tags: dict[str, str] = letter.personalization.get("substitutions") or {}
        return RenderedMail(
            _substitute(own_subject or content["subject"], tags),
            _substitute(content["html"], tags),
            _substitute(content["plain"], tags),
        )
    data: dict[str, Any] = letter.personalization.get("dynamic_template_data") or {}
    # A dynamic template's own subject wins over the request's, as at the vendor.
    subject = content["subject"] or own_subject or ""
    try:
        return RenderedMail(*(render_template(text, data) for text in (subject, content["html"], content["plain"])))
    except TemplateBroken as error:
        return RenderedMail("", "", "", str(error))


def _substitute(text: str, tags: dict[str, str]) -> str:
    for tag, value in tags.items():
        text = text.replace(tag, value)
    return text
