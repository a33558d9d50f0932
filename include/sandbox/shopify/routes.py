"""Shopify's part of the server: tokens, and the Admin GraphQL API."""

from __future__ import annotations

import time
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from sandbox.answers import Refused, reading, write_json
from sandbox.company import Company
from sandbox.faults import declare_fault
from sandbox.shopify.bulk import BulkOperations
from sandbox.shopify.connection import Node
from sandbox.shopify.errors import RATE_LIMITS, describe_cost, refuse_pace, refuse_token
from sandbox.shopify.execution import QueryFault, Step, count_actual_cost, count_cost, execute, prepare
from sandbox.shopify.parser import SyntaxFault, parse
from sandbox.shopify.records import Records
from sandbox.shopify.schema import build_schema
from sandbox.throttle import PointsBucket

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
TOKEN_SECONDS = 86_399
SCOPES = "read_customers,write_customers,write_customer_data_erasure,read_orders,read_all_orders,"
SCOPES += "read_returns,read_products,read_inventory,read_locations"
MOST_POINTS = 1000
BUCKET_SECONDS = 20
"""How many seconds' restoring a full bucket holds."""

declare_fault(
    "access_denied",
    "Shopify's ACCESS_DENIED for one connection: a scope or a user's right was taken away.",
    vendor="shopify",
    remedy="give_up",
)


class Tokens:
    """Access tokens given out since the server began; each holds for a day of wall time."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._client = (client_id, client_secret)
        self._expiry: dict[str, float] = {}

    def mint(self, wanted: dict[str, Any]) -> Response:
        """Answers a client-credentials request."""
        if wanted.get("grant_type") != "client_credentials":
            return write_json({"error": "unsupported_grant_type"}, 400)
        if (wanted.get("client_id"), wanted.get("client_secret")) != self._client:
            description = "Client authentication failed: check client_id and client_secret"
            return write_json({"error": "invalid_client", "error_description": description}, 401)
        token = f"shpat_{token_hex(16)}"
        self._expiry[token] = time.monotonic() + TOKEN_SECONDS
        return write_json({"access_token": token, "scope": SCOPES, "expires_in": TOKEN_SECONDS})

    def require(self, token: str | None) -> None:
        """Raises:
        Refused: no token, or one that is unknown or too old.
        """
        if self._expiry.get(token or "", 0) < time.monotonic():
            raise Refused(refuse_token())


def create_router(company: Company) -> APIRouter:
    """Builds Shopify's routes."""
    router = APIRouter()
    secrets, restore_rate = company.config.secrets, company.config.shopify_restore_rate
    tokens = Tokens(secrets.shopify_client_id, secrets.shopify_client_secret)
    bucket = PointsBucket(restore_rate * BUCKET_SECONDS, restore_rate)

    def spoil(table: str, nodes: list[Node]) -> None:
        company.faults.spoil_records("shopify", table, nodes, SPOILED)

    records = Records(company, spoil)
    bulk = BulkOperations(company)
    schema = build_schema(records, bulk)

    def carry_out(steps: list[Step]) -> Response:
        requested = count_cost(steps)
        if requested > MOST_POINTS:
            raise QueryFault(
                f"Query cost is {requested}, which exceeds the single query max cost limit ({MOST_POINTS}).",
                "MAX_COST_EXCEEDED",
                cost=requested,
                maxCost=MOST_POINTS,
                documentation=RATE_LIMITS,
            )
        if company.limits.are_on("shopify") and not bucket.take(requested):
            return refuse_pace(bucket, requested)
        records.warnings = ()
        data = execute(steps, None)
        actual = min(count_actual_cost(steps, data), requested)
        bucket.give_back(requested - actual)
        extensions: dict[str, Any] = {"cost": describe_cost(bucket, requested, actual)}
        if records.warnings:
            warnings = [{"field": name, "message": "Invalid search field for this query."} for name in records.warnings]
            extensions["search"] = [{"warnings": warnings}]
        return write_json({"data": data, "extensions": extensions})

    @router.post("/admin/oauth/access_token")
    async def mint_token(request: Request) -> Response:
        return tokens.mint(_read_form(await request.body()))

    @router.post("/admin/api/{version}/graphql.json")
    async def answer_query(request: Request, version: str) -> Response:
        tokens.require(request.headers.get("x-shopify-access-token"))
        bulk.address = str(request.url).partition("/admin/")[0]
        try:
            steps = _prepare(schema, await request.body())
            async with reading(company):
                response = carry_out(steps)
        except QueryFault as fault:
            response = write_json({"errors": [fault.answer]})
        served = version if version in VERSIONS else VERSIONS[0]
        response.headers["X-Shopify-API-Version"] = served
        return response

    @router.get("/bulk/{name}")
    async def give_file(name: str) -> Response:
        # Whoever has the address may read the file, as at the real shop.
        path = bulk.find_file(name)
        return Response(status_code=404) if path is None else FileResponse(path, media_type="application/jsonl")

    return router


def _lose_id(node: Node) -> None:
    node["id"] = None


def _spoil_date(node: Node) -> None:
    node["updatedAt"] = "2026-02-30T99:99:99Z"


def _spoil_email(node: Node) -> None:
    node["email"] = "not an address"


SPOILED = {"missing_key": _lose_id, "unparsable_date": _spoil_date, "bad_email": _spoil_email}


def _prepare(schema: Any, body: bytes) -> list[Step]:
    try:
        wanted = orjson.loads(body)
        document = parse(str(wanted["query"]))
        operation = document.choose(wanted.get("operationName"))
    except SyntaxFault as fault:
        raise QueryFault(str(fault), "PARSE_ERROR") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise Refused(write_json({"errors": {"query": "Required parameter missing or invalid"}}, 400)) from fault
    return prepare(schema, document, operation, wanted.get("variables") or {})


def _read_form(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return dict(parse_qsl(body.decode(errors="replace")))
    return parsed if isinstance(parsed, dict) else {}
