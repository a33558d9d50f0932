"""Each setting of the intake has an effect, and a wrong one names itself."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import requests

from safar.delivery.unsubscribe_tokens import sign_unsubscribe_token
from safar.errors import ConfigurationError
from safar.intake import create_app
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.settings import IntakeSettings, read_intake_settings

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TRIED = {"late_after_hours", "link_lifetime_days", "body_limit_bytes", "ledger_connections"}


def test_every_setting_is_tried_here() -> None:
    assert set(IntakeSettings.model_fields) == TRIED


def test_limits_hold_as_set(connections, open_workspace, serve, ledger, event, write_message) -> None:
    connections["safar_intake"]["extra"] = {"late_after_hours": 1, "link_lifetime_days": 3, "body_limit_bytes": 2000}
    fresh, old = (write_message(planned_at=NOW - timedelta(days=days)) for days in (2, 4))
    with serve(open_workspace(NOW)) as intake:
        assert intake.post([event(at=NOW - timedelta(hours=age)) for age in (0, 2)]).status_code == 200
        body = json.dumps([event(padding="x" * 2000)]).encode()
        assert intake.post_raw(body, intake.provider.sign(body)).status_code == 413
        statuses = [
            requests.get(f"{intake.url}/unsubscribe/{sign_unsubscribe_token('test-token-key', message)}", timeout=30)
            for message in (fresh, old)
        ]
    assert [answer.status_code for answer in statuses] == [200, 410]
    late = ledger.execute("select is_late from ledger.provider_event order by occurred_at").fetchall()
    assert late == [{"is_late": True}, {"is_late": False}]


def test_no_more_connections_are_held_than_set(workspace, monkeypatch) -> None:
    monkeypatch.setattr("safar.intake.ledger_pool.PATIENCE", 0.05)
    pool = LedgerPool(workspace, size=1)
    entered, leave = threading.Event(), threading.Event()

    def hold(connection: psycopg.Connection) -> None:
        entered.set()
        leave.wait(10)

    holder = threading.Thread(target=pool.run, args=[hold])
    holder.start()
    entered.wait(10)
    with pytest.raises(LedgerUnavailable, match="busy"):
        pool.run(lambda connection: None)
    leave.set()
    holder.join()
    pool.run(lambda connection: None)
    pool.close()


@pytest.mark.parametrize(
    ("extra", "named"),
    [({"late_after_hour": 1}, "late_after_hour"), ({"link_lifetime_days": 0}, "link_lifetime_days")],
)
def test_a_wrong_setting_names_itself(connections, open_workspace, extra, named) -> None:
    connections["safar_intake"]["extra"] = extra
    with pytest.raises(ConfigurationError, match=rf"safar_intake, extra\.{named}:"):
        read_intake_settings(open_workspace(NOW))


def test_without_a_signing_key_nothing_is_served(connections, open_workspace) -> None:
    connections["safar_intake"]["password"] = ""
    with pytest.raises(ConfigurationError, match="safar_intake has no password"):
        create_app(open_workspace(NOW))


def test_without_the_providers_key_nothing_is_served(connections, open_workspace) -> None:
    connections["sendgrid"]["extra"] = {}
    with pytest.raises(ConfigurationError, match=r"event_public_key"):
        create_app(open_workspace(NOW))
