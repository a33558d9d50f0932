"""Shares of people as they are written: ``10 %``, or the fraction ``0.1``."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator

PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_share(text: Any) -> Decimal:
    """Reads ``<number> %`` or a fraction between 0 and 1; returns the fraction.

    Raises:
        ValueError: the text is something else.
    """
    match = PERCENT.fullmatch(str(text).strip())
    try:
        share = Decimal(match[1]) / 100 if match else Decimal(str(text))
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 1 or isinstance(text, bool):
        raise ValueError(f"{text!r} is not a share; write it like '10 %'")
    return share


def parse_growth(text: Any) -> Decimal:
    """Reads a growth like ``50 %``, which may exceed 100 %; returns the fraction.

    Raises:
        ValueError: the text is something else.
    """
    match = PERCENT.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a growth; write it like '50 %'")
    return Decimal(match[1]) / 100


Share = Annotated[Decimal, BeforeValidator(parse_share)]
Growth = Annotated[Decimal, BeforeValidator(parse_growth)]
