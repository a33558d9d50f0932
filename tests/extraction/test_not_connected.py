"""A source that nobody has connected yet: its tables stand empty, and nothing else waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tiny_vendor import Vendor

from safar.catalogue.source import Source
from safar.errors import ConfigurationError
from safar.extraction import check_load, land_source
from safar.workspace import Workspace


def land_and_check(workspace: Workspace, source: Source) -> str:
    report = land_source(workspace, source)
    check_load(workspace, source, report.load_id)
    return report.describe()


def test_its_tables_stand_empty_and_are_read_once_it_is_connected(
    vendor: Vendor,
    declare: Callable[..., Source],
    open_at: Callable[..., Workspace],
    connections: dict[str, Any],
    select: Callable[..., list[tuple[Any, ...]]],
) -> None:
    vendor.contacts = [{"id": "1", "changed": "2026-03-01T10:00:00.000Z", "properties": {"email": "p1@example.com"}}]
    account = connections.pop("crm")
    source = declare("crm")
    for _ in range(2):
        assert land_and_check(open_at_without(open_at, connections), source).endswith(
            "is not connected; its tables stand empty."
        )
    assert select("select count(id) from raw_crm.contacts") == [(0,)]
    assert select("select distinct status from ledger.source_load") == [("checked",)]
    assert vendor.paths() == []

    connections["crm"] = account
    workspace = open_at()
    workspace.clock.at += timedelta(days=1)  # type: ignore[attr-defined]
    assert "contacts: 1 new" in land_and_check(workspace, source)
    assert select("select id from raw_crm.contacts") == [("1",)]


def test_a_connection_that_was_there_and_is_gone_is_an_error(
    vendor: Vendor, declare: Callable[..., Source], open_at: Callable[..., Workspace], connections: dict[str, Any]
) -> None:
    source = declare("crm")
    land_and_check(open_at(), source)
    with pytest.raises(ConfigurationError, match=r"crm was connected and is not any more.*Connection 'crm'.*Create it"):
        land_source(open_at_without(open_at, connections), source)


def open_at_without(open_at: Callable[..., Workspace], connections: dict[str, Any]) -> Workspace:
    connections.pop("crm", None)
    return open_at()
