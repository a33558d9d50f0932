"""The bodies and answers of the intake's routes in OpenAPI's terms: what is read by hand describes itself here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safar.intake.texts import LANGUAGES
from safar.intake.topics import Topic

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
TEXT = {"type": "string"}
NAME = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$"}
LANGUAGE = {"type": "string", "enum": list(LANGUAGES)}
HTML = {"text/html": {"schema": TEXT}}
TOKEN_LOST = {404: "Not a link of ours.", 410: "The link is too old, or does not count any more."}
LATER = {429: "Too many requests; see Retry-After.", 503: "The ledger is unavailable; see Retry-After."}


def describe_answers(statuses: dict[int, str], content: dict[str, Any] = HTML) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": text, "content": content} for status, text in statuses.items()}


def describe_form(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in FORM_TYPES}}}


CONFIRMED_BY_PAGE = {"confirm": {"type": "string", "enum": ["page"]}}
FORM_ANSWERS = {200: "Done.", 400: "The form says nothing of the kind.", 413: "The form is too large."}

PAGE: dict[str, Any] = {"responses": describe_answers({200: "A page.", **TOKEN_LOST, **LATER})}
UNSUBSCRIBE: dict[str, Any] = {
    "responses": describe_answers({**FORM_ANSWERS, **TOKEN_LOST, **LATER}),
    "openapi_extra": describe_form(
        {"List-Unsubscribe": {"type": "string", "enum": ["One-Click"]}}, ["List-Unsubscribe"]
    ),
}
CONFIRM: dict[str, Any] = {
    "responses": describe_answers({**FORM_ANSWERS, **TOKEN_LOST, **LATER}),
    "openapi_extra": describe_form(CONFIRMED_BY_PAGE, ["confirm"]),
}
EVENTS: dict[str, Any] = {
    "responses": describe_answers(
        {
            200: "All events are kept.",
            400: "Signed, and no JSON array; remembered.",
            403: "Not signed by the provider.",
            413: "Too large.",
            **LATER,
        },
        {"text/plain": {"schema": TEXT}},
    ),
    "openapi_extra": {
        "parameters": [
            {"name": f"X-Twilio-Email-Event-Webhook-{part}", "in": "header", "required": True, "schema": TEXT}
            for part in ("Signature", "Timestamp")
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
        },
    },
}


ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"}
ANY_OBJECT = {"type": "object"}
MOMENT = {"type": "string", "format": "date-time"}
CALL_FIELDS: dict[str, Any] = {
    "userId": ID,
    "anonymousId": ID,
    "messageId": ID,
    "timestamp": MOMENT,
    "sentAt": MOMENT,
    "context": ANY_OBJECT,
}
ONE_OF_US = [{"required": ["userId"]}, {"required": ["anonymousId"]}]
OWN_FIELDS: dict[str, dict[str, Any]] = {
    "track": {"event": {"type": "string", "pattern": "^[A-Za-z][A-Za-z ]{0,60}$"}, "properties": ANY_OBJECT},
    "identify": {"traits": ANY_OBJECT},
    "page": {"name": TEXT, "properties": ANY_OBJECT},
    "screen": {"name": TEXT, "properties": ANY_OBJECT},
}
CALL_ANSWERS = {
    200: "Kept; `refused` lists those calls of a batch that cannot be read.",
    400: "Nothing of it can be read.",
    401: "No such write key.",
    413: "Too large.",
    **LATER,
}


def describe_calls(route: str) -> dict[str, Any]:
    """The route of one type of call, or of batches of all types."""
    schema = _describe_batch() if route == "batch" else _describe_call(route)
    return {
        "responses": describe_answers(CALL_ANSWERS, {"application/json": {"schema": ANY_OBJECT}}),
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    }


def _describe_call(route: str) -> dict[str, Any]:
    required = {"required": ["event"]} if route == "track" else {}
    return {"type": "object", "properties": {**CALL_FIELDS, **OWN_FIELDS[route]}, "anyOf": ONE_OF_US, **required}


def _describe_batch() -> dict[str, Any]:
    kinds = []
    for route in OWN_FIELDS:
        call = _describe_call(route)
        call["properties"] = {**call["properties"], "type": {"type": "string", "enum": [route]}}
        kinds.append({**call, "required": [*call.get("required", []), "type"]})
    batch = {"type": "array", "items": {"anyOf": kinds}}
    return {
        "type": "object",
        "properties": {"batch": batch, "sentAt": MOMENT, "context": ANY_OBJECT},
        "required": ["batch"],
    }


def describe_preferences(topics: Sequence[Topic]) -> dict[str, Any]:
    boxes = {f"want:email:{topic.name}": {"type": "string", "enum": ["yes"]} for topic in topics}
    return {
        "responses": describe_answers({**FORM_ANSWERS, **TOKEN_LOST, **LATER}),
        "openapi_extra": describe_form({**CONFIRMED_BY_PAGE, "language": LANGUAGE, **boxes}, ["confirm"]),
    }


def describe_subscribe(topics: Sequence[Topic]) -> dict[str, Any]:
    return {
        "responses": describe_answers({**FORM_ANSWERS, **LATER}),
        "openapi_extra": describe_form(
            {
                "email": {"type": "string", "format": "email"},
                "channel": {"type": "string", "enum": ["email"]},
                "topic": {"type": "string", "enum": [topic.name for topic in topics]},
                "form": NAME,
                "text_version": NAME,
                "language": LANGUAGE,
            },
            ["email", "topic", "form", "text_version"],
        ),
    }
