"""What Airflow asks every provider: here a form per declared source under Admin > Connections.

Every process of Airflow reads this while it starts, so nothing of Airflow is imported, and a declaration that is wrong
costs the forms, not the process: the DAGs say what is wrong.
"""

from __future__ import annotations

import logging
from typing import Any

from safar.catalogue.connection_fields import ConnectionFields, list_connection_fields
from safar.catalogue.source import Source, read_sources
from safar.errors import ConfigurationError
from safar.settings import Settings

HOOKS = "safar_airflow.hooks.vendors"
LABELS = {"host": "Base URL", "password": "Secret or token"}


def get_provider_info() -> dict[str, Any]:
    """The entry point `apache_airflow_provider`."""
    try:
        sources = read_sources(Settings.from_environment().dbt_project)
    except (ConfigurationError, OSError) as error:
        logging.getLogger(__name__).warning("No connection forms: %s", error)
        sources = {}
    return {
        "package-name": "safar",
        "name": "Safar",
        "description": "Sources of lifecycle marketing.",
        "connection-types": [_describe_form(source) for source in sources.values()],
    }


def name_connection_type(source: str) -> str:
    return f"safar_{source}"


def name_hook(source: str) -> str:
    """The class of a source's hook."""
    return "".join(part.capitalize() for part in source.split("_")) + "Hook"


def describe_hook(source: Source) -> str:
    """What the connection type is called in Airflow's list."""
    return f"Safar: {source.name.replace('_', ' ')}"


def _describe_form(source: Source) -> dict[str, Any]:
    fields = list_connection_fields(source)
    return {
        "connection-type": name_connection_type(source.name),
        "hook-class-name": f"{HOOKS}.{name_hook(source.name)}",
        "hook-name": describe_hook(source),
        "ui-field-behaviour": {
            "hidden-fields": _list_hidden(fields),
            "relabeling": {} if fields.is_folder else LABELS,
            "placeholders": {},
        },
        "conn-fields": _describe_extra(fields),
    }


def _list_hidden(fields: ConnectionFields) -> list[str]:
    shown = {"host": not fields.is_folder, "login": fields.has_login, "password": fields.has_password}
    return ["schema", "port", *(name for name, is_shown in shown.items() if not is_shown)]


def _describe_extra(fields: ConnectionFields) -> dict[str, Any]:
    names = ("path",) if fields.is_folder else fields.extra
    return {name: _describe_field(name, fields.is_secret(name)) for name in names}


def _describe_field(name: str, is_secret: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": ["string", "null"]}
    if is_secret:
        schema["format"] = "password"
    return {"label": name.replace("_", " ").capitalize(), "schema": schema}
