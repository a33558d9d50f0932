"""HubSpot CRM v3, contacts: list, read, batch read, search, change and delete for good."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, read_object, reading, write_json
from sandbox.clock import write_moment
from sandbox.company import Company
from sandbox.company.crm import FIRST_CONTACT_ID, Contact
from sandbox.hubspot.directory import ALWAYS, Directory, choose_properties, describe
from sandbox.hubspot.errors import refuse, refuse_input
from sandbox.hubspot.gate import Gate

PATH = "/crm/v3/objects/contacts"
LIST_LIMIT, SEARCH_LIMIT, BATCH_LIMIT = 100, 200, 100
SEARCH_RESULTS = 10_000
"""Results of one search that can be paged to."""
READ_ONLY = frozenset({*ALWAYS, "hs_merged_object_ids", "hs_analytics_source"})


def add_contact_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes below /crm/v3/objects/contacts."""
    directory = Directory(company)
    _add_search_route(router, company, gate, directory)
    _add_writing_routes(router, company, gate, directory)

    @router.get(PATH)
    async def list_contacts(request: Request) -> Response:
        headers = gate.enter(request)
        query = request.query_params
        limit = _read_limit(query.get("limit", "10"), LIST_LIMIT)
        after = _read_cursor(query.get("after"))
        names = choose_properties(",".join(query.getlist("properties")).split(","))
        async with reading(company):
            contacts, following = directory.page(after, limit, query.get("archived", "false").lower() == "true")
            answer: dict[str, Any] = {"results": _describe_page(company, contacts, names, PATH)}
        if following is not None:
            cursor = base64.b64encode(f"{following}\n".encode()).decode()
            answer["paging"] = {"next": {"after": cursor, "link": f"?after={cursor}"}}
        return write_json(answer, headers=headers)

    @router.post(f"{PATH}/batch/read")
    async def read_batch(request: Request) -> Response:
        headers = gate.enter(request)
        wanted = await _read_body(request)
        inputs = [str(one.get("id")) for one in wanted.get("inputs") or []]
        if not inputs or len(inputs) > BATCH_LIMIT:
            raise Refused(refuse_input(f"A batch has 1 to {BATCH_LIMIT} inputs; this one has {len(inputs)}"))
        names = choose_properties(wanted.get("properties") or [])
        is_archived = request.query_params.get("archived", "false") == "true"
        async with reading(company):
            by_email = wanted.get("idProperty") == "email"
            found = {
                one: directory.find_by_email(one) if by_email else directory.find(one, is_archived) for one in inputs
            }
            contacts = [contact for contact in found.values() if contact is not None]
            records = _describe_page(company, contacts, names, f"{PATH}/batch/read")
        missing = [one for one, contact in found.items() if contact is None]
        return write_json(_describe_batch(company, records, missing), 207 if missing else 200, headers)

    @router.get(PATH + "/{contact_id}")
    async def read_contact(request: Request, contact_id: str) -> Response:
        headers = gate.enter(request)
        query = request.query_params
        names = choose_properties(",".join(query.getlist("properties")).split(","))
        async with reading(company):
            contact = directory.find(contact_id, query.get("archived", "false") == "true")
            if contact is None:
                raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
            return write_json(describe(contact, names), headers=headers)


def _add_writing_routes(router: APIRouter, company: Company, gate: Gate, directory: Directory) -> None:
    @router.post(f"{PATH}/gdpr-delete")
    async def purge_contact(request: Request) -> Response:
        headers = gate.enter(request)
        wanted = await _read_body(request)
        object_id, id_property = wanted.get("objectId"), wanted.get("idProperty")
        if not isinstance(object_id, str) or id_property not in (None, "email"):
            raise Refused(refuse_input("objectId must be a text, and idProperty email or left out"))
        async with reading(company):
            place = directory.find_to_purge(object_id, id_property)
        if place is None and id_property is None:
            raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
        company.purge_contact(place, object_id.strip().lower() if id_property else None)
        return Response(status_code=204, headers=headers)

    @router.patch(PATH + "/{contact_id}")
    async def change_contact(request: Request, contact_id: str) -> Response:
        headers = gate.enter(request)
        properties = (await _read_body(request)).get("properties")
        async with reading(company):
            contact = directory.find(contact_id)
            if contact is None:
                raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
            changed = _read_changes(contact, properties)
        company.change_contact(contact.contact_id - FIRST_CONTACT_ID, changed)
        return write_json(describe(contact, choose_properties(changed)), headers=headers)


