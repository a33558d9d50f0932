"""Each setting of the intake has an effect, and a wrong one names itself."""

from __future__ import annotations

import gzip
import json
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
import pytest
import requests

from safar.delivery.unsubscribe_tokens import sign_confirmation_token, sign_unsubscribe_token
from safar.errors import ConfigurationError
from safar.intake import create_app
from safar.intake.ledger_pool import LedgerPool, LedgerUnavailable
from safar.intake.settings import IntakeSettings, read_intake_settings

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TRIED = {
    "late_after_hours",
    "link_lifetime_days",
    "body_limit_bytes",
    "ledger_connections",
    "form_limit_bytes",
    "network_burst",
    "network_per_minute",
    "total_burst",
    "total_per_minute",
    "trusted_proxies",
    "confirmation_hours",
    "opt_ins_per_address",
    "opt_ins_per_network",
    "write_keys",
    "event_body_limit_bytes",
    "event_network_burst",
    "event_network_per_minute",
}
FORM = {"email": "berta.quill@example.com", "topic": "marketing", "form": "footer", "text_version": "1"}


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


def knock(intake, network: int = 1, token: str = "x") -> requests.Response:
    headers = {"X-Forwarded-For": f"203.0.{network}.7"}
    return requests.get(f"{intake.url}/unsubscribe/{token}", headers=headers, timeout=30)


def ask(intake, network: int = 1, **fields: str) -> requests.Response:
    headers = {"X-Forwarded-For": f"203.0.{network}.7"}
    return requests.post(f"{intake.url}/subscribe", data={**FORM, **fields}, headers=headers, timeout=30)


def test_a_form_has_its_limit(connections, open_workspace, serve, ledger) -> None:
    connections["safar_intake"]["extra"] = {"form_limit_bytes": 200}
    with serve(open_workspace(NOW)) as intake:
        assert ask(intake, padding="x" * 200).status_code == 413
        assert ask(intake).status_code == 200


