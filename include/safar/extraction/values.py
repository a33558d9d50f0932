"""One value of a declared type in CSV form, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from safar.catalogue.source import DataType
from safar.extraction.cursors import parse_instant

LARGEST_NUMERIC = Decimal(10) ** 29
LARGEST_BIGINT = 2**63
ZULU_LENGTHS = frozenset(
    {len("2026-03-02T02:00:00Z"), len("2026-03-02T02:00:00.123Z"), len("2026-03-02T02:00:00.123456Z")}
)
"""How nearly every API writes an instant; these need no rewriting."""


class Unreadable(Exception):
    """The value does not fit the type; the message never repeats the value."""


def encode_text(value: Any) -> str:
    if not isinstance(value, str):
        value = orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
    text: str = value
    if '"' in text or "\0" in text:
        text = text.replace("\0", "").replace('"', '""')
    return f'"{text}"'


def encode_json(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
    if "\\u0000" in text:
        text = orjson.dumps(_without_nul(value), option=orjson.OPT_SORT_KEYS, default=str).decode()
    return '"' + text.replace('"', '""') + '"'


def encode_timestamp(value: Any) -> str:
    if isinstance(value, datetime):
        value = value.isoformat()
    if type(value) is str and value[-5:] == "+0000":
        value = value[:-5] + "Z"  # one instant is one text, in whichever of a vendor's APIs it stood
    try:
        if type(value) is str and len(value) in ZULU_LENGTHS and value[-1] == "Z" and value[4] == "-":
            datetime.fromisoformat(value)
            return value[:-1] + "+00:00"
        return parse_instant(value).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise Unreadable("no date and time") from None


def encode_date(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except (ValueError, TypeError):
        raise Unreadable("no date") from None


def encode_bigint(value: Any) -> str:
    try:
        number = int(value) if not isinstance(value, float) else int(Decimal(value).to_integral_exact())
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise Unreadable("no whole number") from None
    if isinstance(value, bool) or (isinstance(value, float) and value != number):
        raise Unreadable("no whole number")
    if not -LARGEST_BIGINT <= number < LARGEST_BIGINT:
        raise Unreadable("out of range")
    return str(number)


def encode_numeric(value: Any) -> str:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Unreadable("no number") from None
    if isinstance(value, bool) or not number.is_finite() or abs(number) >= LARGEST_NUMERIC:
        raise Unreadable("no finite number in range")
    return str(number)


def encode_double(value: Any) -> str:
    try:
        return repr(float(value))
    except (ValueError, TypeError, OverflowError):
        raise Unreadable("no number") from None


def encode_boolean(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower()
    raise Unreadable("neither true nor false")


Encoder = Callable[[Any], str]
ENCODERS: dict[DataType, Encoder] = {
    "text": encode_text,
    "bigint": encode_bigint,
    "double precision": encode_double,
    "numeric": encode_numeric,
    "boolean": encode_boolean,
    "timestamptz": encode_timestamp,
    "date": encode_date,
    "jsonb": encode_json,
}


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(inner) for inner in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(inner) for name, inner in value.items()}
    return value
