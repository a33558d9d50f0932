"""Looks into a parsed body along dotted paths."""

from __future__ import annotations

from typing import Any


def look_up(body: Any, path: str) -> Any:
    """The value at ``a.b.c``, or None when the body ends before; the first item of a list stands for it."""
    for part in path.split(".") if path else ():
        if isinstance(body, list):
            body = body[0] if body else None
        if not isinstance(body, dict):
            return None
        body = body.get(part)
    return body


def has_path(body: Any, path: str) -> bool:
    """Tells whether the body has the place of a selector, up to its first wildcard, and holds something there."""
    stem = path.split("[", 1)[0].removeprefix("$").strip(".")
    value = look_up(body, stem)
    return value is not None
