"""Which of a template's fields have no default, so that an empty one would leave a hole in the mail."""

from __future__ import annotations

import re

TAG = re.compile(r"\{\{(?!!)\s*~?\s*([^{}]+?)\s*~?\s*\}\}")
NAME = re.compile(r"[A-Za-z_]\w*")


def list_required_fields(text: str) -> list[str]:
    """Names that are written plainly, ``{{name}}``, outside every ``{{#if name}}`` that asks for them first."""
    required: dict[str, None] = {}
    guards: list[str] = []
    for match in TAG.finditer(text):
        tag = match[1]
        if tag.startswith("#"):
            guards.append(tag)
        elif tag.startswith("/"):
            del guards[-1:]
        elif NAME.fullmatch(tag) and tag not in ("else", "this") and not _is_guarded(tag, guards):
            required.setdefault(tag)
    return list(required)


def _is_guarded(name: str, guards: list[str]) -> bool:
    return any(re.search(rf"\b{name}\b", guard) for guard in guards)