def test_a_network_may_do_so_much_at_once_and_so_much_a_minute(connections, open_workspace, serve) -> None:
    connections["safar_intake"]["extra"] = {"network_burst": 3, "network_per_minute": 0.5}
    with serve(open_workspace(NOW)) as intake:
        answers = [knock(intake) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
        assert 60 < int(answers[-1].headers["Retry-After"]) <= 120
        assert "Please wait a moment" in answers[-1].text
        assert knock(intake, network=2).status_code == 404


def test_a_network_gets_new_requests_as_fast_as_set(connections, open_workspace, serve) -> None:
    connections["safar_intake"]["extra"] = {"network_burst": 1, "network_per_minute": 600_000}
    with serve(open_workspace(NOW)) as intake:
        # Ten thousand in a second: between two requests over HTTP there is always more than a tenth of a millisecond.
        assert {knock(intake).status_code for _ in range(10)} == {404}


def test_all_networks_together_have_their_limit(connections, open_workspace, serve, event) -> None:
    connections["safar_intake"]["extra"] = {"total_burst": 5, "total_per_minute": 0.5}
    with serve(open_workspace(NOW)) as intake:
        answers = [knock(intake, network) for network in range(7)]
        assert [answer.status_code for answer in answers] == [404] * 5 + [429] * 2
        assert 60 < int(answers[-1].headers["Retry-After"]) <= 120
        assert intake.post([event()]).status_code == 200


def test_all_networks_together_get_new_requests_as_fast_as_set(connections, open_workspace, serve) -> None:
    connections["safar_intake"]["extra"] = {"total_burst": 1, "total_per_minute": 600_000}
    with serve(open_workspace(NOW)) as intake:
        assert {knock(intake, network).status_code for network in range(10)} == {404}


def test_only_our_own_proxies_say_who_asks(connections, open_workspace, serve) -> None:
    connections["safar_intake"]["extra"] = {"network_burst": 2, "network_per_minute": 0.5}
    with serve(open_workspace(NOW)) as intake:
        assert [knock(intake, network).status_code for network in range(4)] == [404] * 4
    connections["safar_intake"]["extra"]["trusted_proxies"] = ["192.0.2.0/24"]
    with serve(open_workspace(NOW)) as intake:
        assert [knock(intake, network).status_code for network in range(4)] == [404, 404, 429, 429]


def test_a_confirmation_lasts_as_set(connections, open_workspace, serve, ledger) -> None:
    connections["safar_intake"]["extra"] = {"confirmation_hours": 2}
    with serve(open_workspace(NOW)) as intake:
        ask(intake)
    row = ledger.execute("select message_id, expires_at, fields from ledger.message").fetchone()
    assert (row["expires_at"], row["fields"]["valid_hours"]) == (NOW + timedelta(hours=2), "2")
    token = sign_confirmation_token("test-token-key", row["message_id"])
    statuses = []
    for hours in (1, 3):
        with serve(open_workspace(NOW + timedelta(hours=hours))) as intake:
            statuses.append(requests.get(f"{intake.url}/confirm/{token}", timeout=30).status_code)
    assert statuses == [200, 410]


def test_confirmation_mails_are_capped_as_set(connections, open_workspace, serve, ledger) -> None:
    connections["safar_intake"]["extra"] = {"opt_ins_per_address": 1, "opt_ins_per_network": 2}
    with serve(open_workspace(NOW)) as intake:
        answers = [ask(intake, email=f"{name}@example.com") for name in ("a", "a", "b", "c")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    rows = ledger.execute("select address from ledger.message order by address").fetchall()
    assert [row["address"] for row in rows] == ["a@example.com", "b@example.com"]


KEYS = {sha256(kind.encode()).hexdigest(): {"name": f"shop_{kind}", "kind": kind} for kind in ("client", "server")}


def track(intake, kind: str = "client", network: int = 1, **more: object) -> requests.Response:
    call = {"event": "Product Viewed", "anonymousId": "device-1", **more}
    headers = {"X-Forwarded-For": f"203.0.{network}.7"}
    return requests.post(f"{intake.url}/v1/track", json=call, auth=(kind, ""), headers=headers, timeout=30)


def test_posts_of_events_have_their_limit(connections, open_workspace, serve) -> None:
    connections["safar_intake"]["extra"] = {"write_keys": KEYS, "event_body_limit_bytes": 1000}
    with serve(open_workspace(NOW)) as intake:
        long = {"properties": {"text": "x" * 1000}}
        assert track(intake, **long).status_code == 413
        assert track(intake).status_code == 200
        packed = gzip.compress(json.dumps({"event": "x", "anonymousId": "a", **long}).encode())
        assert len(packed) < 1000
        headers = {"Content-Encoding": "gzip"}
        answer = requests.post(f"{intake.url}/v1/track", data=packed, auth=("client", ""), headers=headers, timeout=30)
        assert answer.status_code == 413


def test_a_network_may_post_so_many_events_at_once_and_so_many_a_minute(connections, open_workspace, serve) -> None:
    extra = {"write_keys": KEYS, "event_network_burst": 3, "event_network_per_minute": 0.5}
    connections["safar_intake"]["extra"] = extra
    with serve(open_workspace(NOW)) as intake:
        answers = [track(intake) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 60 < int(answers[-1].headers["Retry-After"]) <= 120
        assert track(intake, network=2).status_code == 200
        assert {track(intake, "server").status_code for _ in range(5)} == {200}, "one machine speaks for everybody"
        assert track(intake, "guessed").status_code == 429
        assert knock(intake).status_code == 404, "mails' links still open"
    extra |= {"event_network_burst": 1, "event_network_per_minute": 600_000}
    with serve(open_workspace(NOW)) as intake:
        assert {track(intake).status_code for _ in range(10)} == {200}


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"a-secret-key": {"name": "shop", "kind": "client"}}, "sha256"),
        ({"0" * 64: {"name": "shop", "kind": "page"}}, "'client' or 'server'"),
        ({"0" * 64: {"name": "My shop", "kind": "client"}}, "name"),
        ({"0" * 64: {"name": "shop"}}, "kind"),
        ({str(n) * 64: {"name": "shop", "kind": kind} for n, kind in enumerate(("client", "server"))}, "both kinds"),
    ],
)
def test_a_wrong_write_key_names_itself_and_repeats_no_secret(connections, open_workspace, declared, told) -> None:
    connections["safar_intake"]["extra"] = {"write_keys": declared}
    with pytest.raises(ConfigurationError, match=told) as raised:
        read_intake_settings(open_workspace(NOW))
    assert "a-secret-key" not in str(raised.value)


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
