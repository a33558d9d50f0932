"""HubSpot's forms (marketing v3) and what was sent by them (form-integrations v1)."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.clock import to_seconds, write_seconds
from sandbox.company import Company
from sandbox.company.forms import FORMS, Form, Submission, list_submissions
from sandbox.hubspot.errors import refuse
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import is_archived, read_cursor, read_limit, write_next

FORMS_PATH, SUBMISSIONS = "/marketing/v3/forms", "/form-integrations/v1/submissions/forms"
FORMS_LIMIT, SUBMISSIONS_LIMIT = 100, 50
MADE_BEFORE_START = 800 * 86_400
LOOKS: dict[str, Any] = {
    "configuration": {
        "language": "en",
        "cloneable": True,
        "postSubmitAction": {"type": "thank_you", "value": "Thank you."},
        "editable": True,
        "archivable": True,
        "recaptchaEnabled": False,
        "notifyContactOwner": False,
        "notifyRecipients": [],
        "createNewContactForNewEmail": False,
        "prePopulateKnownValues": True,
        "allowLinkToResetKnownValues": False,
        "lifecycleStages": [],
    },
    "displayOptions": {
        "renderRawHtml": False,
        "theme": "default_style",
        "submitButtonText": "Send",
        "style": {
            "fontFamily": "arial, helvetica, sans-serif",
            "backgroundWidth": "100%",
            "labelTextColor": "#33475b",
            "labelTextSize": "13px",
            "helpTextColor": "#7C98B6",
            "helpTextSize": "11px",
            "legalConsentTextColor": "#33475b",
            "legalConsentTextSize": "14px",
            "submitColor": "#ff7a59",
            "submitAlignment": "left",
            "submitFontColor": "#ffffff",
            "submitSize": "12px",
        },
    },
    "legalConsentOptions": {"type": "none"},
}
"""What HubSpot tells of every form and nobody asks for."""


def add_form_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes for forms and their submissions."""
    sent = SentForms(company)

    @router.get(FORMS_PATH + "/")
    @router.get(FORMS_PATH)
    async def list_forms(request: Request) -> Response:
        headers = gate.enter(request)
        limit = read_limit(request.query_params.get("limit", "20"), FORMS_LIMIT)
        start = read_cursor(request.query_params.get("after"))
        forms = [
            one
            for one in map(lambda form: describe_form(company, form), FORMS)
            if one["archived"] is is_archived(request)
        ]
        answer: dict[str, Any] = {"results": forms[start : start + limit]}
        if start + limit < len(forms):
            answer["paging"] = write_next(start + limit)
        return write_json(answer, headers=headers)

    @router.get(SUBMISSIONS + "/{form_id}")
    async def list_sent(request: Request, form_id: str) -> Response:
        headers = gate.enter(request)
        if form_id not in {form.form_id for form in FORMS}:
            raise Refused(refuse(404, "OBJECT_NOT_FOUND", f"No form found with guid {form_id}"))
        limit = read_limit(request.query_params.get("limit", "20"), SUBMISSIONS_LIMIT)
        start = read_cursor(request.query_params.get("after"))
        async with reading(company):
            found = sent.of(form_id)
            page = [_describe(one) for one in found[start : start + limit]]
        company.faults.spoil_records("hubspot", request.url.path, page, SPOILED)
        answer: dict[str, Any] = {"results": page}
        if start + limit < len(found):
            answer["paging"] = write_next(start + limit)
        return write_json(answer, headers=headers)


class SentForms:
    """What was sent, by form and the newest first; worked out anew when the company has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version: object = None
        self._found: dict[str, list[Submission]] = {}

    def of(self, form_id: str) -> list[Submission]:
        if self._version != self._company.version:
            self._version = self._company.version
            self._found = {form.form_id: [] for form in FORMS}
            for one in list_visible(self._company):
                self._found[one.form.form_id].append(one)
            for found in self._found.values():
                found.sort(key=attrgetter("at_ms", "conversion_id"), reverse=True)
        return self._found[form_id]


def list_visible(company: Company) -> list[Submission]:
    """What was sent, but for those people whom the CRM has deleted for good."""
    crm, population = company.crm, company.population
    purged = {one.person for one in crm.contacts if one.is_purged}
    return [
        one
        for one in list_submissions(company.seed, population, company.seconds)
        if one.person not in purged
        and population.address(one.person) not in crm.blocked
        and one.at_ms <= company.seconds * 1000
    ]


def describe_form(company: Company, form: Form) -> dict[str, Any]:
    """A form as the list tells it."""
    start = to_seconds(company.config.start)
    gone = None if form.archived_after is None else start + form.archived_after
    has_gone = gone is not None and gone <= company.seconds
    told: dict[str, Any] = {
        "id": form.form_id,
        "name": form.name,
        "formType": form.kind,
        "createdAt": write_seconds(start - MADE_BEFORE_START),
        "updatedAt": write_seconds(gone if has_gone and gone else start - MADE_BEFORE_START),
        "archived": has_gone,
        "fieldGroups": [_describe_field(name) for name in form.fields],
        **LOOKS,
    }
    return told | ({"archivedAt": told["updatedAt"]} if has_gone else {})


def _describe_field(name: str) -> dict[str, Any]:
    field = {"objectTypeId": "0-1", "name": name, "label": name, "required": False, "hidden": False}
    kind = {"fieldType": "single_line_text", "dependentFields": []}
    return {"groupType": "default_group", "richTextType": "text", "fields": [field | kind]}


def _describe(one: Submission) -> dict[str, Any]:
    return {
        "conversionId": one.conversion_id,
        "submittedAt": one.at_ms,
        "pageUrl": one.page_url,
        "values": [{"name": name, "value": value, "objectTypeId": "0-1"} for name, value in one.values],
    }


def _lose_id(record: dict[str, Any]) -> None:
    del record["conversionId"]


def _spoil_date(record: dict[str, Any]) -> None:
    record["submittedAt"] = "yesterday"


def _spoil_email(record: dict[str, Any]) -> None:
    record["values"] = [
        one | ({"value": "not an address"} if one["name"] == "email" else {}) for one in record["values"]
    ]


SPOILED = {"missing_key": _lose_id, "unparsable_date": _spoil_date, "bad_email": _spoil_email}
