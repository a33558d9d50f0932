"""The statements of delivery, one per file, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import LiteralString


@cache
def read_statement(name: str) -> LiteralString:
    """The text of ``<name>.sql``; placeholders are psycopg's named ones."""
    text: LiteralString = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    return text
