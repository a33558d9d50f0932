"""People who are planned, sent to and answer, as in the tests of delivery."""

from __future__ import annotations

from tests.delivery.conftest import company  # noqa: F401 (a fixture)