def _read_changes(contact: Contact, properties: Any) -> dict[str, str | None]:
    """The new values of properties; an empty text empties one, as HubSpot has it."""
    if not isinstance(properties, dict) or not properties:
        raise Refused(refuse_input("properties must be an object with at least one property"))
    for name, value in properties.items():
        if name not in contact.properties:
            raise Refused(refuse_input(f'Property "{name}" does not exist'))
        if name in READ_ONLY:
            raise Refused(refuse_input(f'"{name}" is a read only property; its value cannot be set'))
        if not isinstance(value, str):
            raise Refused(refuse_input(f'The value of "{name}" must be a text'))
    return {name: value or None for name, value in properties.items()}


def _add_search_route(router: APIRouter, company: Company, gate: Gate, directory: Directory) -> None:
    @router.post(f"{PATH}/search")
    async def search_contacts(request: Request) -> Response:
        headers = gate.enter(request, is_search=True)
        wanted = await _read_body(request)
        limit = _read_limit(wanted.get("limit") or 10, SEARCH_LIMIT)
        start = _read_offset(wanted.get("after"), limit)
        names = choose_properties(wanted.get("properties") or [])
        lag = company.faults.take(("search_lag",), "hubspot", f"{PATH}/search")
        horizon = None if lag is None else int(company.seconds - lag.number("seconds", 3600)) * 1000
        async with reading(company):
            try:
                found = directory.search(wanted, horizon)
            except (ValueError, AttributeError, TypeError) as error:
                raise Refused(refuse_input(f"There was a problem with the request: {error}")) from error
            page = _describe_page(company, found[start : start + limit], names, f"{PATH}/search")
        answer: dict[str, Any] = {"total": len(found), "results": page}
        if start + limit < len(found):
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return write_json(answer, headers=headers)


def _describe_page(
    company: Company, contacts: list[Contact], names: tuple[str, ...], path: str
) -> list[dict[str, Any]]:
    records = [describe(contact, names) for contact in contacts]
    company.faults.spoil_records("hubspot", path, records, SPOILED)
    return records


def _lose_id(record: dict[str, Any]) -> None:
    del record["id"]
    record["properties"]["hs_object_id"] = None


def _spoil_date(record: dict[str, Any]) -> None:
    record["updatedAt"] = record["properties"]["lastmodifieddate"] = "2026-02-30T99:99:99Z"


def _spoil_email(record: dict[str, Any]) -> None:
    record["properties"]["email"] = "not an address"


SPOILED = {"missing_key": _lose_id, "unparsable_date": _spoil_date, "bad_email": _spoil_email}


def _describe_batch(company: Company, records: list[dict[str, Any]], missing: list[str]) -> dict[str, Any]:
    moment = write_moment(company.now)
    answer: dict[str, Any] = {"status": "COMPLETE", "results": records, "startedAt": moment, "completedAt": moment}
    if missing:
        message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
        error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
        answer |= {"numErrors": 1, "errors": [error]}
    return answer


async def _read_body(request: Request) -> dict[str, Any]:
    try:
        return await read_object(request)
    except ValueError as error:
        raise Refused(refuse_input(f"Invalid input JSON: {error}")) from error


def _read_limit(text: Any, most: int) -> int:
    limit = int(text) if str(text).isdigit() else 0
    if not 1 <= limit <= most:
        raise Refused(refuse_input(f"limit must be a number from 1 to {most}, not {text}"))
    return limit


def _read_offset(text: Any, limit: int) -> int:
    if text in (None, "", 0):
        return 0
    if not str(text).isdigit():
        raise Refused(refuse_input(f"after must be a number in a search, not {text}"))
    if int(text) + limit > SEARCH_RESULTS:
        raise Refused(refuse_input(f"Paging beyond {SEARCH_RESULTS} results of a search is not possible"))
    return int(text)


def _read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused(refuse_input("The value of after is none that this list has given")) from error
