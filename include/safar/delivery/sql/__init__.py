"""The statements of delivery, one per file, by name."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString

INCLUDE = re.compile(r"\{\{ (\w+) \}\}")


@cache
def read_statement(name: str) -> LiteralString:
    """The text of ``<name>.sql``; placeholders are psycopg's named ones, ``{{ other }}`` stands for another file."""
    text: LiteralString = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    return INCLUDE.sub(lambda match: read_statement(match[1]), text)
