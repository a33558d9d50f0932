"""A hook per declared source, for the button "Test" of its connection's form."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.sdk import BaseHook

from safar.catalogue.source import Source, read_sources
from safar.errors import SafarError
from safar.settings import Settings
from safar_airflow.provider_info import describe_hook, name_connection_type, name_hook
from safar_airflow.workspace import open_workspace, translate_connection


class VendorHook(BaseHook):
    """Logs in at one source's vendor as an extract would."""

    conn_name_attr = "conn_id"
    source: ClassVar[Source]

    def __init__(self, conn_id: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id or self.source.connection

    def test_connection(self) -> tuple[bool, str]:
        """Asks for one row with what stands in the form; tells what came, or what to do."""
        from safar.extraction.trying import try_connection

        # Airflow tests under an invented name; whoever reads an error knows the connection by its own.
        connection = translate_connection(self.source.connection, BaseHook.get_connection(self.conn_id))
        try:
            return True, try_connection(open_workspace(), self.source, connection)
        except SafarError as error:
            return False, str(error)


def __getattr__(name: str) -> Any:
    """Makes the class of the source that is called so."""
    if not name.endswith("Hook"):
        raise AttributeError(name)
    for source in read_sources(Settings.from_environment().dbt_project).values():
        if name_hook(source.name) == name:
            attributes = {
                "conn_type": name_connection_type(source.name),
                "hook_name": describe_hook(source),
                "default_conn_name": source.connection,
                "source": source,
                "__module__": __name__,
            }
            return type(name, (VendorHook,), attributes)
    raise AttributeError(name)
