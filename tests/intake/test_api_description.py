"""The intake against its own OpenAPI: whatever is sent to a route that it describes, it answers and never breaks."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from safar.delivery.unsubscribe_tokens import sign_confirmation_token, sign_unsubscribe_token
from safar.intake import create_app

KEY = "test-token-key"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EXAMPLES = int(os.environ.get("TORTURE_EXAMPLES", "40"))
UNLIMITED = {
    "network_burst": 10**9,
    "total_burst": 10**9,
    "opt_ins_per_network": 10**6,
    "event_network_burst": 10**9,
    "write_keys": {sha256(b"backend-key").hexdigest(): {"name": "backend", "kind": "server"}},
}
OPERATIONS = [
    ("/webhooks/sendgrid", "POST"),
    ("/unsubscribe/{token}", "GET"),
    ("/unsubscribe/{token}", "POST"),
    ("/preferences/{token}", "GET"),
    ("/preferences/{token}", "POST"),
    ("/confirm/{token}", "GET"),
    ("/confirm/{token}", "POST"),
    ("/subscribe", "POST"),
    *((f"/v1/{route}", "POST") for route in ("track", "identify", "page", "screen", "batch")),
]
GENEROUS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="TORTURE_EXAMPLES" not in os.environ,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def api(connections, open_workspace, serve) -> Any:
    connections["safar_intake"]["extra"] = UNLIMITED
    workspace = open_workspace(NOW)
    with serve(workspace) as running:
        schema = schemathesis.openapi.from_dict(create_app(workspace).openapi())
        schema.config.update(base_url=running.url)
        yield running, schema


def test_every_route_is_described(workspace) -> None:
    described = create_app(workspace).openapi()["paths"]
    assert {(path, method.upper()) for path, methods in described.items() for method in methods} == set(OPERATIONS)
    for path, methods in described.items():
        for method, operation in methods.items():
            assert {"200", "503", "429"} <= set(operation["responses"]), (path, method)
            assert not path.startswith("/v1") or {"400", "401", "413"} <= set(operation["responses"]), (path, method)
            assert ("requestBody" in operation) == (method == "post")
            if "{token}" in path:
                assert [parameter["name"] for parameter in operation["parameters"]] == ["token"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS])
def test_nothing_that_fits_the_description_or_does_not_breaks_the_intake(
    api, ledger, write_message, permit, path: str, method: str
) -> None:
    running, schema = api
    permit("marketing")
    tokens = list_tokens(running, ledger, write_message)
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    statuses: set[int] = set()

    @GENEROUS
    @given(data=st.data(), token=st.sampled_from([*tokens, None]), is_signed=st.booleans(), mode=st.sampled_from(modes))
    def ask(data: st.DataObject, token: str | None, is_signed: bool, mode: Any) -> None:
        case = data.draw(schema[path][method].as_strategy(generation_mode=mode))
        if token is not None and "{token}" in path:
            case.path_parameters = {"token": token}
        if is_signed and path.startswith("/v1"):
            case.headers = {**(case.headers or {}), "Authorization": f"Basic {b64encode(b'backend-key:').decode()}"}
        response = send(case, running.provider.sign if is_signed and path.startswith("/webhooks") else None)
        statuses.add(response.status_code)
        case.validate_response(response, checks=[not_a_server_error])
        assert "Traceback" not in response.text

    ask()
    assert 200 in statuses, "some requests reached what lies behind the gate"


def list_tokens(running, ledger, write_message) -> list[str]:
    """Links that work: of a mail, and of a mail that asks for a confirmation."""
    form = {"email": "new.reader@example.com", "topic": "marketing", "form": "footer", "text_version": "1"}
    assert requests.post(f"{running.url}/subscribe", data=form, timeout=30).status_code == 200
    asked = ledger.execute("select message_id from ledger.message where step = 'ask'").fetchone()["message_id"]
    return [sign_unsubscribe_token(KEY, write_message()), sign_confirmation_token(KEY, asked)]


def send(case: Any, sign: Callable[[bytes], dict[str, str]] | None) -> Any:
    """Sends the case over HTTP; signed as the provider would when asked to."""
    if sign is None:
        return case.call(timeout=30)
    prepared = requests.Request(**case.as_transport_kwargs()).prepare()
    body = prepared.body if isinstance(prepared.body, bytes) else (prepared.body or "").encode()
    return case.call(timeout=30, headers=sign(body))
