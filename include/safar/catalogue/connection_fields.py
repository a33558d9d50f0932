"""Which fields of its connection a source reads: what a form has to ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from safar.catalogue.source import Source

FIELD = re.compile(r"\{connection\.(host|login|password|extra\.([a-z_]+))\}")
SECRET_NAME = re.compile(r"(^|_)(secret|token|key|password|passphrase)(_|$)")


@dataclass(frozen=True)
class ConnectionFields:
    """The fields of one source's connection, beside the host or folder."""

    is_folder: bool
    """Its rows come from files."""
    has_login: bool = False
    has_password: bool = False
    extra: tuple[str, ...] = ()
    """Names in the extra, in the order in which the YAML names them."""

    def is_secret(self, name: str) -> bool:
        """Whether a field of the extra is to be masked."""
        return SECRET_NAME.search(name) is not None


def list_connection_fields(source: Source) -> ConnectionFields:
    """Reads them from the placeholders of everything that is asked."""
    if not any(table.extract.endpoint for table in source.tables):
        return ConnectionFields(is_folder=True)
    found = list(FIELD.finditer(source.client.model_dump_json() + "".join(t.model_dump_json() for t in source.tables)))
    names = {match[1] for match in found}
    extra = tuple(dict.fromkeys(match[2] for match in found if match[2]))
    return ConnectionFields(False, "login" in names, "password" in names, extra)
