"""Fills ``{connection.password}`` and its like in declared requests; other braces stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from safar.connections import Connection
from safar.errors import ConfigurationError

PLACEHOLDER = re.compile(r"\{((?:connection|cursor|window|job|inner)\.[a-z_.]+|batch\.one|batch|record|address)\}")


def fill_placeholders(value: Any, known: Mapping[str, Any]) -> Any:
    """Replaces placeholders anywhere in a text, list or mapping; one that stands alone keeps its type.

    Raises:
        ConfigurationError: a placeholder has no value here; the message says which ones have.
    """
    if isinstance(value, str):
        return _fill_text(value, known)
    if isinstance(value, dict):
        return {name: fill_placeholders(inner, known) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill_placeholders(inner, known) for inner in value]
    return value


def describe_connection(connection: Connection) -> dict[str, Any]:
    """The connection's placeholders; the values are secret, never log them."""
    known: dict[str, Any] = {
        "connection.host": connection.base_url if connection.host else "",
        "connection.login": connection.login,
        "connection.password": connection.secret,
    }
    known.update({f"connection.extra.{name}": value for name, value in connection.extra.items()})
    return known


def _fill_text(text: str, known: Mapping[str, Any]) -> Any:
    alone = PLACEHOLDER.fullmatch(text)
    if alone:
        return _look_up(alone[1], known)
    return PLACEHOLDER.sub(lambda match: str(_look_up(match[1], known)), text)


def _look_up(name: str, known: Mapping[str, Any]) -> Any:
    if known.get(name, "") == "":
        if name.startswith("connection."):
            field = name.removeprefix("connection.")
            raise ConfigurationError(f"it has no {field}. Fill {field} in under Admin > Connections.")
        raise ConfigurationError(f"Placeholder {{{name}}} has no value here; known: {', '.join(sorted(known))}.")
    return known[name]
