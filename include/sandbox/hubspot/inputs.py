"""Reads what a caller of HubSpot's API has written, or refuses it in HubSpot's words."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fastapi import Request

from sandbox.answers import Refused, read_object
from sandbox.hubspot.errors import refuse_input

SEARCH_RESULTS = 10_000
"""Results of one search that can be paged to."""


async def read_body(request: Request) -> dict[str, Any]:
    try:
        return await read_object(request)
    except ValueError as error:
        raise Refused(refuse_input(f"Invalid input JSON: {error}")) from error


async def read_inputs(request: Request, most: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The body of a batch call and its inputs."""
    wanted = await read_body(request)
    inputs = [one if isinstance(one, dict) else {"id": one} for one in wanted.get("inputs") or []]
    if not 1 <= len(inputs) <= most:
        raise Refused(refuse_input(f"A batch has 1 to {most} inputs; this one has {len(inputs)}"))
    return wanted, inputs


def read_names(request: Request, parameter: str) -> list[str]:
    """Names from a query parameter that may be repeated or hold commas."""
    return [name for name in ",".join(request.query_params.getlist(parameter)).split(",") if name.strip()]


def is_archived(request: Request) -> bool:
    return request.query_params.get("archived", "false").lower() == "true"


def read_limit(text: Any, most: int) -> int:
    limit = int(text) if str(text).isdigit() else 0
    if not 1 <= limit <= most:
        raise Refused(refuse_input(f"limit must be a number from 1 to {most}, not {text}"))
    return limit


def read_offset(text: Any, limit: int) -> int:
    """The place in a search from which to go on."""
    if text in (None, "", 0):
        return 0
    if not str(text).isdigit():
        raise Refused(refuse_input(f"after must be a number in a search, not {text}"))
    if int(text) + limit > SEARCH_RESULTS:
        raise Refused(refuse_input(f"Paging beyond {SEARCH_RESULTS} results of a search is not possible"))
    return int(text)


def read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused(refuse_input("The value of after is none that this list has given")) from error


def write_next(following: int) -> dict[str, Any]:
    """How the next page of a list is asked for."""
    cursor = base64.b64encode(f"{following}\n".encode()).decode()
    return {"next": {"after": cursor, "link": f"?after={cursor}"}}
