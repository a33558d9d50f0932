"""Real listeners, and a workspace whose alerts reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.alerting.listeners import Listeners, open_listeners


@pytest.fixture
def listeners(connections: dict[str, dict[str, Any]]) -> Iterator[Listeners]:
    with open_listeners() as opened:
        connections["safar_alerts"] = opened.describe_connection(unknown_limit=2, silent_hours=1)
        yield opened
