"""A vendor's count of the day's calls, and logging in with a signed assertion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tiny_vendor import Handler, Vendor

from safar.catalogue.source import Source
from safar.errors import ConfigurationError, SafarError
from safar.extraction import Counts, land_source
from safar.extraction.client import open_client
from safar.extraction.session import Patience
from safar.outbound import Reach
from safar.workspace import Workspace

Declare = Callable[..., Source]
Open = Callable[..., Workspace]
BEARER = 'auth: {type: bearer, token: "{connection.password}"}'
REACH = Reach("test", is_own_machine=True)
JWT = (
    "{type: oauth2_jwt_bearer, access_token_url: '{connection.host}/token', client_id: '{connection.login}', "
    "subject: '{connection.extra.username}', audience: https://login.example.com, "
    "private_key: '{connection.extra.private_key}'}"
)


@pytest.mark.parametrize(("used", "lands"), [(899, True), (900, False)])
def test_a_share_of_the_day_s_calls_is_left_to_others(
    used: int, lands: bool, vendor: Vendor, declare: Declare, open_at: Open, patience: Patience
) -> None:
    def answer_with_count(handler: Handler) -> bool:
        return handler.send(200, {"results": []}, {"X-Calls": f"api-usage={used}/1000; per-app=1/2"})

    vendor.faults = [answer_with_count] * 4
    quota = r"quota: {header: X-Calls, pattern: 'api-usage=(\d+)/(\d+)', leave: 10 %}"
    source = declare("crm", (BEARER, f"{BEARER}\n            {quota}"))
    if lands:
        assert land_source(open_at(), source, patience).rows["contacts"] == Counts()
    else:
        with pytest.raises(SafarError, match=r"900 of the 1000 calls of the day are used, and 10% are left"):
            land_source(open_at(), source, patience)


def test_a_pattern_of_the_quota_has_two_groups(declare: Declare) -> None:
    with pytest.raises(ConfigurationError, match="two groups"):
        declare("crm", (BEARER, BEARER + "\n            quota: {header: X, pattern: 'used=(.*)', leave: 5 %}"))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def write_pem(key: rsa.RSAPrivateKey) -> str:
    none = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none).decode()


def sign_in(
    vendor: Vendor, declare: Declare, open_at: Open, auth: str, **connection: Any
) -> tuple[dict[str, Any], list[str]]:
    """Lets a client ask twice, its token refused once; returns the form sent for a token and the tokens used."""
    forms: list[dict[str, Any]] = []
    tokens: list[str] = []

    def give_token(handler: Handler) -> bool:
        forms.append({name: values[0] for name, values in handler.vendor.requests[-1][2].items()})
        return handler.send(200, {"access_token": f"T{len(forms)}", "token_type": "Bearer", "expires_in": 3600})

    def refuse(handler: Handler) -> bool:
        tokens.append(handler.headers["Authorization"])
        return handler.send(401, {})

    def take(handler: Handler) -> bool:
        tokens.append(handler.headers["Authorization"])
        return handler.send(200, {"results": []})

    vendor.faults = [give_token, refuse, give_token, take]
    workspace = open_at()
    known = workspace.connections.get("crm").model_copy(update=connection)
    client = open_client(declare("crm", (BEARER, f"auth: {auth}")), known, REACH, Patience(sleep=lambda _: None))
    client.rest.get("/contacts")
    return forms[0], tokens


@pytest.mark.parametrize("is_on_one_line", [False, True])
def test_an_assertion_says_who_asks_and_a_refused_token_is_asked_for_again(
    is_on_one_line: bool, vendor: Vendor, declare: Declare, open_at: Open, key: rsa.RSAPrivateKey
) -> None:
    pem = write_pem(key)
    extra = {"username": "u@example.com", "private_key": pem.replace("\n", "\\n") if is_on_one_line else pem}
    form, tokens = sign_in(vendor, declare, open_at, JWT, login="app", extra=extra)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(form["assertion"], key.public_key(), ["RS256"], audience="https://login.example.com")
    assert (claims["iss"], claims["sub"]) == ("app", "u@example.com")
    assert tokens == ["Bearer T1", "Bearer T2"]


def test_of_several_ways_to_log_in_the_first_that_the_connection_allows_is_taken(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    plain = (
        "{type: oauth2_client_credentials, access_token_url: '{connection.host}/token', "
        "client_id: '{connection.login}', client_secret: '{connection.password}'}"
    )
    form, _ = sign_in(vendor, declare, open_at, f"[{JWT}, {plain}]", login="app")
    assert form["grant_type"] == "client_credentials"
    with pytest.raises(ConfigurationError, match="it has no extra.private_key"):
        sign_in(vendor, declare, open_at, f"[{JWT}]", login="app")


REFRESH = (
    "{type: oauth2_refresh_token, access_token_url: '{connection.host}/token', client_id: '{connection.login}', "
    "client_secret: '{connection.password}', refresh_token: '{connection.extra.lasting}'}"
)


def test_a_refresh_token_is_changed_for_tokens_that_hold_an_hour(
    vendor: Vendor, declare: Declare, open_at: Open
) -> None:
    form, tokens = sign_in(vendor, declare, open_at, REFRESH, login="app", extra={"lasting": "1//R"})
    assert (form["grant_type"], form["refresh_token"], form["client_id"]) == ("refresh_token", "1//R", "app")
    assert tokens == ["Bearer T1", "Bearer T2"]
    with pytest.raises(ConfigurationError, match="refresh_token belongs to type oauth2_refresh_token, which needs one"):
        declare("crm", (BEARER, "auth: {type: oauth2_refresh_token, client_id: x}"))


def test_a_key_that_is_none_is_told_without_repeating_it(vendor: Vendor, declare: Declare, open_at: Open) -> None:
    with pytest.raises(ConfigurationError, match="no RSA key in PEM form") as told:
        sign_in(vendor, declare, open_at, JWT, login="app", extra={"username": "u", "private_key": "secret-thing"})
    assert "secret-thing" not in str(told.value)
