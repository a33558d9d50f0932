"""HubSpot CRM v3, what only contacts have: changing one and deleting one for good."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.answers import Refused, reading, write_json
from sandbox.company import Company
from sandbox.company.crm import FIRST_CONTACT_ID, Contact
from sandbox.hubspot.directory import ContactDirectory
from sandbox.hubspot.errors import refuse, refuse_input
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.inputs import read_body
from sandbox.hubspot.objects import add_object_routes
from sandbox.hubspot.records import ObjectKind


def _spoil_email(record: dict[str, Any]) -> None:
    record["properties"]["email"] = "not an address"


CONTACTS = ObjectKind(
    name="contacts",
    list_all=lambda company: company.crm.contacts,
    defaults=("email", "firstname", "lastname"),
    modified="lastmodifieddate",
    searched=("email", "firstname", "lastname", "phone"),
    spoiled={"bad_email": _spoil_email},
)
PATH = CONTACTS.path
READ_ONLY = frozenset({*CONTACTS.always, "hs_merged_object_ids", "hs_analytics_source"})


def add_contact_routes(router: APIRouter, company: Company, gate: Gate) -> None:
    """Adds the routes below /crm/v3/objects/contacts."""
    directory = ContactDirectory(company, CONTACTS)
    add_object_routes(router, company, gate, directory)

    @router.post(f"{PATH}/gdpr-delete")
    async def purge_contact(request: Request) -> Response:
        headers = gate.enter(request)
        wanted = await read_body(request)
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
        properties = (await read_body(request)).get("properties")
        async with reading(company):
            contact = directory.find(contact_id)
            if contact is None:
                raise Refused(refuse(404, "OBJECT_NOT_FOUND", "resource not found"))
            changed = _read_changes(contact, properties)
        company.change_contact(contact.contact_id - FIRST_CONTACT_ID, changed)
        return write_json(CONTACTS.describe(contact, CONTACTS.choose_properties(changed)), headers=headers)


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
