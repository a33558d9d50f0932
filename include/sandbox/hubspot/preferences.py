"""HubSpot communication preferences, v4, and the v3 calls that its Python SDK still makes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, read_object, reading, write_json
from sandbox.clock import write_moment, write_seconds
from sandbox.company import Company
from sandbox.company.crm import MARKETING, SERVICE
from sandbox.hubspot.errors import refuse_input
from sandbox.hubspot.gate import Gate

V3, V4 = "/communication-preferences/v3", "/communication-preferences/v4"
BATCH_LIMIT = 100
NAMES = {MARKETING: "Marketing Information", SERVICE: "Customer Service Communication"}
BEGAN = "2023-11-02T09:00:00Z"


def add_preference_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes below /communication-preferences."""

    def envelope(results: list[dict[str, Any]]) -> dict[str, Any]:
        moment = write_moment(company.now)
        return {"status": "COMPLETE", "results": results, "startedAt": moment, "completedAt": moment}

    @router.get(f"{V4}/definitions")
    async def list_definitions(request: Request) -> Response:
        return write_json(envelope(_definitions()), headers=gate.enter(request))

    @router.post(f"{V4}/statuses/batch/read")
    async def read_statuses(request: Request) -> Response:
        headers = gate.enter(request)
        _require_channel(request.query_params.get("channel"))
        inputs = (await _read_body(request)).get("inputs") or []
        if not 1 <= len(inputs) <= BATCH_LIMIT:
            raise Refused(refuse_input(f"A batch has 1 to {BATCH_LIMIT} inputs; this one has {len(inputs)}"))
        async with reading(company):
            rows = [{"subscriberIdString": email, "statuses": _describe(company, email)} for email in inputs]
        return write_json(envelope(rows), headers=headers)

    @router.get(V4 + "/statuses/{subscriber}")
    async def read_status(request: Request, subscriber: str) -> Response:
        headers = gate.enter(request)
        _require_channel(request.query_params.get("channel"))
        async with reading(company):
            return write_json(envelope(_describe(company, subscriber)), headers=headers)

    @router.post(V4 + "/statuses/{subscriber}")
    @router.put(V4 + "/statuses/{subscriber}")
    async def change_status(request: Request, subscriber: str) -> Response:
        headers = gate.enter(request)
        wanted = await _read_body(request)
        _require_channel(wanted.get("channel"))
        status = str(wanted.get("statusState"))
        if status not in ("SUBSCRIBED", "UNSUBSCRIBED"):
            raise Refused(refuse_input(f"statusState must be SUBSCRIBED or UNSUBSCRIBED, not {status}"))
        subscription = _read_subscription(wanted.get("subscriptionId"))
        company.set_consent(subscriber, subscription, status, "PUBLIC_API")
        rows = [row for row in _describe(company, subscriber) if row["subscriptionId"] == subscription]
        return write_json(envelope(rows), headers=headers)

    @router.post(V4 + "/statuses/{subscriber}/unsubscribe-all")
    async def unsubscribe_all(request: Request, subscriber: str) -> Response:
        headers = gate.enter(request)
        _require_channel(request.query_params.get("channel"))
        for subscription in NAMES:
            company.set_consent(subscriber, subscription, "UNSUBSCRIBED", "PUBLIC_API")
        return write_json(envelope(_describe(company, subscriber)), headers=headers)

    _add_older_routes(router, company, gate)


def _add_older_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    def recipient(email: str) -> dict[str, Any]:
        rows = [
            {
                "id": str(row["subscriptionId"]),
                "name": row["subscriptionName"],
                "description": row["subscriptionName"],
                "status": "SUBSCRIBED" if row["status"] == "SUBSCRIBED" else "NOT_SUBSCRIBED",
                "sourceOfStatus": "SUBSCRIPTION_STATUS",
            }
            for row in _describe(company, email)
        ]
        return {"recipient": email, "subscriptionStatuses": rows}

    @router.get(f"{V3}/definitions")
    async def list_definitions(request: Request) -> Response:
        return write_json({"subscriptionDefinitions": _definitions()}, headers=gate.enter(request))

    @router.get(V3 + "/status/email/{email}")
    async def read_status(request: Request, email: str) -> Response:
        headers = gate.enter(request)
        async with reading(company):
            return write_json(recipient(email), headers=headers)

    @router.post(V3 + "/{verb}")
    async def change_status(request: Request, verb: str) -> Response:
        headers = gate.enter(request)
        wanted = await _read_body(request)
        if verb not in ("subscribe", "unsubscribe"):
            raise Refused(Response(status_code=404))
        email, subscription = str(wanted.get("emailAddress")), _read_subscription(wanted.get("subscriptionId"))
        company.set_consent(email, subscription, f"{verb.upper()}D", "PUBLIC_API")
        rows = [row for row in recipient(email)["subscriptionStatuses"] if row["id"] == str(subscription)]
        return write_json(rows[0], headers=headers)


def _describe(company: Company, email: str) -> list[dict[str, Any]]:
    return [_describe_one(company, email, subscription) for subscription in NAMES]


def _describe_one(company: Company, email: str, subscription: int) -> dict[str, Any]:
    consent = company.crm.consent(email, subscription)
    is_known = consent is not None and consent.at <= company.seconds
    row: dict[str, Any] = {
        "subscriberIdString": email,
        "subscriptionId": subscription,
        "subscriptionName": NAMES[subscription],
        "channel": "EMAIL",
        "status": "NOT_SPECIFIED",
        "source": "Not specified",
        "timestamp": BEGAN,
        "businessUnitId": 0,
    }
    if consent is not None and is_known:
        row |= {"status": consent.status, "source": consent.source, "timestamp": write_seconds(consent.at)}
        if consent.status == "SUBSCRIBED":
            row |= {"legalBasis": "CONSENT_WITH_NOTICE", "legalBasisExplanation": "Opted in by a form"}
    return row


def _definitions() -> list[dict[str, Any]]:
    return [
        {
            "id": str(subscription),
            "name": name,
            "description": name,
            "purpose": "Marketing" if subscription == MARKETING else "Service",
            "communicationMethod": "Email",
            "isActive": True,
            "isDefault": True,
            "isInternal": False,
            "businessUnitId": 0,
            "createdAt": BEGAN,
            "updatedAt": BEGAN,
        }
        for subscription, name in NAMES.items()
    ]


async def _read_body(request: Request) -> dict[str, Any]:
    try:
        return await read_object(request)
    except ValueError as error:
        raise Refused(refuse_input(f"Invalid input JSON: {error}")) from error


def _require_channel(channel: Any) -> None:
    if channel != "EMAIL":
        raise Refused(refuse_input("channel is required, and EMAIL is the only one"))


def _read_subscription(number: Any) -> int:
    if not str(number).isdigit() or int(number) not in NAMES:
        raise Refused(refuse_input(f"Subscription {number} does not exist in this account"))
    return int(number)
