"""HubSpot's part of the server."""

from __future__ import annotations

from fastapi import APIRouter

from sandbox.company import Company
from sandbox.hubspot.activities import ACTIVITIES
from sandbox.hubspot.associations import add_association_routes
from sandbox.hubspot.contacts import add_contact_routes
from sandbox.hubspot.directory import Directory
from sandbox.hubspot.forms import add_form_routes
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.links import Links
from sandbox.hubspot.lists import add_list_routes
from sandbox.hubspot.objects import add_object_routes
from sandbox.hubspot.preferences import add_preference_routes
from sandbox.hubspot.sales import COMPANIES, DEALS
from sandbox.hubspot.service import TICKETS
from sandbox.hubspot.setup import add_setup_routes


def create_router(company: Company) -> APIRouter:
    """Builds HubSpot's routes; all share one app's token and limits."""
    router, gate = APIRouter(), Gate(company)
    add_contact_routes(router, company, gate)
    for kind in (COMPANIES, DEALS, TICKETS, *ACTIVITIES):
        add_object_routes(router, company, gate, Directory(company, kind))
    add_association_routes(router, company, gate, Links(company))
    add_setup_routes(router, company, gate)
    add_form_routes(router, company, gate)
    add_list_routes(router, company, gate)
    add_preference_routes(router, company, gate)
    return router
